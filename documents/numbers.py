"""Numbers of issued papers: twelve letters and digits that nobody confuses when reading them aloud or typing them."""

import re
import secrets
import unicodedata

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
LENGTH = 12
_SPACE = re.compile(r"[\s\-\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}]+")
_NUMBER = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")


def new() -> str:
    """A number that cannot be guessed: 60 random bits, without 0, O, 1 and I."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def normalise(text: str) -> str:
    """What was typed, narrow, in capitals, without spaces and dashes."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text)).upper()


def is_number(text: str) -> bool:
    """Whether a normalised text has the form of a number."""
    return _NUMBER.fullmatch(text) is not None


def grouped(number: str) -> str:
    """ABCD EFGH JKLM, as it stands on paper."""
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))
