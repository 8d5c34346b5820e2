"""Runs of crediting through the real actions: everybody once, joiners for their months, a killed worker harmless."""

import datetime

import pytest

from accounts.errors import Refused
from accounts.models import AuditEvent, Enrolment
from accounts.money import ZERO
from settlements.actions import credit_runs, crediting, leaving
from settlements.actions.opening import open_account
from settlements.models import Credit, CreditChunk, CreditRun, LedgerTransaction, PersonalAccount
from tests.people import make_member, make_staff
from tests.settlements.rollover.world import at, faults, state_of, yuan
from tests.settlements.scene import BEIJING, region_of_file

FIRST = datetime.date(2025, 7, 1)
BEFORE = datetime.date(2025, 6, 1)


def insured(region, base="10000.00", since=datetime.date(2020, 1, 1), opened=BEFORE, **more):
    member = make_member(region=region, base=base and yuan(base), valid_from=since, **more)
    return member, open_account(member=member, region_id=region.pk, on=opened)


def enrolment_of(member) -> Enrolment:
    return Enrolment.objects.select_related("region", "member").filter(member=member).latest("valid_from")


def work(run) -> list[credit_runs.Done]:
    done = []
    while isinstance(step := credit_runs.work_next(run_id=run.pk), credit_runs.Done):
        done.append(step)
    return done


@pytest.fixture
def shanghai(db):
    return region_of_file()


@pytest.fixture
def beijing(db):
    return region_of_file(BEIJING)


def test_the_month_in_beijing_for_working_and_retired(beijing):
    _, working = insured(beijing)
    _, retired = insured(
        beijing, base=None, birth=datetime.date(1950, 1, 1), personal_status="retired",
        retired_on=datetime.date(2010, 1, 1),
    )  # fmt: skip
    stopped, idle = insured(beijing, status="suspended")
    run = credit_runs.begin(region=beijing, every="month", on=datetime.date(2025, 12, 5))
    [done] = work(run)
    assert (done.accounts, done.amount) == (2, yuan("310.00"))
    assert state_of(working)[2] == yuan("200.00")
    assert state_of(retired)[2] == yuan("110.00")
    assert state_of(idle)[2] == ZERO
    run.refresh_from_db()
    assert run.state == "done"
    assert [event.action for event in AuditEvent.objects.order_by("pk")] == ["crediting.begin", "crediting.finish"]
    assert faults(datetime.date(2025, 12, 5)) == []


def test_nobody_is_due_twice_and_a_run_without_work_is_none(beijing):
    insured(beijing)
    day = datetime.date(2025, 12, 5)
    work(credit_runs.begin(region=beijing, every="month", on=day))
    assert credit_runs.begin(region=beijing, every="month", on=day + datetime.timedelta(days=3)) is None
    assert CreditRun.objects.count() == 1
    assert credit_runs.begin(region=beijing, every="month", on=datetime.date(2026, 1, 5)) is not None


def test_an_open_run_is_given_instead_of_a_second(beijing):
    insured(beijing)
    day = datetime.date(2025, 12, 5)
    assert credit_runs.begin(region=beijing, every="month", on=day) == credit_runs.begin(
        region=beijing, every="month", on=day
    )


def test_who_joins_in_the_year_is_credited_from_that_month(shanghai):
    _, early = insured(shanghai)
    newcomer, late = insured(shanghai, since=datetime.date(2026, 2, 17), opened=datetime.date(2026, 2, 17))
    work(credit_runs.begin(region=shanghai, every="year", on=FIRST))
    assert (state_of(early)[1], state_of(late)[1]) == (yuan("2400.00"), ZERO)
    # Found three weeks later: February to June all the same.
    work(credit_runs.begin(region=shanghai, every="year", on=datetime.date(2026, 3, 10)))
    assert state_of(late)[1] == yuan("1000.00")
    left = leaving.leave(
        enrolment=enrolment_of(newcomer), why="moved", on=datetime.date(2026, 4, 2), at=at(datetime.date(2026, 4, 2))
    )
    assert left.clawback == yuan("600.00")
    assert faults(datetime.date(2026, 4, 2)) == []


def test_a_new_base_is_no_joining(shanghai):
    member, account = insured(shanghai)
    row = enrolment_of(member)
    row.valid_to = datetime.date(2025, 9, 1)
    row.save()
    row.pk, row.valid_from, row.valid_to, row.base = None, datetime.date(2025, 9, 1), None, yuan("11000.00")
    row._state.adding = True
    row.save()
    work(credit_runs.begin(region=shanghai, every="year", on=datetime.date(2025, 10, 2)))
    assert state_of(account)[1] == yuan("2640.00")


