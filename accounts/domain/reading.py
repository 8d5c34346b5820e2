"""Reading nested data (TOML, JSON) into dataclasses, so that a mistake is told with the place where it stands."""

import datetime
from collections.abc import Collection
from decimal import Decimal
from types import TracebackType
from typing import Self

from accounts.money import BadAmount, parse_amount

type Path = tuple[str | int, ...]

MESSAGES = {
    "missing": "is missing",
    "unknown_key": "is not a key that is known here",
    "wrong_type": "should be {expected}",
    "bad_amount": 'should be an amount in quotation marks with at most two decimals, such as "500.00"',
    "bad_percent": 'should be a percentage in quotation marks from "0" to "100" with at most two decimals',
    "not_one_of": "should be one of: {allowed}",
    "bad_date": "should be a date such as 2025-07-01",
    "empty": "should not be empty",
    "repeated": "holds {value} twice",
    "out_of_range": "should be from {least} to {most}",
}


class BadData(ValueError):
    """Data that breaks its format: `path` of keys and positions, `code` and `params` of the reason."""

    def __init__(self, path: Path, code: str, **params: object) -> None:
        self.path, self.code, self.params = path, code, params
        super().__init__(f"{self.key}: {self.reason}")

    @property
    def key(self) -> str:
        """The place in words: scheme[2].stage[0].amount, counted from 1 as people count."""
        parts = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in self.path]
        return "".join(parts).lstrip(".")

    @property
    def reason(self) -> str:
        """The reason in English."""
        return MESSAGES.get(self.code, self.code).format(**self.params)


class Reader:
    """One table of the data. Every key is asked for by name; leaving the `with` block refuses the others."""
