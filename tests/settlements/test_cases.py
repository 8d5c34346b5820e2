"""The visible scenario cases, through the real code and database."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.models import Region
from family.models import SharingRules
from settlements.actions.regions import load, region_files
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


def grant(**changes: object) -> dict[str, object]:
    return {"grantor": "A", "beneficiary": "B", "relation": "spouse", "bound_on": "2025-01-01", **changes}


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
        ({"steps": [{"on": "2025-02-30", "visit": visit()}]}, "cases.json step 1: on day is out of range"),
        ({"steps": [{"on": "2025-09-10", "visit": visit(patient="Z")}]}, "step 1: visit names nobody: Z"),
        ({"steps": [{"on": "2025-09-10", "dance": {}}]}, "not exactly one known verb"),
        ({"members": {"A": {"purse": "1.00"}}}, "members.A.purse is unknown"),
        ({"extra": 1}, "case.extra is unknown"),
        (
            {"steps": [{"on": "2025-09-10", "visit": {"patient": "A", "kind": "outpatient", "in_scope": "1.00"}}]},
            "step 1: visit.level is missing",
        ),
        ({"steps": [{"on": "2025-W37-3", "visit": visit()}]}, "step 1: on is no date"),
        ({"steps": [{"at": "2025-09-10T10:00:00+01:00", "visit": visit()}]}, "step 1: at is no moment"),
        ({"steps": [{"on": "2025-09-10", "visit": visit(), "refused": "no_money"}]}, "step 1: refused is not one of"),
        (
            {"steps": [{"on": "2025-09-10", "visit": visit(), "refused": "closed", "expect": {}}]},
            "step 1: has both expect and refused",
        ),
        (
            {"steps": [{"on": "2026-07-01", "roll_over": {"year": 2025, "interest": {"rate": "0.65"}}}]},
            "step 1: roll_over.interest has the unknown key rate",
        ),
        (
            {"steps": [{"on": "2026-07-01", "roll_over": {"year": 2025, "interest": {"current_rate": "NaN"}}}]},
            "is no percentage",
        ),
        (
            {"steps": [{"on": "2025-09-10", "visit": visit()}, {"on": "2025-09-09", "visit": visit()}]},
            "step 2: is of a day before the step above it",
        ),
        ({"grants": [grant(beneficiary="A")]}, "grants[1].beneficiary is the grantor"),
        ({"grants": [grant(), grant()]}, "grants[2] is between two who have one"),
        ({"grants": [grant(uses=[])]}, "grants[1].uses is empty"),
        ({"grants": [grant(relation="parent_in_law")]}, "grants[1].relation is not one of"),
        ({"grants": [grant(grantor="Z")]}, "grants[1] names nobody: Z"),
        ({"balances": {"A": {"past": "0.00"}}}, "case.balances has the unknown key past"),
        (
            {"steps": [{"on": "1999-05-05", "visit": visit()}]},
            "cases.json step 1: on 1999-05-05 is before the first benefit year of 310000, 2001-04-01",
        ),
        ({"steps": [{"on": "9999-12-31", "visit": visit()}]}, "step 1: on is no date: '9999-12-31'"),
        ({"steps": []}, "case.steps is empty"),
        ({"members": {"A": {}, "B\0": {}}}, "case.members.'B\\x00' is no name"),
        ({"members": {"A": {}, "B\ud800": {}}}, "case.members.'B\\ud800' is no name"),
        ({"members": {"A": {}, "": {}}}, "case.members.'' is no name"),
        ({"members": {"A": {}, "B" * 61: {}}}, "is no name"),
        ({"steps": [{"on": "2025-09-10", "visit": visit(institution="H\0")}]}, "visit.institution is no text"),
        (
            {"steps": [{"on": "2026-07-01", "roll_over": {"year": 2025, "interest": {"current_rate": "20"}}}]},
            "step 1: roll_over.interest is no percentage: '20'",
        ),
        ({"balances": {"Z": {"current": "0.00"}}}, "case.balances names nobody: Z"),
    ],
)
def test_a_malformed_case_fails_by_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, object], complaint: str
) -> None:
    change.setdefault("members", {"A": {"historical": "4.00"}, "B": {}})
    with pytest.raises(SystemExit):
        call_command("run_cases", write(tmp_path, [case(**change)]))
    assert complaint in capsys.readouterr().out


def test_an_unknown_region_is_a_failure_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = [{"on": "2025-09-10", "region": "999998", "visit": visit()}]
    with pytest.raises(SystemExit):
        call_command("run_cases", write(tmp_path, [case(region="999999"), case(id="Y", steps=elsewhere)]))
    printed = capsys.readouterr().out
    assert "FAIL X cases.json case.region 999999 is not known" in printed
    assert "FAIL Y cases.json step 1: region 999998 is not known" in printed


def test_a_file_that_is_no_list_of_cases_is_a_failure_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in [
        ("a", b"{"),
        ("b", b"\xff"),
        ("c", b"[" * 100_000),
        ("d", b"{}"),
        ("e", b'[{"id": "\\ud800"}]'),
    ]:
        (tmp_path / f"{name}.json").write_bytes(content)
    (tmp_path / "f.json").write_bytes(b"\xef\xbb\xbf" + json.dumps([case()]).encode())
    with pytest.raises(SystemExit):
        call_command("run_cases", tmp_path)
    *lines, total = capsys.readouterr().out.splitlines()
    assert [line.split(" ")[1] for line in lines] == ["a.json", "b.json", "c.json", "d.json", "\\ud800", "X"]
    assert lines[4] == "FAIL \\ud800 e.json case.members is missing"
    assert (lines[5], total) == ("ok X", "1 passed, 5 failed")


def test_a_step_that_breaks_is_told_with_its_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(player: object, step: object) -> None:
        raise ZeroDivisionError("by nothing\nand more")

    monkeypatch.setattr(playing._Player, "_expire", broken)
    steps = [{"on": "2025-09-10", "visit": visit()}, {"on": "2025-09-10", "expire": {"transfer": "t"}}]
    with pytest.raises(SystemExit):
        call_command("run_cases", write(tmp_path, [case(steps=steps), case(id="Y")]))
    assert capsys.readouterr().out.splitlines() == [
        "FAIL X cases.json step 2: ZeroDivisionError: by nothing",
        "ok Y",
        "1 passed, 1 failed",
    ]


def test_every_verb_of_the_format_is_read() -> None:
    assert {"premium", "transfer", "accept", "expire"} < set(VERBS)


def played(tmp_path: Path, **changes: object) -> list[dict[str, object]]:
    """What each step of one case gave."""
    [read] = read_cases(write(tmp_path, [case(**changes)]))
    assert isinstance(read, ScenarioCase), read
    return play(read)[0]


CHILD = {"insurance": "resident", "birth": "2016-01-01"}
GRANT = {"grantor": "B", "beneficiary": "K", "relation": "child", "bound_on": "2025-01-01"}


def test_institutions_are_told_apart_by_their_whole_names(tmp_path: Path) -> None:
    """Zhengzhou's 40 yuan are borne once a day at one institution."""
    names = [
        f"The First People's Hospital of the City, {campus} Campus, {'far ' * 9}away" for campus in ("East", "West")
    ]
    steps = [
        {"on": "2025-09-10", "visit": visit(kind="outpatient", level="secondary", in_scope="100.00", institution=name)}
        for name in (*names, names[0])
    ]
    given = played(tmp_path, region="410100", steps=steps)
    assert [step["deductible"] for step in given] == ["40.00", "40.00", "0.00"]


