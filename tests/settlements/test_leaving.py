"""Leaving through the real actions: what was credited ahead goes back, what is not there is owed, grants end by rule."""

import datetime

import pytest
from django.db import DatabaseError, transaction

from accounts.enums import EnrolmentStatus
from accounts.errors import Refused
from accounts.models import AuditEvent, Enrolment, Message
from accounts.money import ZERO
from family.models import SharingGrant
from settlements import ledger
from settlements.actions import credit_runs, crediting, leaving
from settlements.actions.opening import open_account
from settlements.models import Clawback, CreditRule, LedgerTransaction
from tests.people import make_member
from tests.settlements.rollover.world import at, faults, state_of, yuan
from tests.settlements.scene import make_scene, region_of_file, share

YEAR_BEGINS = datetime.date(2025, 7, 1)
BEFORE = datetime.date(2025, 6, 1)


@pytest.fixture
def region(db):
    return region_of_file()


@pytest.fixture
def worker(region):
    """A worker of Shanghai with a base of 10,000, credited 2,400 on the first day of the year."""
    member = make_member(region=region, base=yuan("10000.00"))
    account = open_account(member=member, region_id=region.pk, on=BEFORE)
    crediting.credit(enrolment=enrolment_of(member), every=crediting.YEAR, on=YEAR_BEGINS)
    return member, account


def enrolment_of(member) -> Enrolment:
    return Enrolment.objects.select_related("region", "member").filter(member=member).latest("valid_from")


def leave(member, why: str, day: datetime.date, entered: datetime.date | None = None):
    return leaving.leave(enrolment=enrolment_of(member), why=why, on=day, at=at(entered or day, 12))


def statuses(member) -> list[tuple[str, datetime.date, datetime.date | None]]:
    rows = Enrolment.objects.filter(member=member).order_by("valid_from")
    return list(rows.values_list("status", "valid_from", "valid_to"))


def test_who_stops_is_suspended_from_the_first_of_the_next_month(worker):
    member, account = worker
    left = leave(member, "stopped", datetime.date(2026, 2, 10))
    # February to June: five months of 200.
    assert (left.current, left.historical, left.debt) == (yuan("1000.00"), ZERO, ZERO)
    assert state_of(account) == (2025, yuan("1400.00"), ZERO, ZERO)
    march = datetime.date(2026, 3, 1)
    assert statuses(member) == [
        ("normal", datetime.date(2020, 1, 1), march),
        ("suspended", march, None),
    ]
    assert Message.objects.get(member=member).kind == "clawback"
    assert AuditEvent.objects.get(action="enrolment_left_stopped").member_id == member.pk
    assert faults(datetime.date(2026, 3, 1)) == []


def test_the_same_leaving_again_gives_the_first_answer(worker):
    member, account = worker
    enrolment = enrolment_of(member)
    day = datetime.date(2026, 2, 10)
    first = leaving.leave(enrolment=enrolment, why="stopped", on=day, at=at(day))
    again = leaving.leave(enrolment=enrolment, why="stopped", on=day, at=at(day, 20))
    assert again == first
    assert state_of(account)[1] == yuan("1400.00")
    assert Message.objects.filter(member=member).count() == 1
    assert LedgerTransaction.objects.filter(kind="clearing").count() == 1


def test_who_came_back_may_leave_on_the_same_day_once_more(worker):
    member, account = worker
    enrolment, day, back = enrolment_of(member), datetime.date(2026, 2, 10), datetime.date(2026, 2, 20)
    first = leaving.leave(enrolment=enrolment, why="stopped", on=day, at=at(day))
    leaving.rejoin(enrolment=enrolment, on=back, at=at(back))
    credited = crediting.credit(enrolment=enrolment_of(member), every="year", on=back)
    again = [leaving.leave(enrolment=enrolment, why="stopped", on=day, at=at(back, hour)) for hour in (12, 20)]
    assert first.clawback == yuan("1000.00")
    assert [one.clawback for one in again] == [credited.current] * 2
    assert statuses(member)[-1] == ("suspended", datetime.date(2026, 3, 1), None)
    assert state_of(account)[1] == yuan("1400.00")
    assert AuditEvent.objects.filter(action="enrolment_left_stopped").count() == 2
    assert faults(back) == []


