"""What the acts in the audit log are called where people read them."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.wording import Text

_texts: dict[str, Text] = {}


def register_action(action: str, text: Text) -> None:
    """Say what an act is called, as the end of the sentence "a clerk …": a lazy text. Each app registers its own."""
    _texts[action] = text


def tell(action: str) -> str:
    """The act in the reader's language; one that nobody named is "worked on the record"."""
    return str(_texts.get(action, _("worked on the record")))


def registered() -> set[str]:
    """All acts that have a name."""
    return set(_texts)


for _action, _text in {
    "open_member": gettext_lazy("opened the record"),
    "unmask": gettext_lazy("saw numbers in full"),
    "admin_view": gettext_lazy("saw the record in the administration"),
    "admin_change": gettext_lazy("changed the record in the administration"),
    "change_phone": gettext_lazy("changed the telephone"),
    "set_password": gettext_lazy("set a new password"),
    "identity": gettext_lazy("confirmed the identity"),
    "end_sessions": gettext_lazy("ended sessions"),
}.items():
    register_action(_action, _text)
