"""The identities F1 to F14 as one assertion; what they are stands in `conformance.identities`."""

from typing import Any

from conformance import identities


def check_line(line: dict[str, Any]) -> None:
    """F6, F7, F8 of one row of the answer to 2204."""
    assert list(identities.line_faults(line)) == []


def check_bill(output: dict[str, Any], sign: int = 1) -> None:
    """F1 to F5, F9, F10, F14 of setlinfo and setldetail; `sign` -1 for a reversal (F11)."""
    assert list(identities.bill_faults(output, sign)) == []