def test_a_grant_lies_where_its_grantor_is_insured(tmp_path: Path) -> None:
    """Nobody in Wuhan unbinds within three months, whatever region the case itself is of."""
    pair = {"B": {"region": "420100"}, "K": {"region": "420100", **CHILD}}
    steps = [{"on": on, "unbind": {"grantor": "B", "beneficiary": "K"}} for on in ("2025-03-31", "2025-04-01")]
    given = played(tmp_path, region="110000", members=pair, grants=[GRANT], steps=steps)
    assert given == [{"refused": "too_early_to_unbind"}, {"effective": "2025-04-01"}]


def test_a_step_may_be_of_another_region(tmp_path: Path) -> None:
    steps = [
        {"on": "2025-12-31", "visit": visit(patient="B", in_scope="1.00")},
        {"on": "2026-01-01", "region": "330100", "roll_over": {"year": 2025}},
        {"on": "2026-01-01", "roll_over": {"year": 2025}},
    ]
    members = {"A": {"current": "8.00"}, "B": {"region": "330100", "current": "8.00"}}
    given = played(tmp_path, members=members, steps=steps)
    assert given[1]["moved"] == {"B": "7.00"}
    # Shanghai's year goes on to the end of June, and the reason is one that the format knows.
    assert given[2] == {"refused": "not_permitted"}


@pytest.mark.parametrize(
    ("step", "refused"),
    [
        ({"premium": {"payer": "B", "for": "K", "amount": "0.00"}}, "amount_too_small"),
        ({"bind": {"grantor": "B", "beneficiary": "B", "relation": "child"}}, "not_permitted"),
        ({"credit": {"member": "B", "for": "month"}}, "not_permitted"),
        ({"reorder": {"beneficiary": "K", "order": ["B", "B"]}}, "not_permitted"),
        ({"reverse": {"visit": "nobody's"}}, "not_permitted"),
        ({"accept": {"transfer": "nobody's"}}, "not_permitted"),
    ],
)
def test_whatever_is_refused_has_a_reason_of_the_format(tmp_path: Path, step: dict[str, object], refused: str) -> None:
    members = {"B": {"historical": "500.00"}, "K": CHILD}
    given = played(tmp_path, region="110000", members=members, grants=[GRANT], steps=[{"on": "2025-09-10", **step}])
    assert given == [{"refused": refused}]