def test_a_refusal_holds_until_it_is_otherwise(worker):
    member, _ = worker
    enrolment, day, back = enrolment_of(member), datetime.date(2026, 2, 10), datetime.date(2026, 3, 10)
    leave(member, "stopped", day)
    suspended = enrolment_of(member)
    for hour in (12, 20):
        with pytest.raises(Refused, match="suspended"):
            leaving.leave(enrolment=suspended, why="stopped", on=back, at=at(back, hour))
    leaving.rejoin(enrolment=suspended, on=datetime.date(2026, 3, 1), at=at(back))
    leaving.leave(enrolment=suspended, why="stopped", on=back, at=at(back, 21))
    assert statuses(member)[-1] == ("suspended", datetime.date(2026, 4, 1), None)
    assert enrolment.pk != suspended.pk


def test_who_has_stopped_does_not_stop_again(worker):
    member, _ = worker
    leave(member, "stopped", datetime.date(2026, 2, 10))
    with pytest.raises(Refused, match="suspended"):
        leave(member, "stopped", datetime.date(2026, 4, 10))


def test_a_death_ends_grants_and_closes_from_the_day(db):
    scene = make_scene(on=datetime.date(2026, 2, 20))
    left = leave(scene.daughter.member, "died", datetime.date(2026, 2, 10), datetime.date(2026, 2, 20))
    # Taken over with balances in the year: credited elsewhere by the same rule, five months of 240 go back.
    assert left.clawback == yuan("1200.00")
    grant = SharingGrant.objects.get()
    assert (grant.ends_on, grant.end_reason) == (datetime.date(2026, 2, 10), "died")
    member = scene.daughter.member
    member.refresh_from_db()
    assert member.died_on == datetime.date(2026, 2, 10)
    assert statuses(member)[-1] == (EnrolmentStatus.CLOSED, datetime.date(2026, 2, 10), None)
    assert not Message.objects.filter(member=member).exists()
    with pytest.raises(Refused, match="closed"):
        crediting.credit(enrolment=enrolment_of(member), every="year", on=datetime.date(2026, 2, 20))


def test_stopping_ends_no_grant(db):
    scene = make_scene(on=datetime.date(2026, 2, 20))
    leave(scene.daughter.member, "stopped", datetime.date(2026, 2, 20))
    assert SharingGrant.objects.get().ends_on is None


def test_a_death_after_stopping_takes_nothing_twice(worker):
    member, account = worker
    leave(member, "stopped", datetime.date(2026, 2, 10))
    assert leave(member, "died", datetime.date(2026, 4, 2)).clawback == ZERO
    assert state_of(account)[1] == yuan("1400.00")
    assert Clawback.objects.count() == 1


def test_a_death_reported_after_the_year_takes_the_closed_years_part_from_where_it_went(worker):
    member, account = worker
    crediting.credit(enrolment=enrolment_of(member), every="year", on=datetime.date(2026, 7, 1))
    left = leave(member, "died", datetime.date(2026, 5, 20), datetime.date(2026, 9, 1))
    # May and June of the closed year, and the whole of the new one.
    assert (left.historical, left.current, left.debt) == (yuan("400.00"), yuan("2400.00"), ZERO)
    assert state_of(account) == (2026, ZERO, yuan("2000.00"), ZERO)
    assert faults(datetime.date(2026, 9, 1)) == []


def test_back_in_the_same_year_the_rest_is_credited_and_may_go_back_again(worker):
    member, account = worker
    leave(member, "stopped", datetime.date(2025, 11, 3))
    row = leaving.rejoin(
        enrolment=enrolment_of(member), on=datetime.date(2026, 4, 14), at=at(datetime.date(2026, 4, 14))
    )
    assert (row.status, row.valid_from) == ("normal", datetime.date(2026, 4, 14))
    credited = crediting.credit(enrolment=row, every="year", on=datetime.date(2026, 4, 14))
    assert credited.current == yuan("600.00")
    with pytest.raises(Refused, match="duplicate"):
        crediting.credit(enrolment=row, every="year", on=datetime.date(2026, 4, 15))
    assert leave(member, "stopped", datetime.date(2026, 6, 2)).clawback == yuan("200.00")
    assert state_of(account)[1] == yuan("1200.00")
    assert faults(datetime.date(2026, 6, 2)) == []


def test_back_before_the_suspension_begins_nothing_was_ever_suspended(worker):
    member, _ = worker
    leave(member, "stopped", datetime.date(2026, 2, 10))
    row = leaving.rejoin(
        enrolment=enrolment_of(member), on=datetime.date(2026, 2, 20), at=at(datetime.date(2026, 2, 20))
    )
    assert row.status == "normal"
    assert {status for status, _, _ in statuses(member)} == {"normal"}


