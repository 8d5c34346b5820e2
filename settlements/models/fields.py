from typing import Any
from uuid import UUID

from django.db import models
from django.db.models.functions import Least
from django.db.models.lookups import GreaterThanOrEqual

from accounts.masks import mask_id


class Yuan(models.DecimalField):
    """An amount of money in yuan, numeric(14, 2)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_digits"] = 14
        kwargs["decimal_places"] = 2
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs


class Numbered:
    """Of a model with a public id: what members and clerks call a row by, on the telephone too."""

    public_id: UUID

    @property
    def number(self) -> str:
        """A1B2-C3D4, the beginning of the public id."""
        start = self.public_id.hex[:8].upper()
        return f"{start[:4]}-{start[4:]}"


class WithBankAccount:
    """Of a model with the number of an account at a bank."""

    bank_account: str | None

    @property
    def masked_bank_account(self) -> str:
        """As it is shown: the ends of the number."""
        return mask_id(self.bank_account or "")


def never_negative(*amounts: str) -> GreaterThanOrEqual:
    """The condition of a CHECK: PostgreSQL reads its text anew in each statement, and one comparison is a short one."""
    return GreaterThanOrEqual(Least(*amounts), 0)