def test_who_comes_back_on_the_first_day_of_a_year_gets_all_of_it(tmp_path: Path) -> None:
    year = {"credit": {"member": "A", "for": "year"}}
    left = {"on": "2025-05-31", "leave": {"member": "A", "why": "stopped"}}
    given = played(
        tmp_path,
        region="330200",
        members={"A": {"base": "10000.00"}},
        steps=[{"on": "2025-01-01", **year}, left, left, {"on": "2026-01-01", **year}, {"on": "2026-01-02", **year}],
    )
    assert given == [
        {"current": "2400.00", "historical": "0.00"},
        {"clawback": "1400.00"},
        {"refused": "duplicate"},
        {"current": "2400.00", "historical": "0.00"},
        {"refused": "duplicate"},
    ]


def test_a_step_that_was_refused_leaves_no_trace(tmp_path: Path) -> None:
    """Neither the institution that it named first, nor that somebody has come back."""
    steps = [
        {"on": "2025-02-10", "leave": {"member": "A", "why": "stopped"}},
        {"on": "2025-03-10", "credit": {"member": "A", "for": "year"}},
        {"on": "2025-03-11", "visit": visit(kind="outpatient", institution="H")},
        {"on": "2025-03-11", "visit": visit(institution="H", in_scope="1.00")},
        {"on": "2025-03-12", "credit": {"member": "A", "for": "month"}},
    ]
    given = played(tmp_path, region="330200", members={"A": {"historical": "1.00"}}, steps=steps)
    assert given[1:3] == [{"refused": "not_permitted"}, {"refused": "not_covered"}]
    assert given[3]["historical"] == "1.00"
    assert given[4] == {"refused": "suspended"}


def test_a_case_is_played_by_the_files_whatever_the_database_held(tmp_path: Path) -> None:
    load(path for path in region_files() if path.stem == "440300")
    Region.objects.filter(pk="440300").update(file_hash="older")
    for rules in SharingRules.objects.filter(region="440300"):
        rules.data["keep"] = "500.00"
        rules.save()
    given = played(
        tmp_path,
        region="440300",
        members={"B": {"historical": "500.00"}, "K": CHILD},
        grants=[GRANT],
        steps=[{"on": "2025-09-10", "visit": visit(patient="K")}],
    )
    assert given[0]["shared"] == {"B": "10.00"}


@pytest.mark.parametrize(
    ("on", "given"),
    [
        ("2022-09-30", {"refused": "not_permitted"}),
        ("2022-10-01", {"paid": {"B": {"current": "0.00", "historical": "380.00"}}}),
    ],
)
def test_shanghai_pays_premiums_from_the_fourth_quarter_of_2022(
    tmp_path: Path, on: str, given: dict[str, object]
) -> None:
    members = {"B": {"historical": "500.00"}, "K": CHILD}
    steps = [{"on": on, "premium": {"payer": "B", "for": "K", "amount": "380.00"}}]
    grants = [{**GRANT, "bound_on": "2022-07-01"}]
    assert played(tmp_path, members=members, grants=grants, steps=steps) == [given]


def test_who_is_not_insured_has_nothing_to_share(tmp_path: Path) -> None:
    """As everywhere else; a resident, who is insured but has no account, is not permitted to."""
    members = {"N": {"insurance": "none"}, "R": {"insurance": "resident"}, "K": CHILD}
    steps = [{"on": "2025-09-10", "bind": {"grantor": name, "beneficiary": "K", "relation": "child"}} for name in "NR"]
    assert played(tmp_path, members=members, steps=steps) == [{"refused": "not_insured"}, {"refused": "not_permitted"}]


@pytest.mark.parametrize(("care", "shared"), [("2023-09-30", "221.85"), ("2023-10-01", "300.00")])
def test_an_old_bill_has_the_sharing_rules_of_its_day_of_care(tmp_path: Path, care: str, shared: str) -> None:
    """Shenzhen's threshold of 7,778.15 holds to 30 September 2023 (domain.md 5, number 37: old bills use old rules)."""
    bill = visit(patient="K", in_scope="300.00", service_on=care)
    given = played(
        tmp_path,
        region="440300",
        members={"B": {"historical": "8000.00"}, "K": CHILD},
        grants=[{**GRANT, "bound_on": "2023-02-05"}],
        steps=[{"on": "2023-10-05", "visit": bill}],
    )
    assert given[0]["shared"] == {"B": shared}


def test_a_resident_uses_up_what_is_left_from_employment_before_his_relatives(tmp_path: Path) -> None:
    given = played(
        tmp_path,
        region="110000",
        members={"B": {"historical": "500.00"}, "K": {"insurance": "resident", "historical": "4.00"}},
        grants=[GRANT],
        steps=[{"on": "2025-09-10", "visit": visit(patient="K")}],
    )
    assert (given[0]["historical"], given[0]["shared"]) == ("4.00", {"B": "6.00"})
    # He lets nobody else use it: that is for employees.
    back = [{"on": "2025-09-10", "bind": {"grantor": "K", "beneficiary": "B", "relation": "spouse"}}]
    people = {"B": {}, "K": {"insurance": "resident", "historical": "4.00"}}
    assert played(tmp_path, region="110000", members=people, steps=back) == [{"refused": "not_permitted"}]
