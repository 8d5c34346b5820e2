import datetime
import json
import re
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.domain.benefit_year import YearRule
from family.domain.rules import SharingRules
from settlements.domain.crediting import CreditRule
from settlements.domain.filing import FilingRule
from settlements.domain.region_file import BadRegionFile, load_region_text, load_version_text
from settlements.domain.toml_lines import line_of
from tests.settlements.domain.world import BEIJING, ROOT, SHANGHAI, SHENYANG, ZHENGZHOU, file_of, region

REGION_FILES = sorted([*ROOT.glob("regions/*.toml"), *ROOT.glob("tests/regions/*.toml")])
SHENYANG_TEXT = file_of(SHENYANG).read_text("utf-8")


def problems(text: str) -> list[str]:
    with pytest.raises(BadRegionFile) as caught:
        load_region_text(text, "r.toml")
    return [str(problem) for problem in caught.value.problems]


def changed(old: str, new: str, text: str = SHENYANG_TEXT) -> tuple[str, int]:
    """The text with its first `old` changed, and the line on which that stands."""
    assert old in text
    return text.replace(old, new, 1), text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize("path", REGION_FILES, ids=lambda path: path.name)
def test_every_region_loads_and_is_called_as_its_file(path: Path) -> None:
    found = load_region_text(path.read_text("utf-8"), path.name)
    assert found.code == path.stem
    assert set(found.names) == {"zh", "en"}


@pytest.mark.parametrize("path", sorted(ROOT.glob("regions/*.toml")), ids=lambda path: path.name)
def test_every_note_stands_in_both_languages(path: Path) -> None:
    """An administrator reads it beside the rule; a draft of one's own may have it in one."""
    lines = [line for line in path.read_text("utf-8").splitlines() if line.startswith("note")]
    assert lines
    for line in lines:
        note = tomllib.loads(line)["note"]
        assert set(note) == {"zh", "en"}, line
        assert re.search("[一-鿿]", note["zh"]), line


def test_a_note_of_one_language_is_read_and_half_a_pair_is_a_mistake() -> None:
    line = next(line for line in SHENYANG_TEXT.splitlines() if line.startswith("note"))
    load_region_text(changed(line, 'note = "看原文"')[0], "r.toml")
    text, _at = changed(line, 'note = { zh = "看原文" }')
    assert any("note.en" in problem and "is missing" in problem for problem in problems(text))


def test_the_four_regions() -> None:
    for code in (SHANGHAI, BEIJING, SHENYANG, ZHENGZHOU):
        found = region(code)
        assert found.sharing and found.credits
        assert {(version.insurance, version.kind) for version in found.schemes} >= {
            ("employee", "outpatient"),
            ("employee", "pharmacy"),
            ("resident", "pharmacy"),
        }


def test_what_stands_in_a_file() -> None:
    found = region(SHANGHAI)

    assert found.names == {"zh": "上海市", "en": "Shanghai"}
    assert found.buckets == "two"
    assert found.years == (YearRule(2001, 4, 1), YearRule(2020, 7, 1))
    assert found.counters["fund"]["en"] == "Paid by the pooled fund"
    first, with_premiums, second = found.sharing
    assert (first.valid_from, first.valid_to) == (datetime.date(2022, 7, 1), datetime.date(2022, 10, 1))
    assert (first.rules.uses, with_premiums.rules.uses) == (("pay",), ("pay", "premium"))
    assert first.rules.relations == {"spouse", "parent", "child"}
    assert len(second.rules.relations) == 6
    assert (second.rules.max_grantors, second.rules.max_beneficiaries) == (1, None)
    assert second.rules.keep == Decimal("0.00")


