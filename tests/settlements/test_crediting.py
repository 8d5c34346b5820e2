"""Crediting through the real actions: once a period, whoever runs it how often; what is owed waits."""

import datetime

import pytest
from django.db import DatabaseError, transaction

from accounts.errors import Refused
from accounts.models import Enrolment, Member
from accounts.money import ZERO
from settlements.actions import credit_runs, crediting, leaving
from settlements.actions.opening import open_account
from settlements.models import Credit, PersonalAccount
from tests.people import make_member
from tests.settlements.rollover.world import at, faults, yuan
from tests.settlements.scene import region_of_file

ON = datetime.date(2026, 7, 1)


@pytest.fixture
def region(db):
    return region_of_file()


def worker(region, base: str | None = "10000.00", debt: str = "0.00") -> tuple[Member, PersonalAccount]:
    member = make_member(region=region)
    Enrolment.objects.filter(member=member).update(base=base and yuan(base))
    return member, open_account(member=member, region_id=region.pk, on=ON, debt=yuan(debt))


def credit_all(region):
    return credit_runs.credit_region(region=region, every=crediting.YEAR, on=ON)


def test_a_base_filled_in_later_is_credited_by_a_second_run_on_the_same_day(region):
    _, first = worker(region)
    late, second = worker(region, base=None)
    _, third = worker(region)
    count, amount = credit_all(region)
    assert (count, Credit.objects.filter(account=second).exists()) == (2, False)

    Enrolment.objects.filter(member=late).update(base=yuan("10000.00"))
    assert credit_all(region) == (1, amount / 2)
    balances = {account.pk: account.current for account in PersonalAccount.objects.all()}
    assert balances == {first.pk: amount / 2, second.pk: amount / 2, third.pk: amount / 2}
    assert faults(ON) == []


def test_the_same_run_again_credits_nobody_twice(region):
    _, account = worker(region)
    first = credit_all(region)
    assert credit_all(region) == (0, ZERO)
    account.refresh_from_db()
    assert account.current == first[1] > ZERO
    assert account.version == 1


def test_that_a_period_was_credited_cannot_be_taken_back(region):
    worker(region)
    credit_all(region)
    for change in (lambda: Credit.objects.all().delete(), lambda: Credit.objects.update(amount=1)):
        with pytest.raises(DatabaseError, match="append"), transaction.atomic():
            change()
    assert Credit.objects.count() == 1


def test_a_debt_waits_for_the_year_end_where_a_credit_goes_to_current(region):
    member, account = worker(region, debt="100.00")
    enrolment = Enrolment.objects.select_related("region", "member").get(member=member)
    credited = crediting.credit(enrolment=enrolment, every=crediting.YEAR, on=ON)
    assert credited.debt_repaid == ZERO
    account.refresh_from_db()
    assert (account.current, account.debt) == (credited.current, yuan("100.00"))
    assert faults(ON) == []


def test_a_month_of_the_ended_year_goes_to_historical_where_the_account_is_in_the_new_one(region):
    """Two servers' clocks at the year's end: what is credited on June's last day may come after a movement of July."""
    last_day = ON - datetime.timedelta(days=1)
    account = open_account(member=make_member(region=region), region_id=region.pk, on=last_day, debt=yuan("10.00"))
    Enrolment.objects.filter(member=account.member).update(base=yuan("10000.00"))
    enrolment = Enrolment.objects.select_related("region", "member").get(member=account.member)
    july = crediting.credit(enrolment=enrolment, every=crediting.MONTH, on=ON)
    account.refresh_from_db()
    assert (july.current, account.benefit_year) == (account.current, ON.year)

    june = crediting.credit(enrolment=enrolment, every=crediting.MONTH, on=last_day)
    account.refresh_from_db()
    assert (june.current, june.debt_repaid) == (ZERO, yuan("10.00"))
    assert june.historical + june.debt_repaid == july.current == account.current
    assert (account.historical, account.debt) == (june.historical, ZERO)
    assert faults(ON) == []


