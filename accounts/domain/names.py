"""Names of people: any script, rare characters included, a middle dot between the parts of a transcribed name."""

import re
import unicodedata

MAX_LENGTH = 50
DOT = "·"
# What keyboards and files bring where U+00B7 is meant.
_DOTS = re.compile("[•‧∙⋅・･●．]")
_BETWEEN = frozenset(" -'’." + DOT)


class BadName(ValueError):
    """A text that is no name; `code` is one of name_missing, name_too_long, name_characters."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _belongs(character: str) -> bool:
    # Planes 2 and 3 hold rare Chinese characters newer than this Python's tables; private use holds those that
    # older registers coded themselves. A name is what the register says it is.
    return (
        character in _BETWEEN
        or unicodedata.category(character)[0] in "LM"
        or 0x20000 <= ord(character) <= 0x3FFFF
        or unicodedata.category(character) == "Co"
    )


def parse(text: str) -> str:
    """The name with single spaces and one kind of middle dot; characters are never replaced by look-alikes.

    Raises BadName, also for control characters, digits and symbols.
    """
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in text.strip()):
        raise BadName("name_characters")
    name = _DOTS.sub(DOT, " ".join(text.split()))
    if not name:
        raise BadName("name_missing")
    if len(name) > MAX_LENGTH:
        raise BadName("name_too_long")
    if not all(map(_belongs, name)) or not any(c not in _BETWEEN for c in name):
        raise BadName("name_characters")
    return name


def same(one: str, other: str) -> bool:
    """Whether two texts are the same name, whatever the spaces, the dot, the width and the case."""
    return _key(one) == _key(other)


def _key(name: str) -> str:
    plain = unicodedata.normalize("NFKC", _DOTS.sub(DOT, name)).casefold()
    return re.sub(rf"[\s{DOT}]", "", plain)