@pytest.mark.parametrize("path", REGION_FILES, ids=lambda path: path.name)
def test_the_data_of_each_version_is_json_and_gives_the_same_again(path: Path) -> None:
    found = load_region_text(path.read_text("utf-8"), path.name)
    for version in found.sharing:
        assert SharingRules.from_data(json.loads(json.dumps(version.data))) == version.rules
    for version in found.credits:
        assert CreditRule.from_data(json.loads(json.dumps(version.data))) == version.rule
    for version in found.filing:
        assert FilingRule.from_data(json.loads(json.dumps(version.data))) == version.rule


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('code = "210100"', 'code = "21010"', "code should be six digits"),
        ('buckets = "one"', 'buckets = "three"', "buckets should be one of: one, two"),
        ('"tertiary", "top"]', '"tertiary", "upper"]', "levels[4] should be one of"),
        ("first_year = 2001", "first_year = 1", "benefit_year[1].first_year should be a whole number from 1990"),
        ("month = 1\n", "month = 13\n", "benefit_year[1].month should be"),
        ("day = 1\n", "day = 29\n", "benefit_year[1].day should be"),
        ("same_region = true", 'same_region = "yes"', "sharing[1].same_region should be true or false"),
        ('keep = "0.00"', 'keep = "0.001"', "sharing[1].keep should be an amount"),
        ('keep = "0.00"', "keep = 0.00", "sharing[1].keep should be an amount"),
        ('order = "single"', 'order = "youngest"', "sharing[1].order should be one of"),
        ('retired_amount = "80.00"', "retired_amount = 80", "credit[1].retired_amount should be an amount"),
        ('scope = "year"', 'scope = "moon"', "scheme[1].stage[1].scope should be one of"),
        ('counter = "fund"', 'counter = "fond"', "scheme[1].stage[2].counter names the counter fond"),
        ('cap = "12000.00"', 'cap = "12,000"', "scheme[1].stage[2].cap should be an amount"),
        ('cap = "12000.00"', 'cup = "12000.00"', "scheme[1].stage[2].cup is not a key that is known here"),
        ('value = "65" }', 'value = "6.5%" }', "scheme[1].stage[2].rate[2].value should be a percentage"),
        (
            'level = "tertiary" }, value = "55"',
            'lvl = "tertiary" }, value = "55"',
            "scheme[1].stage[2].rate[3].when.lvl is not a",
        ),
        ("{ signed = true }", "{ signed = 1 }", "scheme[1].stage[2].rate[6].when.signed should be true or false"),
        ('kind = "rate"', 'kind = "discount"', "scheme[1].stage[2].kind should be one of"),
        ('insurance = "resident"', 'insurance = "student"', "scheme[3].insurance should be one of"),
    ],
)
def test_a_mistake_is_told_with_line_and_key(old: str, new: str, told: str) -> None:
    text, line = changed(old, new)

    [problem] = problems(text)
    assert problem.startswith(f"r.toml, line {line}: {told}")


def test_a_key_that_is_not_there_is_told_at_the_table_that_lacks_it_and_the_slip_at_its_line() -> None:
    text, line = changed("mutual = true", "mutal = true")
    table = text[: text.index("[[sharing]]")].count("\n") + 1
    assert problems(text) == [
        f"r.toml, line {table}: sharing[1].mutual is missing",
        f"r.toml, line {line}: sharing[1].mutal is not a key that is known here",
    ]


VERSION = """\
[[scheme]]
accumulate_by = "servise"
typo = 1
payers = { in_scope = ["historical", "nobody"], pre_self_pay = [], self_paid = "none" }
source = "BJ1"
grade = "Z"

[[scheme.stage]]
kind = "deductible"
scope = "yeer"
counter = "deductible"
amount = "1,800"

[[scheme.stage]]
kind = "rate"
counter = "fund"
axis = "fund"
band = [
  { up_to = 20000, rate = [{ when = { level = "clinic" }, value = "90" }, { value = "185" }] },
  { rate = [{ when = { age_below = "70" }, add = "x" }] },
]
"""


def test_all_that_is_written_wrong_in_a_version_is_told_at_once() -> None:
    with pytest.raises(BadRegionFile) as caught:
        load_version_text(VERSION, "scheme", ["primary"], ["fund", "deductible"], "r.toml")
    assert [(problem.line, problem.key, problem.code) for problem in caught.value.problems] == [
        (2, "scheme[1].accumulate_by", "not_one_of"),
        (3, "scheme[1].typo", "unknown_key"),
        (4, "scheme[1].payers.in_scope[2]", "not_one_of"),
        (4, "scheme[1].payers.self_paid", "wrong_type"),
        (6, "scheme[1].grade", "not_one_of"),
        # Whether a counter belongs to a deductible depends on its scope.
        (10, "scheme[1].stage[1].scope", "not_one_of"),
        (12, "scheme[1].stage[1].amount", "bad_amount"),
        (19, "scheme[1].stage[2].band[1].up_to", "bad_amount"),
        (19, "scheme[1].stage[2].band[1].rate[1].when.level", "not_one_of"),
        (19, "scheme[1].stage[2].band[1].rate[2].value", "bad_percent"),
        (20, "scheme[1].stage[2].band[2].rate[1].when.age_below", "wrong_type"),
        (20, "scheme[1].stage[2].band[2].rate[1].add", "bad_percent"),
    ]


def test_all_that_does_not_fit_together_is_told_at_once() -> None:
    text = """\
[[scheme]]
accumulate_by = "service"
payers = { in_scope = [], pre_self_pay = [], self_paid = [] }
source = "BJ1"
grade = "A"

[[scheme.stage]]
kind = "deductible"
scope = "year"
counter = "deductibel"
amount = [{ when = { status = "active" }, value = "1800.00" }]

[[scheme.stage]]
kind = "rate"
counter = "found"
rate = [{ value = "90" }, { add = "20" }]
"""
    with pytest.raises(BadRegionFile) as caught:
        load_version_text(text, "scheme", ["primary"], ["fund", "deductible"], "r.toml")
    assert [(problem.line, problem.code) for problem in caught.value.problems] == [
        (10, "unknown_counter"),
        (11, "no_value"),
        (15, "unknown_counter"),
        (16, "too_much"),
    ]


