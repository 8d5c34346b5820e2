"""Resident ID numbers (公民身份号码, GB 11643): 18 characters, the last of which checks the others.

The county part is never a reason to refuse: codes are retired and created every year, and people keep the number
they were given. Only the province is looked at; 81, 82 and 83 are residence permits of Hong Kong, Macao and Taiwan.
"""

import datetime
import re
import unicodedata
from typing import Literal

LENGTH = 18
# [0-9] and not \d: other scripts' digits would pass and then belong to nobody.
SHAPE = re.compile(r"[0-9]{17}[0-9X]")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
PERMITS = frozenset({"81", "82", "83"})
# First digit: the part of the country; second: the province in it (GB/T 2260).
PROVINCES = (
    frozenset(
        part + number
        for part, numbers in {
            "1": "12345",
            "2": "123",
            "3": "1234567",
            "4": "123456",
            "5": "01234",
            "6": "12345",
        }.items()
        for number in numbers
    )
    | {"71"}
    | PERMITS
)


class BadIdNumber(ValueError):
    """A text that is no ID number; `code` says which part is wrong.

    One of id_missing, id_length (`length` holds how many there were), id_characters, id_province, id_birth, id_future,
    id_check.
    """

    def __init__(self, code: str, length: int = 0) -> None:
        super().__init__(code)
        self.code, self.length = code, length


def normalise(text: str) -> str:
    """Full-width forms made narrow, spaces taken out, x made large."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()


def check_character(first_17: str) -> str:
    """The 18th character for the 17 digits before it (ISO 7064, MOD 11-2)."""
    return CHECKS[sum(int(digit) * weight for digit, weight in zip(first_17, WEIGHTS, strict=True)) % 11]


def parse(text: str, *, on: datetime.date) -> str:
    """The ID number as the register writes it. `on` is the present day: nobody is born after it.

    Raises BadIdNumber, naming the first part that is wrong from left to right.
    """
    number = normalise(text)
    if not number:
        raise BadIdNumber("id_missing")
    if len(number) != LENGTH:
        raise BadIdNumber("id_length", length=len(number))
    if not SHAPE.fullmatch(number):
        raise BadIdNumber("id_characters")
    if number[:2] not in PROVINCES:
        raise BadIdNumber("id_province")
    try:
        birth = birth_of(number)
    except ValueError:
        raise BadIdNumber("id_birth") from None
    if birth > on:
        raise BadIdNumber("id_future")
    if check_character(number[:17]) != number[17]:
        raise BadIdNumber("id_check")
    return number


def birth_of(number: str) -> datetime.date:
    """The date of birth in characters 7 to 14. ValueError where there is no such day."""
    return datetime.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def has_birth(number: str) -> bool:
    """Whether a date of birth stands in it; not so in the number of another document."""
    return SHAPE.fullmatch(number) is not None


def is_permit(number: str) -> bool:
    """Whether it is the number of a residence permit of Hong Kong, Macao or Taiwan."""
    return number[:2] in PERMITS


def sex_of(number: str) -> Literal["M", "F"]:
    """The sex in the 17th digit: odd is male."""
    return "M" if int(number[16]) % 2 else "F"


def make(area: str, birth: datetime.date, order: int) -> str:
    """A number with a right check character, for invented people: `area` six digits, `order` 0 to 999, odd is male."""
    first = f"{area}{birth:%Y%m%d}{order:03d}"
    if len(first) != LENGTH - 1:
        raise ValueError(f"area {area!r} or order {order!r} is out of range")
    return first + check_character(first)
