"""Clearing of a closed year: the bases that really arrived against what was credited ahead."""

import datetime

import pytest
from django.db import connection
from django.utils import translation

from accounts import reasons
from accounts.errors import Refused
from accounts.models import Enrolment, Message
from accounts.money import ZERO
from settlements.actions import care, clearing, credit_runs, leaving
from settlements.actions.opening import open_account
from settlements.models import Clearing, Contribution, ContributionFile
from settlements.queries.crediting import credited_years
from tests.people import make_institution, make_member, make_staff
from tests.settlements.rollover.world import at, faults, state_of, yuan
from tests.settlements.scene import region_of_file

FIRST = datetime.date(2025, 7, 1)
CLEARED = datetime.date(2026, 8, 3)


@pytest.fixture
def shanghai(db):
    return region_of_file()


def insured(region, base="10000.00", **more):
    member = make_member(region=region, base=base and yuan(base), **more)
    return member, open_account(member=member, region_id=region.pk, on=datetime.date(2025, 6, 1))


def arrived(region, member, base: str, months: list[datetime.date]):
    file, _ = ContributionFile.objects.get_or_create(
        region=region, month=FIRST, sha256=base, size=1, state="released", uploaded_at=at(FIRST)
    )
    Contribution.objects.bulk_create(
        Contribution(file=file, line=member.pk * 100 + n, member=member, month=month, base=yuan(base))
        for n, month in enumerate(months)
    )


def months(first: int, count: int) -> list[datetime.date]:
    """Months of the benefit year 2025, from its first-th on."""
    return clearing.months_of([(2001, 7, 1)], 2025)[first : first + count]


def credit(region, on=FIRST):
    credit_runs.credit_region(region=region, every="year", on=on)


def clear(region):
    run = clearing.plan(region=region, year=2025, by=make_staff("region_admin", region=region), at=at(CLEARED))
    run = credit_runs.release(run=run, by=make_staff("region_admin", region=region), at=at(CLEARED))
    while isinstance(step := credit_runs.work_next(run_id=run.pk), credit_runs.Done):
        done = step
    return done


def leave(member, why, day):
    row = Enrolment.objects.select_related("region", "member").filter(member=member).latest("valid_from")
    return leaving.leave(enrolment=row, why=why, on=day, at=at(day))


def test_short_is_topped_up_and_over_goes_back(shanghai):
    rising, up = insured(shanghai)
    falling, down = insured(shanghai)
    _, same = insured(shanghai)
    credit(shanghai)
    arrived(shanghai, rising, "12000.00", months(6, 6))
    arrived(shanghai, falling, "9000.00", months(0, 12))
    done = clear(shanghai)
    assert (done.accounts, done.amount, done.taken, done.debt) == (3, yuan("240.00"), yuan("240.00"), ZERO)
    assert state_of(up)[2] == yuan("2640.00")
    assert state_of(down)[2] == yuan("2160.00")
    assert state_of(same)[2] == yuan("2400.00")
    row = Clearing.objects.get(account=up)
    assert (row.months, row.base, row.due, row.credited) == (12, yuan("12000"), yuan("2640.00"), yuan("2400.00"))
    assert Message.objects.get().kind == "clearing_back"
    assert faults(CLEARED) == []


def test_cleared_again_nothing_moves_twice(shanghai):
    member, account = insured(shanghai)
    credit(shanghai)
    arrived(shanghai, member, "12000.00", months(0, 12))
    assert clear(shanghai).amount == yuan("480.00")
    assert clear(shanghai).amount == ZERO
    assert state_of(account)[2] == yuan("2880.00")


def test_who_left_and_came_back_owes_nothing_for_the_gap(shanghai):
    member, account = insured(shanghai)
    credit(shanghai)
    leave(member, "stopped", datetime.date(2025, 11, 3))
    row = Enrolment.objects.select_related("region", "member").filter(member=member).latest("valid_from")
    leaving.rejoin(enrolment=row, on=datetime.date(2026, 4, 14), at=at(datetime.date(2026, 4, 14)))
    credit(shanghai, datetime.date(2026, 4, 20))
    assert clear(shanghai).amount == ZERO
    assert Clearing.objects.get().months == 7
    assert state_of(account)[2] == yuan("1400.00")


def test_a_retired_years_sum_is_whole(shanghai):
    _, account = insured(
        shanghai, base=None, birth=datetime.date(1950, 1, 1), personal_status="retired",
        retired_on=datetime.date(2010, 1, 1),
    )  # fmt: skip
    credit(shanghai)
    assert clear(shanghai).amount == ZERO
    assert Clearing.objects.get().base is None
    assert state_of(account)[2] == yuan("1890.00")


def test_what_is_not_there_is_a_debt(shanghai):
    member, account = insured(shanghai)
    credit(shanghai)
    arrived(shanghai, member, "1000.00", months(0, 12))
    account.refresh_from_db()
    care.settle(
        patient=member,
        institution=make_institution(region=shanghai, kind="pharmacy"),
        bill=care.Bill(kind="pharmacy", level="primary", in_scope=yuan("2000.00")),
        on=datetime.date(2025, 9, 1),
        key="x",
    )
    done = clear(shanghai)
    assert (done.taken, done.debt) == (yuan("400.00"), yuan("1760.00"))
    assert state_of(account)[2:] == (ZERO, yuan("1760.00"))
    assert Message.objects.get().kind == "clearing_owed"
    assert faults(CLEARED) == []


def test_the_table_of_credits_adds_up_after_a_second_clearing_too(shanghai):
    rising, account = insured(shanghai)
    credit(shanghai)
    arrived(shanghai, rising, "12000.00", months(6, 6))
    clear(shanghai)
    arrived(shanghai, rising, "13000.00", months(6, 6))
    clear(shanghai)
    [row] = credited_years(account)
    assert (row.credited, row.cleared, row.clearing.due) == (yuan("2400.00"), yuan("360.00"), yuan("2760.00"))


def test_a_year_that_runs_and_a_second_plan_and_an_empty_year(shanghai):
    admin = make_staff("region_admin", region=shanghai)
    with pytest.raises(Refused, match="clearing_nobody"):
        clearing.plan(region=shanghai, year=2025, by=admin, at=at(CLEARED))
    insured(shanghai)
    credit(shanghai)
    with pytest.raises(Refused, match="year_not_over") as refused:
        clearing.plan(region=shanghai, year=2025, by=admin, at=at(datetime.date(2026, 6, 30)))
    # A rollover begins by itself when the year ends; a clearing does not.
    with translation.override("en"):
        assert "by itself" not in str(reasons.tell_refused(refused.value))
    run = clearing.plan(region=shanghai, year=2025, by=admin, at=at(CLEARED))
    with pytest.raises(Refused, match="clearing_open"):
        clearing.plan(region=shanghai, year=2025, by=admin, at=at(CLEARED))
    with pytest.raises(Refused, match="same_person"):
        credit_runs.release(run=run, by=admin)
    credit_runs.cancel(run=run, by=admin)
    assert clearing.plan(region=shanghai, year=2025, by=admin, at=at(CLEARED)).state == "planned"


def test_check_ledger_finds_one_fen_of_a_clearing(shanghai):
    rising, _account = insured(shanghai)
    credit(shanghai)
    arrived(shanghai, rising, "12000.00", months(6, 6))
    clear(shanghai)
    assert faults(CLEARED) == []
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE settlements_clearing DISABLE TRIGGER USER")
        cursor.execute("UPDATE settlements_clearing SET amount = amount + 0.01, due = due + 0.01")
    assert [fault.check.name for fault in faults(CLEARED)] == ["what was cleared and went back is what was booked"]
