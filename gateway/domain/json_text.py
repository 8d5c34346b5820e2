"""JSON as the interface wants it: numbers stay decimal text both ways, and what is no JSON is one kind of error."""

import json
from decimal import Decimal
from typing import Any

# Made once: json.dumps with other than its defaults makes one for each number and each name.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
# What it does with a text, without asking first what it is.
_text = json.encoder.encode_basestring


class NotJson(ValueError):
    """The text is no JSON, or JSON that nobody sends in good faith (NaN, thousands of levels)."""


def loads(text: str) -> Any:
    """Objects, lists, texts, booleans and None; every number as the text it was written in, so none is ever a float.

    Raises NotJson.
    """
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotJson(type(error).__name__) from None


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def dumps(value: Any) -> str:
    """The value as JSON on one line; a Decimal is a JSON number with the decimals it has."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return "{" + ",".join([f"{_text(str(key))}:{dumps(item)}" for key, item in value.items()]) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(dumps, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    return _ENCODER.encode(value)