def test_who_has_died_does_not_come_back(worker):
    member, _ = worker
    leave(member, "died", datetime.date(2026, 2, 10))
    with pytest.raises(Refused, match="closed"):
        leaving.rejoin(enrolment=enrolment_of(member), on=datetime.date(2026, 3, 1), at=at(datetime.date(2026, 3, 1)))


def test_a_day_to_come_is_refused(worker):
    member, account = worker
    with pytest.raises(Refused, match="day_to_come"):
        leave(member, "moved", datetime.date(2026, 2, 10), datetime.date(2026, 2, 9))
    assert state_of(account)[1] == yuan("2400.00")
    assert statuses(member) == [("normal", datetime.date(2020, 1, 1), None)]


def test_a_resident_has_nothing_to_give_back(region):
    member = make_member(region=region, insurance="resident")
    grantor = make_member(region=region)
    share(grantor, member, "child", region, datetime.date(2025, 9, 1))
    assert leave(member, "moved", datetime.date(2026, 2, 10)).clawback == ZERO
    assert SharingGrant.objects.get().end_reason == "moved"
    assert statuses(member)[-1][0] == "closed"


def test_what_went_back_cannot_be_taken_out(worker):
    member, _ = worker
    leave(member, "stopped", datetime.date(2026, 2, 10))
    for change in (lambda: Clawback.objects.all().delete(), lambda: Clawback.objects.update(amount=1)):
        with pytest.raises(DatabaseError, match="append"), transaction.atomic():
            change()


def test_money_spent_is_owed_until_the_year_ends(db):
    scene = make_scene(on=datetime.date(2025, 9, 20), current="100.00", historical="0.00")
    member = scene.daughter.member
    # Ten months of 240 from September; 100 are there.
    left = leave(member, "stopped", datetime.date(2025, 9, 20))
    assert (left.clawback, left.debt) == (yuan("100.00"), yuan("2300.00"))
    assert Message.objects.filter(member=member, kind="clawback_owed").count() == 1
    row = leaving.rejoin(enrolment=enrolment_of(member), on=datetime.date(2026, 3, 2), at=at(datetime.date(2026, 3, 2)))
    credited = crediting.credit(enrolment=row, every="year", on=datetime.date(2026, 3, 2))
    assert (credited.debt_repaid, credited.current) == (ZERO, yuan("960.00"))
    assert state_of(scene.account) == (2025, yuan("960.00"), ZERO, yuan("2300.00"))
    after = datetime.date(2026, 7, 1)
    assert ledger.balances([scene.account.pk], after)[scene.account.pk].historical == ZERO
    crediting.credit(enrolment=enrolment_of(member), every="year", on=after)
    assert state_of(scene.account) == (2026, yuan("2880.00"), ZERO, yuan("1340.00"))
    assert faults(after) == []


def test_a_credit_worked_out_before_the_leaving_comes_too_late(region):
    """The clerk and the month's batch at once: what the batch read before the leaving is not there any more."""
    member = make_member(region=region, base=yuan("10000.00"))
    account = open_account(member=member, region_id=region.pk, on=BEFORE)
    read_before = enrolment_of(member)
    run = credit_runs.begin(region=region, every=crediting.YEAR, on=YEAR_BEGINS)
    leave(member, "moved", YEAR_BEGINS, YEAR_BEGINS)
    with pytest.raises(Refused, match="closed"):
        crediting.credit(enrolment=read_before, every=crediting.YEAR, on=YEAR_BEGINS)
    assert credit_runs.work_next(run_id=run.pk).accounts == 0
    assert state_of(account)[1:] == (ZERO, ZERO, ZERO)
    assert faults(YEAR_BEGINS) == []


def test_a_credit_worked_out_before_the_account_was_closed_comes_too_late(worker):
    member, account = worker
    run = credit_runs.begin(region=region_of_file(), every=crediting.YEAR, on=datetime.date(2026, 7, 1))
    type(account).objects.filter(pk=account.pk).update(status="closed", current=ZERO)
    assert credit_runs.work_next(run_id=run.pk).accounts == 0


def test_nobody_is_kept_from_leaving_where_no_rule_of_crediting_was_in_force(region):
    CreditRule.objects.filter(region=region).delete()
    member = make_member(region=region, base=yuan("10000.00"))
    open_account(member=member, region_id=region.pk, on=YEAR_BEGINS, historical=yuan("50.00"))
    assert leave(member, "died", datetime.date(2026, 2, 10)).clawback == ZERO
    assert statuses(member)[-1][0] == EnrolmentStatus.CLOSED