def test_a_period_credited_for_everybody_is_refused_for_one(region):
    member, account = worker(region)
    credit_all(region)
    enrolment = Enrolment.objects.select_related("region", "member").get(member=member)
    with pytest.raises(Refused, match="duplicate"):
        crediting.credit(enrolment=enrolment, every=crediting.YEAR, on=ON)
    assert Credit.objects.filter(account=account).count() == 1


def test_with_another_base_the_same_days_second_attempt_is_a_duplicate(region):
    member, account = worker(region)
    enrolments = Enrolment.objects.select_related("region", "member").filter(member=member)
    first = crediting.credit(enrolment=enrolments.get(), every=crediting.YEAR, on=ON)
    assert crediting.credit(enrolment=enrolments.get(), every=crediting.YEAR, on=ON) == first
    enrolments.update(base=yuan("1.00"))
    with pytest.raises(Refused, match="duplicate"):
        crediting.credit(enrolment=enrolments.get(), every=crediting.YEAR, on=ON)
    assert Credit.objects.filter(account=account).count() == 1


def test_a_month_of_a_year_that_was_credited_ahead_is_a_duplicate_until_it_goes_back(region):
    member, account = worker(region)
    credit_all(region)
    enrolment = Enrolment.objects.select_related("region", "member").get(member=member)
    august, november = datetime.date(2026, 8, 10), datetime.date(2026, 11, 10)
    with pytest.raises(Refused, match="duplicate"):
        crediting.credit(enrolment=enrolment, every=crediting.MONTH, on=august)
    assert Credit.objects.filter(account=account).count() == 1

    leaving.leave(enrolment=enrolment, why="stopped", on=august, at=at(august))
    resting = Enrolment.objects.get(member=member, valid_to=None)
    back = leaving.rejoin(enrolment=resting, on=november, at=at(november))
    assert crediting.credit(enrolment=back, every=crediting.MONTH, on=november).current == yuan("200.00")
    assert faults(november) == []


class TestSomebodyWhoIsKnownToLeave:
    """Shanghai SH8: on leaving the months to the year's end go back. Who has left already is not given them first."""

    @pytest.fixture
    def leaver(self, region):
        member, account = worker(region)
        row = Enrolment.objects.get(member=member)
        leaving.leave(enrolment=row, why="stopped", on=ON, at=at(ON))
        return member, account

    def test_the_year_is_refused_and_his_months_are_not(self, leaver):
        member, account = leaver
        row = Enrolment.objects.get(member=member, status="normal")
        with pytest.raises(Refused) as refused:
            crediting.credit(enrolment=row, every=crediting.YEAR, on=ON)
        assert (refused.value.code, refused.value.params["until"]) == ("leaving_known", "2026-08-01")
        assert credit_all(row.region) == (0, ZERO)
        assert crediting.credit(enrolment=row, every=crediting.MONTH, on=ON).current == yuan("200.00")
        account.refresh_from_db()
        assert account.current == yuan("200.00")
        assert faults(ON) == []

    def test_a_new_base_or_an_end_after_the_year_is_no_leaving(self, region):
        first, _ = worker(region)
        second, _ = worker(region)
        row = Enrolment.objects.get(member=first)
        Enrolment.objects.filter(pk=row.pk).update(valid_to=datetime.date(2026, 9, 1))
        row.pk, row.valid_from = None, datetime.date(2026, 9, 1)
        row.save()
        Enrolment.objects.filter(member=second).update(valid_to=datetime.date(2027, 7, 1))
        for member in (first, second):
            row = Enrolment.objects.filter(member=member).earliest("valid_from")
            assert crediting.credit(enrolment=row, every=crediting.YEAR, on=ON).current == yuan("2400.00")

    def test_a_run_gives_the_year_to_whom_it_ends_after_it(self, region):
        member, account = worker(region)
        Enrolment.objects.filter(member=member).update(valid_to=datetime.date(2027, 7, 1))
        assert credit_all(region) == (1, yuan("2400.00"))
