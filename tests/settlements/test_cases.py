"""The visible scenario cases, through the real code and database."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from settlements.cases import playing
from settlements.cases.playing import differences, play
from settlements.cases.reading import VERBS, ScenarioCase, read_cases

CASES = Path(__file__).resolve().parent.parent / "cases"

pytestmark = pytest.mark.django_db

ALL = [case for path in sorted(CASES.glob("*.json")) for case in read_cases(path)]
PLAYABLE = [case for case in ALL if isinstance(case, ScenarioCase)]


def test_no_visible_case_is_malformed() -> None:
    assert [case for case in ALL if not isinstance(case, ScenarioCase)] == []
    assert len(PLAYABLE) >= 154


@pytest.mark.parametrize("case", PLAYABLE, ids=lambda case: case.id)
def test_case(case: ScenarioCase) -> None:
    given, balances = play(case)
    assert differences(case, given, balances) == []
    # What `--json` gives to another program: every field that the verb's expect can hold, and everybody's balances.
    for step, result in zip(case.steps, given, strict=True):
        assert set(result) == ({"refused"} if step.refused else set(VERBS[step.verb][2]))
    assert set(balances) == set(case.members)


def test_a_verb_that_is_not_built_is_reported_and_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(playing._Player, "_expire")
    case = next(case for case in PLAYABLE if any(step.verb == "expire" for step in case.steps))
    given, balances = play(case)
    assert [line for line in differences(case, given, balances) if "is not built yet" in line]


def write(tmp_path: Path, cases: object) -> Path:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(cases))
    return path


def visit(**fields: object) -> dict[str, object]:
    return {"patient": "A", "kind": "pharmacy", "level": "primary", "in_scope": "10.00", **fields}


def case(**changes: object) -> dict[str, object]:
    steps = [{"on": "2025-09-10", "visit": visit()}]
    return {"id": "X", "region": "310000", "members": {"A": {"historical": "4.00"}}, "steps": steps, **changes}


def test_a_wrong_expectation_fails_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = [{"on": "2025-09-10", "visit": visit(), "expect": {"cash": "6.01"}}]
    with pytest.raises(SystemExit):
        call_command("run_cases", write(tmp_path, [case(steps=steps), case(id="Y")]))
    printed = capsys.readouterr().out
    assert "FAIL X step 1: cash expected 6.01 got 6.00" in printed
    assert "ok Y" in printed
    assert "1 passed, 1 failed" in printed


def test_json_gives_what_came_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("run_cases", write(tmp_path, [case()]), "--json")
    assert json.loads(capsys.readouterr().out) == {
        "id": "X",
        "steps": [
            {
                "fund": "0.00",
                "current": "0.00",
                "historical": "4.00",
                "shared": {},
                "cash": "6.00",
                "deductible": "0.00",
                "supplement": "0.00",
            }
        ],
        "balances": {"A": {"current": "0.00", "historical": "0.00"}},
    }


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"steps": [{"on": "2025-09-10", "visit": visit(colour="red")}]}, "step 1: visit.colour is unknown"),
        ({"steps": [{"on": "2025-09-10", "visit": visit(in_scope="10.001")}]}, "step 1: visit.in_scope is no amount"),
        ({"steps": [{"on": "2025-09-10", "visit": visit(in_scope="-1.00")}]}, "step 1: visit.in_scope is no amount"),
        ({"steps": [{"on": "2025-09-10", "visit": visit(in_scope="１０.00")}]}, "step 1: visit.in_scope is no amount"),
        ({"steps": [{"on": "2025-02-30", "visit": visit()}]}, "step 1:.on"),
        ({"steps": [{"on": "2025-09-10", "visit": visit(patient="Z")}]}, "step 1: visit names nobody: Z"),
        ({"steps": [{"on": "2025-09-10", "dance": {}}]}, "not exactly one known verb"),
        ({"members": {"A": {"purse": "1.00"}}}, "members.A.purse is unknown"),
        ({"extra": 1}, "case.extra is unknown"),
    ],
)
def test_a_malformed_case_fails_by_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, object], complaint: str
) -> None:
    with pytest.raises(SystemExit):
        call_command("run_cases", write(tmp_path, [case(**change)]))
    assert complaint in capsys.readouterr().out


def test_an_unknown_region_is_a_failure_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("run_cases", write(tmp_path, [case(region="999999")]))
    assert "FAIL X region 999999 is not known" in capsys.readouterr().out


def test_every_verb_of_the_format_is_read() -> None:
    assert {"premium", "transfer", "accept", "expire"} < set(VERBS)
