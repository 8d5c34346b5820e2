"""The kinds of papers. Each app registers its own in `AppConfig.ready`: what a kind is called, and how it is set."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Kind:
    """A kind of paper: its code, its name, and the file under documents/typst/ that sets it."""

    code: str
    label: str | Promise
    template: str


_kinds: dict[str, Kind] = {}


def register(code: str, label: str | Promise, template: str = "receipt.typ") -> None:
    """Add a kind of paper; `label` lazy. The last one wins."""
    _kinds[code] = Kind(code, label, template)


def get(code: str) -> Kind:
    """KeyError for a kind nobody registered."""
    return _kinds[code]


def label(code: str) -> str:
    """What a kind is called in the reader's language; papers outlive the kinds that are known today."""
    kind = _kinds.get(code)
    return str(kind.label) if kind else str(_("Document"))


register("statement", _("Statement of the personal account"), "statement.typ")
register("receipt", _("Receipt of a case"))
