import tomllib

import pytest

from settlements.domain.region_file import BadRegionFile, load_region_text
from settlements.domain.toml_errors import place_of
from settlements.texts import rules as rules_texts


@pytest.mark.parametrize(
    ("text", "line", "column", "code"),
    [
        ("“a” = 1", 1, 1, "toml_statement"),
        ("a = 1 b = 2", 1, 7, "toml_rest"),
        ("a = 1\nb ＝ 1", 2, 3, "toml_equals"),
        ("a = {b = 1,}", 1, 12, "toml_key"),
        ("[[a]\nb = 1", 1, 4, "toml_header"),
        ("a = [1 2]", 1, 8, "toml_array"),
        ("a = [\n1", 2, 2, "toml_array"),
        ("a = {b = 1 c = 2}", 1, 12, "toml_inline_table"),
        ('a = "b\nc = 1', 1, 7, "toml_string"),
        ("a = 'b\nc = 1", 2, 6, "toml_string"),
        ('a = """b\n', 2, 1, "toml_string"),
        ('a = "b\x01"', 1, 7, "toml_character"),
        ('a = "c:\\d"', 1, 10, "toml_escape"),
        ("a = 2026-02-30", 1, 5, "toml_date"),
        ("[a]\n[a]", 2, 3, "toml_twice"),
        ("a = 1\na = 2", 2, 6, "toml_twice"),
        ("a = “b”", 1, 5, "toml_value"),
        ("a =", 1, 4, "toml_value"),
    ],
)
def test_each_kind_of_mistake_has_its_place_and_its_code(text: str, line: int, column: int, code: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    assert place_of(str(caught.value), text) == (line, column, code)
    with pytest.raises(BadRegionFile) as refused:
        load_region_text(text, "r.toml")
    (problem,) = refused.value.problems
    assert (problem.line, problem.params["column"], problem.code) == (line, column, code)
    assert code in rules_texts.SYNTAX


def test_a_sentence_that_nobody_knows_has_its_place_all_the_same() -> None:
    assert place_of("Something new (at line 7, column 9)", "") == (7, 9, "toml")
    assert "toml" in rules_texts.SYNTAX
