"""How staff are named (decision 0045): to colleagues in full, to everybody else by work number and masked name."""

from accounts.masks import mask_name
from accounts.models import User


def in_house(user: User | None) -> str:
    """柜员甲 w00017: to staff, and in the log. Empty for nobody."""
    return f"{user.display_name} {user.username}".strip() if user else ""


def outside(named: str) -> str:
    """柜*甲 w00017: to members and institutions, from what `in_house` says; the number is enough to ask after somebody."""
    name, _blank, number = named.rpartition(" ")
    return f"{mask_name(name)} {number}".strip()
