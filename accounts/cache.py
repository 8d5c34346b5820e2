"""What the cache holds is JSON: whoever could write to Redis must not be able to have Python objects made here."""

import json
from typing import Any


class JsonSerializer:
    """For Django's Redis cache. Whole numbers stay bare, so that Redis can count with them."""

    def dumps(self, value: Any) -> bytes | int:
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)
