"""JSON as the interface wants it: numbers stay decimal text both ways, and what is no JSON is one kind of error."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

# An answer of the interface has five levels.
MOST_LEVELS = 32
MOST_PLACE = 60
# Made once: json.dumps with other than its defaults makes one for each number and each name.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_SORTED = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
# What it does with a text, without asking first what it is.
quoted = json.encoder.encode_basestring


class NotJson(ValueError):
    """The text is no JSON: `why` is syntax, constant (NaN and its like), repeated or deep; `place` is where."""

    def __init__(self, why: str, place: str) -> None:
        super().__init__(f"{why}: {place}")
        self.why, self.place = why, place[:MOST_PLACE]


class _Constant(str):
    """NaN, Infinity or -Infinity, which Python takes for numbers and JSON does not know."""


def loads(text: str) -> Any:
    """Objects, lists, texts, booleans and None; every number as the text it was written in, so none is ever a float.

    Raises NotJson, also for what nobody sends in good faith: the same name twice in one object, more levels than 32.
    """
    try:
        value = _DECODER.decode(text)
    except _ConstantFound:
        raise NotJson("constant", _place_of_constant(_TOLERANT.decode(text), "")) from None
    except json.JSONDecodeError as error:
        raise NotJson("syntax", f"{error.lineno}:{error.colno}") from None
    except RecursionError:
        raise NotJson("deep", "") from None
    _check_levels(value, "", MOST_LEVELS)
    return value


class _ConstantFound(ValueError):
    pass


def _refuse(constant: str) -> None:
    raise _ConstantFound(constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise NotJson("repeated", next(name for place, name in enumerate(names) if name in names[:place]))
    return found


# Which of two values a program meant cannot be known, and two programs would not agree on it.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse, object_pairs_hook=_object)
_TOLERANT = json.JSONDecoder(parse_constant=_Constant, parse_int=str)


def _check_levels(value: Any, place: str, left: int) -> None:
    if not left:
        raise NotJson("deep", place)
    if type(value) is dict:
        for name, item in value.items():
            if type(item) is dict or type(item) is list:
                _check_levels(item, f"{place}.{name}" if place else name, left - 1)
    elif type(value) is list:
        for at, item in enumerate(value):
            if type(item) is dict or type(item) is list:
                _check_levels(item, f"{place}[{at}]", left - 1)


def _place_of_constant(value: Any, place: str) -> str:
    """Where the first of them stands; the text was read once and is not deep. Empty if it cannot be said."""
    if isinstance(value, _Constant):
        return f"{place} {value}".strip()
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        inner = f"{place}[{name}]" if isinstance(value, list) else f"{place}.{name}" if place else str(name)
        if found := _place_of_constant(item, inner):
            return found
    return ""


def dumps(value: Any) -> str:
    """The value as JSON on one line; a Decimal is a JSON number with the decimals it has."""
    try:
        # In C, a tenth of the time; it knows no Decimal.
        return _ENCODER.encode(value)
    except TypeError:
        return _dumps(value)


def sorted_text(value: Any) -> str:
    """The same text for the same value, in whatever order a program has put the names of its objects."""
    return _SORTED.encode(value)


def _dumps(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return "{" + ",".join([f"{quoted(str(key))}:{_dumps(item)}" for key, item in value.items()]) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_dumps, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    return _ENCODER.encode(value)


def pretty(value: Any, indent: str = "") -> str:
    """JSON in lines; a Decimal keeps its places."""
    deeper = f"{indent}  "
    if isinstance(value, Mapping) and value:
        inner = [f"{deeper}{dumps(key)}: {pretty(item, deeper)}" for key, item in value.items()]
        return "{\n" + ",\n".join(inner) + f"\n{indent}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"{deeper}{pretty(item, deeper)}" for item in value) + f"\n{indent}]"
    return dumps(value)
