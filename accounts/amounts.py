"""Amounts as people read them; programs and files get `accounts.money.plain`."""

from decimal import Decimal

from django.utils.translation import gettext as _

from accounts.money import fen

MINUS = "\N{MINUS SIGN}"
Amount = Decimal | int | str | None


def rounded(amount: Amount) -> Decimal:
    """The amount in yuan rounded to the fen; nothing (None, "") is nought."""
    # Less than half a fen below nought rounds to a nought that keeps its minus: + 0 takes it away.
    return fen(Decimal(amount or 0)) + 0


def yuan(amount: Amount) -> str:
    """1,234.50, with a real minus sign before what is less than nought."""
    return f"{rounded(amount):,.2f}".replace("-", MINUS)


def yuan_signed(amount: Amount) -> str:
    """+12.00 or −12.00; nought has no sign."""
    return ("+" if rounded(amount) > 0 else "") + yuan(amount)


def yuan_unit(amount: Amount) -> str:
    """1,234.50 元."""
    return _("%(amount)s yuan") % {"amount": yuan(amount)}