def test_all_that_is_wrong_in_sharing_rules_is_told_at_once() -> None:
    text = SHENYANG_TEXT[SHENYANG_TEXT.index("[[sharing]]") :].split("\n\n")[0]
    text = "\n".join(line for line in text.splitlines() if not line.startswith("valid_"))
    wrong = text.replace("same_region = true", 'same_region = "yes"').replace('keep = "0.00"', "keep = 0")
    wrong = wrong.replace('order = "single"', 'order = "youngest"') + "\nmore = 0\n"
    with pytest.raises(BadRegionFile) as caught:
        load_version_text(wrong, "sharing", [], [], "r.toml")
    keys = {problem.key.removeprefix("sharing[1].") for problem in caught.value.problems}
    assert keys == {"same_region", "keep", "order", "more"}


def test_an_unknown_counter_is_a_key_of_the_file() -> None:
    text, line = changed("deductible = {", "Deductible = {")
    assert problems(text)[0].startswith(f"r.toml, line {line}: counters.Deductible should be a name")


def test_a_hole_in_the_rows_is_told_at_their_key() -> None:
    text, line = changed('  { when = { level = "top" }, value = "50" },\n', "")
    [problem] = problems(text)

    assert "scheme[1].stage[2].rate has no row that fits: active, age 40, level top, signed false" in problem
    assert problem.startswith(f"r.toml, line {line - 4}: ")


def test_versions_of_one_scheme_do_not_overlap() -> None:
    schemes = ["[[scheme]]\n" + block for block in SHENYANG_TEXT.split("[[scheme]]\n")]
    [pharmacy] = [
        block for block in schemes if block.startswith('[[scheme]]\ninsurance = "employee"\nkind = "pharmacy"')
    ]
    last = len(schemes)  # the first of the list is what stands before them
    [told] = problems(f"{SHENYANG_TEXT}\n{pharmacy}")

    assert f"scheme[{last}].valid_from falls into the time of another version for the same purpose" in told


def test_a_version_may_begin_on_the_day_on_which_the_other_ends() -> None:
    text, _ = changed("valid_to = 2024-12-09", "valid_to = 2024-12-10")
    assert "sharing[2].valid_from falls into the time" in problems(text)[0]

    text, _ = changed("valid_to = 2024-12-09", "valid_to = 2024-12-08")
    assert len(load_region_text(text, "r.toml").sharing) == 2


def test_a_version_ends_after_it_begins() -> None:
    text, line = changed("valid_to = 2024-12-09", "valid_to = 2024-01-01")
    assert problems(text)[0].startswith(f"r.toml, line {line}: sharing[1].valid_to should be later")


def test_years_stand_in_order() -> None:
    text = file_of(SHANGHAI).read_text("utf-8").replace("first_year = 2020", "first_year = 2001")
    assert "benefit_year[2].first_year should be later than the one before" in problems(text)[0]


def test_all_mistakes_of_different_parts_are_told_at_once_in_the_order_of_the_file() -> None:
    text = SHENYANG_TEXT.replace('keep = "0.00"', "keep = 5").replace('kind = "pharmacy"', 'kind = "drugs"')
    told = problems(text)

    assert [problem.split(": ")[1].split(" ")[0] for problem in told] == [
        "sharing[1].keep",
        "sharing[2].keep",
        "scheme[2].kind",
        "scheme[3].kind",
    ]


def test_what_is_no_toml_is_told_with_its_line() -> None:
    text, line = changed("same_region = true", "same_region is true")
    assert problems(text)[0].startswith(f"r.toml, line {line}: TOML: ")


def test_an_empty_file() -> None:
    assert problems("") == ["r.toml: levels is missing"]


@settings(deadline=None)
@given(st.sampled_from(REGION_FILES), st.data())
def test_a_file_with_a_line_taken_out_loads_or_is_told(path: Path, data: st.DataObject) -> None:
    lines = path.read_text("utf-8").splitlines()
    gone = data.draw(st.integers(0, len(lines) - 1))
    try:
        found = load_region_text("\n".join(lines[:gone] + lines[gone + 1 :]), path.name)
    except BadRegionFile as error:
        assert all(problem.reason for problem in error.problems)
    else:
        assert found.code == path.stem


@pytest.mark.parametrize("path", REGION_FILES, ids=lambda path: path.name)
def test_the_line_of_every_key_holds_that_key(path: Path) -> None:
    text = path.read_text("utf-8")
    lines = text.splitlines()

    def look(value: object, place: tuple[str | int, ...]) -> None:
        if isinstance(value, dict):
            for key, below in value.items():
                look(below, (*place, key))
        elif isinstance(value, list):
            for at, below in enumerate(value):
                look(below, (*place, at))
        else:
            key = next(part for part in reversed(place) if isinstance(part, str))
            found = line_of(text, place)
            assert found is not None and key in lines[found - 1], place

    look(tomllib.loads(text), ())
