"""Why a text is no TOML: tomllib says it only in English sentences, whose kinds are told apart here."""

import re
from typing import NamedTuple

# The beginning of a sentence of tomllib, and the code under which people are told it; the first that fits.
_KINDS = (
    ("Invalid statement", "toml_statement"),
    ("Expected newline or end of document", "toml_rest"),
    ("Expected '=' after a key", "toml_equals"),
    ("Invalid initial character for a key", "toml_key"),
    (r"Expected '\]", "toml_header"),
    ("Unclosed array", "toml_array"),
    ("Unclosed inline table", "toml_inline_table"),
    (r"""Unterminated string|Expected "'|Illegal character '\\[nr]""", "toml_string"),
    ("Illegal character|Found invalid character", "toml_character"),
    ("Unescaped|Invalid hex value|Escaped character", "toml_escape"),
    ("Invalid date or datetime", "toml_date"),
    ("Cannot|Duplicate", "toml_twice"),
    ("Invalid value", "toml_value"),
)
_AT = re.compile(r"\(at line (\d+), column (\d+)\)")


class SyntaxPlace(NamedTuple):
    """Where a text stopped being TOML, both from 1, and the kind of mistake; `toml` where the sentence is not known."""

    line: int
    column: int
    code: str


def place_of(message: str, text: str) -> SyntaxPlace:
    """What the message of a tomllib.TOMLDecodeError about a text says: (at line 3, column 5), or (at end of document)."""
    code = next((code for begins, code in _KINDS if re.match(begins, message)), "toml")
    if at := _AT.search(message):
        return SyntaxPlace(int(at[1]), int(at[2]), code)
    return SyntaxPlace(text.count("\n") + 1, len(text) - text.rfind("\n"), code)
