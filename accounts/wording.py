"""Filling the facts of a reason or a message into its sentence, in the reader's language."""

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.functional import Promise

from accounts import amounts, dates, language
from accounts.enums import Relation

Text = str | Promise
_MONEY = re.compile(r"-?[0-9]+\.[0-9]{2}")


def fill(text: Text, params: Mapping[str, Any]) -> str:
    """The sentence with its %(name)s filled in; a fact that is missing is shown as a dash rather than failing the page.

    Facts are kept without language (JSON): `…_on` is an ISO day, `…_at` an ISO moment, a text like "1234.50" is yuan,
    `relation` is a code, a list is a list of them.
    """
    return str(text) % _Facts({name: _tell(name, value) for name, value in params.items()})


class _Facts(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "—"


def _tell(name: str, value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return listed(_tell(name, one) for one in value)
    if isinstance(value, str):
        if name.endswith("_on"):
            return dates.day(datetime.date.fromisoformat(value))
        if name.endswith("_at"):
            return dates.moment(datetime.datetime.fromisoformat(value))
        if _MONEY.fullmatch(value):
            return amounts.yuan(value)
        if name == "relation" and value in Relation.values:
            return str(Relation(value).label)
    return "—" if value is None else str(value)


def listed(parts: Iterable[object]) -> str:
    """Names, one after the other: a list within a sentence, in the reader's language."""
    return ("\N{IDEOGRAPHIC COMMA}" if language.is_chinese() else ", ").join(map(str, parts))


def comma() -> str:
    """The sign between phrases that say something each, in the reader's language; between names stands that of `listed`."""
    return "\N{FULLWIDTH COMMA}" if language.is_chinese() else ", "
