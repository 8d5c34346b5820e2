"""Where two ways of moving money meet: each yuan ends with whom it belongs to, and the checks of the books agree."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection

from accounts.models import AuditEvent, Enrolment, Member
from casework.actions import cases
from settlements.actions import care, claims, credit_runs, crediting, leaving, payouts, recalculation, withdrawal
from settlements.actions.opening import open_account
from settlements.actions.payees import PayeeAsked
from settlements.models import Clawback, Payout, PersonalAccount, Settlement
from tests.people import make_institution, make_member, make_staff
from tests.settlements.rollover.world import at, faults, state_of, yuan
from tests.settlements.scene import BEIJING, bill, make_scene, region_of_file, share, undo
from tests.settlements.test_clearing import CLEARED, arrived, clear, months

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
        purse=account, kind=kind, reason=reason, since=since, payees=payees, by=clerk, at=when
    )  # fmt: skip
    asked = withdrawal.submit(application=asked, by=clerk, at=when)
    cases.decide(case=asked.case, verb="approve", by=supervisor, at=when)
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


def test_the_checks_find_what_was_credited_ahead_and_carried_away():
    _, account = worker(region_of_file())
    close(account, "transfer_out", ELSEWHERE, ENDED)
    assert faults(CLOSED.date()) == []
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE settlements_clawback DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM settlements_clawback")
    found = {finding.check.name for finding in faults(CLOSED.date())}
    assert "what was credited ahead was not paid out with the account" in found


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


def test_late_money_follows_who_has_moved_on_twice():
    scene = make_scene()
    settled = bill(scene, scene.daughter, in_scope="900.00")
    account, now = scene.account, at(scene.on, 12)
    for code in (BEIJING, "410100"):
        region = region_of_file(code)
        close(account, "transfer_out", [PayeeAsked(way="region", name=region.name, region=region)], scene.on, now)
        account = PersonalAccount.objects.get(member=scene.daughter.member, region=region)
    carried = account.historical
    undo(scene, settled)
    while payouts.pay_on_all(on=scene.on)[0]:
        pass
    account.refresh_from_db()
    assert account.historical - carried == settled.own_current + settled.own_historical > 0
    others = PersonalAccount.objects.filter(member=scene.daughter.member).exclude(pk=account.pk)
    assert [other.status for other in others] == ["closed", "closed"]
    assert faults(scene.on) == []


def died(member: Member, on: datetime.date) -> leaving.Left:
    """Told after the year was cleared."""
    return leaving.leave(enrolment=enrolment_of(member), why="died", on=on, at=at(CLEARED, 12))


@pytest.mark.parametrize(("base", "stands"), [("9000.00", "900.00"), ("12000.00", "1200.00"), ("10000.00", "1000.00")])
def test_a_death_told_after_the_clearing_leaves_what_was_due_by_the_bases_that_arrived(base, stands):
    region = region_of_file()
    member, account = worker(region)
    arrived(region, member, base, months(0, 12))
    clear(region)
    died(member, datetime.date(2025, 12, 31))
    assert state_of(account) == (2026, 0, yuan(stands), 0), "July to November"
    clear(region)
    assert state_of(account)[2] == yuan(stands), "the next clearing finds nothing to put right"
    assert faults(CLEARED) == []


def test_what_a_clearing_took_is_not_taken_again_when_the_leaving_is_told():
    region = region_of_file()
    member, account = worker(region, "300.00")
    from_then_on(member)
    clear(region)
    assert state_of(account)[2:] == (yuan("900.00"), 0)
    assert died(member, ENDED).clawback == 0
    assert state_of(account)[2:] == (yuan("900.00"), 0)
    assert faults(CLEARED) == []


def test_a_year_in_two_regions_is_settled_anew_with_the_bills_of_the_other_in_their_places():
    """Both count towards the deductible of the year; the second region's bill is no reason to help with the first's."""
    suzhou, beijing = region_of_file("320500"), region_of_file(BEIJING)
    member = make_member(region=suzhou, base=yuan("10000.00"))
    from_then_on(member, region=beijing)
    days = {suzhou: ENDED - datetime.timedelta(days=90), beijing: ENDED + datetime.timedelta(days=30)}
    made = [
        care.settle(
            patient=member,
            institution=make_institution(f"{region.name}医院", region=region, level="secondary"),
            bill=care.Bill(kind="outpatient", level="secondary", in_scope=yuan("1200.00")),
            on=day,
            key="k",
        )
        for region, day in days.items()
    ]
    assert all(set(settled.counters["2025"]) >= {"deductible"} for settled in made)
    for region in days:
        found = recalculation.preview(member=member, region_id=region.pk, year=2025, on=CLOSED.date())
        assert [line.differences for line in found.lines] == [{}]


def test_a_run_that_goes_on_after_the_year_has_ended_brings_no_current_into_the_new_one():
    region = region_of_file()
    last, first = datetime.date(2026, 6, 30), datetime.date(2026, 7, 1)
    joined = [
        make_member(region=region, base=yuan("10000.00"), valid_from=datetime.date(2026, 5, 20)) for _ in range(2)
    ]
    moved, still = (
        open_account(member=member, region_id=region.pk, on=datetime.date(2026, 5, 20), historical=yuan("100.00"))
        for member in joined
    )
    run = credit_runs.begin(region=region, every="year", on=last)
    hospital = make_institution("浦江中心医院", region=region, level="tertiary")
    bill_of_july = care.Bill(kind="outpatient", level="tertiary", in_scope=yuan("60.00"))
    care.settle(patient=joined[0], institution=hospital, bill=bill_of_july, on=first, key="k")
    while credit_runs.work_next(run_id=run.pk) is not credit_runs.Outcome.FINISHED:
        pass
    assert state_of(moved) == (2026, 0, yuan("440.00"), 0)
    assert state_of(still) == (2025, yuan("400.00"), yuan("100.00"), 0), "rolls with everybody"
    assert faults(first) == []
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE settlements_entry DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE settlements_entry SET current_delta = historical_delta, historical_delta = current_delta"
            " WHERE kind = 'credit' AND account_id = %s",
            [moved.pk],
        )
    assert "what is credited to current is of the account's year" in {found.check.name for found in faults(first)}


@pytest.mark.parametrize("undone_first", [True, False])
def test_bills_settled_anew_that_a_closed_account_paid(undone_first):
    """What the fund takes over goes on to the payee; where nobody gets anything back, nobody is told of money."""
    day = datetime.date(2025, 9, 10)
    scene = make_scene(
        on=day, current="0.00", historical="3000.00", father_current="0.00", father_historical="0.00",
    )  # fmt: skip
    Enrolment.objects.filter(member=scene.daughter.member).update(base=None)
    first = bill(scene, in_scope="700.00", self_paid="0.00", on=day)
    second = bill(scene, in_scope="600.00", self_paid="0.00", on=day + datetime.timedelta(days=1))
    assert first.shared and second.shared
    when = at(day + datetime.timedelta(days=3), 12)
    close(scene.account, "transfer_out", ELSEWHERE, when.date(), when)
    if undone_first:
        undo(scene, first, when.date())
        payouts.pay_on_all(on=when.date())
    else:
        claims.file_claim(
            patient=scene.father.member,
            institution=scene.institution,
            bill=care.Bill(
                kind="outpatient",
                level="tertiary",
                in_scope=yuan("300.00"),
                service_on=day - datetime.timedelta(days=1),
            ),
            filed_on=when.date(),
            on=when.date(),
            key="late",
        )
    who = {"member": scene.father.member, "region_id": scene.region.pk, "year": 2025}
    seen = recalculation.preview(**who, on=when.date())
    assert seen.changed
    clerk, supervisor = (make_staff(role, region=scene.region) for role in ("clerk", "supervisor"))
    asked = recalculation.request_recalculation(
        **who, seen=seen.as_data(), by=clerk, at=when, bank="示例银行", bank_account="6222020200012345678"
    )
    cases.decide(case=asked.case, verb="approve", by=supervisor, at=when, note="", version=asked.case.version)
    payouts.pay_on_all(on=when.date())
    scene.account.refresh_from_db()
    assert (scene.account.status, scene.account.historical, scene.account.current) == ("closed", 0, 0)
    standing = sum(one.shared for one in Settlement.objects.filter(patient=scene.father.member, reversed_on=None))
    assert sum(Payout.objects.values_list("amount", flat=True)) == yuan("3000.00") - standing
    told = [yuan(line.details["amount"]) for line in AuditEvent.objects.filter(action="late_money_paid")]
    assert all(told) and faults(when.date()) == []
