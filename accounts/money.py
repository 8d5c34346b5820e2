"""Money is Decimal yuan. Here are its only rounding and its only reading of an amount that somebody typed."""

import re
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor

ZERO = Decimal("0.00")
FEN = Decimal("0.01")
MAX_AMOUNT = Decimal("99999999.99")

# [0-9] and not \d: full-width and other digits would pass \d and then mean something else to the next reader.
_AMOUNT = re.compile(r"[0-9]+(\.[0-9]{1,2})?")
_HALF = Fraction(1, 2)


class BadAmount(ValueError):
    """A text that is no amount. `code` is one of amount_missing, amount_format, amount_too_large."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def fen(amount: Decimal | Fraction | int) -> Decimal:
    """The amount in yuan, rounded half up (away from zero) to the fen: the one rounding of the portal.

    A Fraction is rounded as it is, so a quotient that ends nowhere is not rounded twice.
    """
    # Nearly always a Decimal; asking whether something is a Fraction takes longer than rounding it.
    if type(amount) is Decimal:
        return amount.quantize(FEN, rounding=ROUND_HALF_UP)
    if isinstance(amount, Fraction):
        fens = floor(abs(amount) * 100 + _HALF)
        return Decimal(-fens if amount < 0 else fens).scaleb(-2)
    return Decimal(amount).quantize(FEN, rounding=ROUND_HALF_UP)


def is_fen(amount: Decimal) -> bool:
    """Whether the amount is a whole number of fen."""
    return amount.is_finite() and amount == fen(amount)


def parse_amount(text: str, *, signed: bool = False) -> Decimal:
    """Read yuan as people write them: "12", "12.5" or "12.50"; at most 99,999,999.99; a leading "-" only if `signed`.

    Raises BadAmount.
    """
    stripped = text.strip(" ")
    if not stripped:
        raise BadAmount("amount_missing")
    negative = signed and stripped.startswith("-")
    digits = stripped[1:] if negative else stripped
    if not _AMOUNT.fullmatch(digits):
        raise BadAmount("amount_format")
    amount = Decimal(digits)
    if amount > MAX_AMOUNT:
        raise BadAmount("amount_too_large")
    return fen(-amount if negative else amount)


def plain(amount: Decimal | Fraction) -> str:
    """The amount with two decimals and no grouping, for JSON and for files: "1234.50"."""
    return str(fen(amount))
