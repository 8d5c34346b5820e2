"""Where two ways of moving money meet: each yuan ends with whom it belongs to, and the checks of the books agree."""

import datetime
from decimal import Decimal

import pytest

from accounts.models import Enrolment, Member
from settlements.actions import crediting, withdrawal
from settlements.actions.opening import open_account
from settlements.actions.withdrawal import PayeeAsked
from settlements.models import Clawback, PersonalAccount
from tests.people import make_member, make_staff
from tests.settlements.rollover.world import at, faults, yuan
from tests.settlements.scene import BEIJING, region_of_file, share

pytestmark = pytest.mark.django_db

FIRST = datetime.date(2025, 7, 1)
ENDED = datetime.date(2025, 10, 1)
CLOSED = at(datetime.date(2025, 11, 3), 12)
ELSEWHERE = [PayeeAsked(way="region", name="某市医保中心")]
FUND = [PayeeAsked(way="fund", name="统筹基金")]


def worker(region, historical: str = "0.00"):
    """Of a base of 10,000, in Shanghai credited 2,400 on the year's first day."""
    member = make_member(region=region, base=yuan("10000.00"))
    opened = datetime.date(2025, 6, 1)
    account = open_account(member=member, region_id=region.pk, on=opened, historical=yuan(historical))
    crediting.credit(enrolment=enrolment_of(member), every="year", on=FIRST)
    return member, account


def enrolment_of(member: Member) -> Enrolment:
    return Enrolment.objects.select_related("region", "member").filter(member=member).latest("valid_from")


def from_then_on(member: Member, **more) -> None:
    """What the register tells from ENDED on; nothing where nothing is given."""
    row = enrolment_of(member)
    Enrolment.objects.filter(pk=row.pk).update(valid_to=ENDED)
    if more:
        row.pk, row.valid_from = None, ENDED
        row._state.adding = True
        for name, value in more.items():
            setattr(row, name, value)
        row.save()


def close(
    account: PersonalAccount, kind: str, payees, since: datetime.date, when: datetime.datetime = CLOSED
) -> Decimal:
    """Yuan that left the account."""
    clerk, supervisor = (make_staff(role, region=account.region) for role in ("clerk", "supervisor"))
    reason = {"inheritance": "died", "transfer_out": "moved"}[kind]
    asked = withdrawal.draft(
        account=account, kind=kind, reason=reason, since=since, payees=payees, by=clerk, at=when
    )  # fmt: skip
    asked = withdrawal.submit(application=asked, by=clerk, at=when)
    withdrawal.review_approve(application=asked, by=supervisor, at=when)
    return sum(payout.amount for payee in asked.payees.all() for payout in payee.payouts.all())


@pytest.mark.parametrize("typed", [ENDED, ENDED - datetime.timedelta(days=10), CLOSED.date()])
@pytest.mark.parametrize("told", ["closed", "elsewhere", "nothing"])
def test_what_was_credited_ahead_is_not_carried_away_though_the_register_had_him_leave(told, typed):
    region = region_of_file()
    member, account = worker(region)
    more = {"closed": {"status": "closed"}, "elsewhere": {"region": region_of_file(BEIJING)}, "nothing": {}}
    from_then_on(member, **more[told])
    assert close(account, "transfer_out", ELSEWHERE, typed) == yuan("600.00"), "July to September"
    assert Clawback.objects.get().left_on == ENDED
    assert faults(CLOSED.date()) == []


def test_who_rests_since_a_day_gives_back_from_that_day_when_he_moves():
    member, account = worker(region_of_file())
    from_then_on(member, status="suspended")
    assert close(account, "transfer_out", ELSEWHERE, CLOSED.date()) == yuan("400.00"), "stopped in September"


def test_the_register_tells_a_death_first_and_its_heirs_do_not_get_what_was_credited_ahead():
    member, account = worker(region_of_file())
    from_then_on(member, status="closed")
    Member.objects.filter(pk=member.pk).update(died_on=ENDED)
    assert close(account, "inheritance", FUND, ENDED) == yuan("600.00")
    assert faults(CLOSED.date()) == []


def test_what_was_bound_where_he_is_insured_now_outlives_the_old_account():
    shanghai, beijing = region_of_file(), region_of_file(BEIJING)
    member, account = worker(shanghai)
    from_then_on(member, region=beijing)
    there = share(member, make_member(region=beijing), "parent", beijing, ENDED + datetime.timedelta(days=19))
    here = share(member, make_member(region=shanghai), "child", shanghai, FIRST)
    close(account, "transfer_out", ELSEWHERE, ENDED)
    for grant in (there, here):
        grant.refresh_from_db()
    assert (there.ends_on, here.ends_on) == (None, ENDED)
