import datetime
import re

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from accounts.enums import Role
from accounts.errors import Refused
from accounts.models import AuditEvent
from casework.actions import cases
from casework.models import Case, CaseEvent, WorkingDayException
from casework.policies import had_a_hand
from tests.casework.conftest import AT
from tests.people import is_also, make_region, make_staff


def step(case, verb, by, role, **more):
    return cases.move(case=case, verb=verb, by=by, role=role, at=AT, **more)


def code_of(refused) -> str:
    return refused.value.code


def test_a_case_from_the_window_to_the_second_check(people, errand, open_errand) -> None:
    case = open_errand()
    case = step(case, "submit", people.clerk, "clerk")
    case = step(case, "approve", people.supervisor, "supervisor", note="fits")

    case = Case.objects.get(pk=case.pk)
    assert (case.state, case.version, case.checked_by, case.checked_at, case.closed_at) == (
        "granted",
        2,
        people.supervisor,
        AT,
        AT,
    )
    lines = case.events.values_list("verb", "from_state", "to_state", "actor_role", "note")
    assert list(lines) == [
        ("open", "", "draft", "clerk", ""),
        ("submit", "draft", "review", "clerk", ""),
        ("approve", "review", "granted", "supervisor", "fits"),
    ]
    assert errand.calls == [
        ("submit", "draft", "review"),
        ("check", "review"),
        ("granted", "granted"),
        ("approve", "review", "granted"),
    ]


def test_each_step_is_in_the_audit_log_with_whom_it_was_for(people, open_errand) -> None:
    case = step(open_errand(), "submit", people.clerk, "clerk")

    line = AuditEvent.objects.get(action="case_submit")
    assert (line.member_id, line.on_behalf_of_id, line.actor_id) == (
        people.holder.member_id,
        people.holder.member_id,
        people.clerk.pk,
    )
    assert line.target == f"case {case.number}"
    assert line.details == {"kind": "errand", "from": "draft", "to": "review", "role": "clerk"}


def test_a_number_can_be_read_out(people, open_errand) -> None:
    numbers = {open_errand().number for _ in range(20)}
    assert len(numbers) == 20
    assert all(re.fullmatch("[2-9A-HJ-NP-Z]{8}", number) for number in numbers)


def test_due_in_five_working_days(people, open_errand) -> None:
    assert step(open_errand(), "submit", people.clerk, "clerk").due_on == datetime.date(2026, 11, 27)

    WorkingDayException.objects.create(day=datetime.date(2026, 11, 25), is_working=False)
    WorkingDayException.objects.create(day=datetime.date(2026, 11, 22), is_working=True)
    WorkingDayException.objects.create(day=datetime.date(2026, 11, 28), is_working=True)
    WorkingDayException.objects.create(day=datetime.date(2026, 11, 26), is_working=False)
    assert step(open_errand(), "submit", people.clerk, "clerk").due_on == datetime.date(2026, 11, 28)


def test_the_calendar_of_2026_is_the_announced_one(db) -> None:
    days = dict(WorkingDayException.objects.filter(day__year=2026).values_list("day", "is_working"))
    assert sum(not working for working in days.values()) == 19
    assert sorted(str(day) for day, working in days.items() if working) == [
        "2026-01-04",
        "2026-02-14",
        "2026-02-28",
        "2026-05-09",
        "2026-09-20",
        "2026-10-10",
    ]
    # A row is only there where it says something else than the weekday.
    assert all(working == (day.weekday() >= 5) for day, working in days.items())


class TestFourEyes:
    def test_who_opened_it(self, people, open_errand) -> None:
        both = make_staff(Role.CLERK, region=people.region)
        both.role_assignments.create(role=Role.SUPERVISOR, region=people.region)
        case = step(open_errand(by=both), "submit", both, "clerk")
        for verb in ("approve", "return", "refuse"):
            with pytest.raises(Refused) as refused:
                step(case, verb, both, "supervisor")
            assert code_of(refused) == "own_case"
        case.refresh_from_db()
        assert case.state == "review"

    def test_who_amended_it(self, people, open_errand) -> None:
        both = make_staff(Role.CLERK, region=people.region)
        both.role_assignments.create(role=Role.SUPERVISOR, region=people.region)
        case = step(open_errand(), "submit", people.clerk, "clerk")
        case = step(case, "amend", both, "clerk")
        case = step(case, "submit", people.clerk, "clerk")
        with pytest.raises(Refused) as refused:
            step(case, "approve", both, "supervisor")
        assert code_of(refused) == "own_case"

    @pytest.mark.parametrize("side", ["holder", "spouse"])
    def test_whom_it_is_about(self, people, errand, open_errand, side) -> None:
        errand.about = [people.spouse.member_id]
        supervisor = is_also(people.supervisor, getattr(people, side).member)
        case = step(open_errand(), "submit", people.clerk, "clerk")
        for verb in ("approve", "return", "refuse"):
            with pytest.raises(Refused) as refused:
                step(case, verb, supervisor, "supervisor")
            assert code_of(refused) == "own_case"
        assert had_a_hand(supervisor, case)

    def test_a_clerk_does_not_serve_himself(self, people, errand, open_errand) -> None:
        begun = open_errand()
        clerk = is_also(make_staff(Role.CLERK, region=people.region), people.holder.member)
        with pytest.raises(Refused) as refused:
            open_errand(by=clerk)
        assert code_of(refused) == "own_case"
        with pytest.raises(Refused) as refused:
            step(begun, "submit", clerk, "clerk")
        assert code_of(refused) == "own_case"

    def test_staff_of_whom_the_register_knows_nothing(self, people, open_errand) -> None:
        people.supervisor.person_index = "0" * 64
        case = step(open_errand(), "submit", people.clerk, "clerk")
        assert step(case, "approve", people.supervisor, "supervisor").state == "granted"

    def test_the_database_holds_it_too(self, people, open_errand) -> None:
        case = open_errand()
        with pytest.raises(IntegrityError, match="case_checker_is_not_maker"), transaction.atomic():
            Case.objects.filter(pk=case.pk).update(checked_by=people.clerk, checked_at=AT)