def test_who_came_back_is_credited_the_rest_by_the_next_run(shanghai):
    member, account = insured(shanghai)
    work(credit_runs.begin(region=shanghai, every="year", on=FIRST))
    day = datetime.date(2025, 11, 3)
    leaving.leave(enrolment=enrolment_of(member), why="stopped", on=day, at=at(day))
    assert credit_runs.begin(region=shanghai, every="year", on=datetime.date(2026, 1, 2)) is None
    back = datetime.date(2026, 4, 14)
    leaving.rejoin(enrolment=enrolment_of(member), on=back, at=at(back))
    work(credit_runs.begin(region=shanghai, every="year", on=datetime.date(2026, 4, 20)))
    # July to October, and April to June.
    assert state_of(account)[1] == yuan("1400.00")
    assert set(Credit.objects.values_list("period", flat=True)) == {"2025", "2025.2"}
    assert faults(datetime.date(2026, 4, 20)) == []


def test_an_account_that_came_credited_is_left_alone(shanghai):
    member = make_member(region=shanghai, base=yuan("10000.00"))
    account = open_account(
        member=member, region_id=shanghai.pk, on=datetime.date(2025, 10, 1), current=yuan("900.00")
    )  # fmt: skip
    assert credit_runs.begin(region=shanghai, every="year", on=datetime.date(2025, 10, 2)) is None
    assert state_of(account)[1] == yuan("900.00")


def test_a_debt_is_repaid_first(beijing):
    member = make_member(region=beijing, base=yuan("10000.00"))
    account = open_account(member=member, region_id=beijing.pk, on=BEFORE, debt=yuan("150.00"))
    work(credit_runs.begin(region=beijing, every="month", on=datetime.date(2025, 12, 5)))
    assert state_of(account)[1:] == (ZERO, yuan("50.00"), ZERO)
    assert faults(datetime.date(2025, 12, 5)) == []


def test_an_account_behind_is_rolled_before_it_is_credited(shanghai):
    member = make_member(region=shanghai, base=yuan("10000.00"))
    account = open_account(member=member, region_id=shanghai.pk, on=BEFORE, current=yuan("30.00"))
    work(credit_runs.begin(region=shanghai, every="year", on=FIRST))
    assert state_of(account) == (2025, yuan("2400.00"), yuan("30.00"), ZERO)
    assert faults(FIRST) == []


def test_a_chunk_killed_in_the_middle_is_done_again_whole(beijing, monkeypatch):
    monkeypatch.setattr(credit_runs, "CHUNK", 2)
    accounts = [insured(beijing)[1] for _ in range(5)]
    run = credit_runs.begin(region=beijing, every="month", on=datetime.date(2025, 12, 5))
    assert run.chunks.count() == 3
    assert isinstance(credit_runs.work_next(run_id=run.pk), credit_runs.Done)
    real = credit_runs.post_many

    def killed(**facts):
        real(**facts)
        raise KeyboardInterrupt

    monkeypatch.setattr(credit_runs, "post_many", killed)
    with pytest.raises(KeyboardInterrupt):
        credit_runs.work_next(run_id=run.pk)
    monkeypatch.setattr(credit_runs, "post_many", real)
    assert (Credit.objects.count(), run.chunks.filter(done=True).count()) == (2, 1)
    work(run)
    assert [state_of(account)[2] for account in accounts] == [yuan("200.00")] * 5
    assert LedgerTransaction.objects.filter(scope="credit-run").count() == 3
    assert faults(datetime.date(2025, 12, 5)) == []


def test_a_run_is_paused_and_goes_on(beijing):
    insured(beijing)
    admin = make_staff("region_admin", region=beijing)
    run = credit_runs.begin(region=beijing, every="month", on=datetime.date(2025, 12, 5))
    credit_runs.pause(run=run, by=admin)
    assert credit_runs.work_next(run_id=run.pk) == credit_runs.Outcome.STOPPED
    with pytest.raises(Refused, match="credit_run_state"):
        credit_runs.pause(run=run, by=admin)
    credit_runs.resume(run=run, by=admin)
    assert len(work(run)) == 1


def test_a_region_without_a_rule_is_refused(beijing):
    with pytest.raises(Refused, match="not_covered"):
        credit_runs.begin(region=beijing, every="month", on=datetime.date(2020, 1, 5))


def test_who_was_credited_alone_meanwhile_is_passed_over(beijing):
    member, account = insured(beijing)
    insured(beijing)
    day = datetime.date(2025, 12, 5)
    run = credit_runs.begin(region=beijing, every="month", on=day)
    crediting.credit(enrolment=enrolment_of(member), every="month", on=day)
    [done] = work(run)
    assert done.accounts == 1
    assert state_of(account)[2] == yuan("200.00")
    assert CreditChunk.objects.get().done
    assert PersonalAccount.objects.count() == 2
