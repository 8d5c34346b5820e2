"""What an institution said, field by field, as one text to be kept, and back."""

import datetime
from collections.abc import Mapping
from typing import Any

from gateway.domain import json_text


def state(row: Mapping[str, Any]) -> str:
    """The fields that hold something, as JSON; days and moments in ISO form."""
    return json_text.dumps({name: _plain(value) for name, value in row.items() if value is not None})


def stated(text: str | None) -> dict[str, str]:
    """Field -> what was said, everything as text; nothing from None."""
    return json_text.loads(text) if text else {}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value