def test_an_amendment_voids_the_check(people, open_errand) -> None:
    case = step(open_errand(), "submit", people.clerk, "clerk")
    case = step(case, "return", people.supervisor, "supervisor", note="name")
    assert (case.checked_by, case.reason) == (people.supervisor, "name")

    case = step(case, "amend", people.clerk, "clerk")
    assert (case.checked_by, case.checked_at, case.state) == (None, None, "returned")


def test_somebody_else_was_faster(people, open_errand) -> None:
    seen = step(open_errand(), "submit", people.clerk, "clerk")
    step(seen, "return", people.supervisor, "supervisor", note="x")
    for case, more in ((seen, {}), (Case.objects.get(pk=seen.pk), {"version": seen.version})):
        with pytest.raises(Refused) as refused:
            step(case, "approve", people.supervisor, "supervisor", **more)
        assert code_of(refused) == "stale"


@pytest.mark.parametrize(
    ("verb", "who", "role"),
    [
        ("approve", "clerk", "supervisor"),
        ("submit", "supervisor", "clerk"),
        ("submit", "stranger", "applicant"),
        ("submit", "stranger", "clerk"),
        ("withdraw", "spouse", "applicant"),
        ("consent", "stranger", "relative"),
        ("consent", "holder", "relative"),
        ("submit", "auditor", "clerk"),
        ("expire", "holder", "system"),
        ("submit", "holder", "somebody"),
    ],
)
def test_a_role_must_be_ones_own(people, open_errand, verb, who, role) -> None:
    case = open_errand()
    with pytest.raises(PermissionDenied):
        step(case, verb, getattr(people, who), role)
    assert case.events.count() == 1


def test_staff_of_another_region(people, open_errand) -> None:
    elsewhere = make_staff(Role.SUPERVISOR, region=make_region("110000"))
    case = step(open_errand(), "submit", people.clerk, "clerk")
    with pytest.raises(PermissionDenied):
        step(case, "approve", elsewhere, "supervisor")


def test_nobody_opens_a_case_for_a_stranger(people, errand, open_errand) -> None:
    with pytest.raises(PermissionDenied):
        open_errand(by=people.stranger, role="applicant")
    assert not Case.objects.exists()


def test_a_step_that_does_not_fit(people, open_errand) -> None:
    with pytest.raises(Refused) as refused:
        step(open_errand(), "approve", people.supervisor, "supervisor")
    assert (code_of(refused), refused.value.params) == ("not_in_this_state", {"state": "draft", "verb": "approve"})


def test_the_kind_may_refuse_at_the_check_and_at_the_grant(people, errand, open_errand) -> None:
    case = step(open_errand(), "submit", people.clerk, "clerk")
    for name in ("refuse_check", "refuse_grant"):
        setattr(errand, name, True)
        with pytest.raises(Refused):
            step(case, "approve", people.supervisor, "supervisor")
        setattr(errand, name, False)
    case.refresh_from_db()
    assert (case.state, case.version, case.events.count(), case.checked_by) == ("review", 1, 2, None)


def test_step_timeline_and_audit_line_stand_or_fall_together(people, open_errand, monkeypatch) -> None:
    case = open_errand()

    def broken(**_kwargs):
        raise RuntimeError("no audit")

    monkeypatch.setattr(cases.audit, "record", broken)
    with pytest.raises(RuntimeError):
        step(case, "submit", people.clerk, "clerk")
    case.refresh_from_db()
    assert (case.state, case.events.count()) == ("draft", 1)


def test_the_timeline_is_never_changed(people, open_errand) -> None:
    case = open_errand()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        CaseEvent.objects.filter(case=case).update(verb="approve")
    with pytest.raises((IntegrityError, ProtectedError)), transaction.atomic():
        case.events.all().delete()


def test_an_unknown_kind_is_not_opened(people) -> None:
    with pytest.raises(KeyError):
        cases.open_case(
            kind="nothing",
            applicant=people.holder.member,
            region=people.region,
            by=people.clerk,
            role="clerk",
            at=AT,
        )
