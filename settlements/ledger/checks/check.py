"""A check: a statement that must find nothing."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A named statement that returns offending rows, the first column naming what offends; `code`: of which invariant."""

    code: str
    name: str
    sql: str
