from typing import Any

from django.db import models
from django.db.models.functions import Least
from django.db.models.lookups import GreaterThanOrEqual


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


def never_negative(*amounts: str) -> GreaterThanOrEqual:
    """The condition of a CHECK: PostgreSQL reads its text anew in each statement, and one comparison is a short one."""
    return GreaterThanOrEqual(Least(*amounts), 0)
