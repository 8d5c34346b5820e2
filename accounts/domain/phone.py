"""Mobile numbers of mainland China."""

import re
import unicodedata


class BadPhone(ValueError):
    """A text that is no mobile number; `code` is phone_missing or phone_format."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def normalise(text: str) -> str:
    """Narrow digits without spaces, hyphens and the country code."""
    narrow = re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", text))
    return re.sub(r"^(\+|00)86", "", narrow)


def parse(text: str) -> str:
    """The eleven digits. Raises BadPhone."""
    number = normalise(text)
    if not number:
        raise BadPhone("phone_missing")
    if not re.fullmatch(r"1[3-9][0-9]{9}", number):
        raise BadPhone("phone_format")
    return number
