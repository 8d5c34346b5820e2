from typing import Any

from django.db import models

from accounts import crypto


class EncryptedTextField(models.BinaryField):
    """Text that is encrypted in the column and plain in Python; not searchable: keep a blind index beside it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    @property
    def context(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def from_db_value(self, value: bytes | None, expression: object, connection: object) -> str | None:
        return None if value is None else crypto.decrypt(value, self.context)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if isinstance(value, str):
            value = crypto.encrypt(value, self.context)
        return super().get_db_prep_value(value, connection, prepared)

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> str:
        # Serialising (dumpdata) must not print identifying numbers.
        return ""
