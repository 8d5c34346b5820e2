"""The rehearsal: range after range, without effect, to the fen what the rollover then comes to; who is odd is named."""

import datetime

import pytest

from accounts.models import Enrolment
from settlements import tasks
from settlements.actions import rehearsal, rollover
from settlements.models import Entry, PersonalAccount, RolloverRun
from tests.people import make_member, make_region, make_staff
from tests.settlements.rollover.world import (
    BOUNDARY,
    FIRST_DAY,
    LAST_DAY,
    RATES,
    YEAR,
    at,
    release_run,
    work_to_the_end,
)
from tests.support.ledger import open_account, open_many


@pytest.fixture
def region(db):
    return make_region()


@pytest.fixture
def run(region):
    by = make_staff("region_admin", region=region)
    return rollover.plan(
        region=region, year=YEAR, current_rate=RATES[0], historical_rate=RATES[1], by=by, at=at(LAST_DAY)
    )


def test_in_many_ranges_it_comes_to_the_same_as_in_one_and_as_the_batch(region, run, monkeypatch):
    open_many(region, YEAR, 60, FIRST_DAY)
    open_account(make_member(), region, YEAR - 2, "1000.00", "50.00")
    for year in (YEAR - 2, YEAR - 1):
        release_run(region, year, rates=RATES)
    at_once = rehearsal.rehearse(run=run, by=None, at=at(LAST_DAY)).rehearsal
    monkeypatch.setattr(rehearsal, "IDS_A_STEP", 7)
    in_parts = rehearsal.rehearse(run=run, by=None, at=at(LAST_DAY)).rehearsal
    assert {**at_once, "begun_at": ""} == {**in_parts, "begun_at": ""}
    assert at_once["totals"]["accounts"] == 61
    RolloverRun.objects.filter(pk=run.pk).update(state="released", released_at=at(LAST_DAY))
    work_to_the_end(run)
    run = rollover.finish(run=run, at=at(BOUNDARY))
    assert run.totals["batch"] == at_once["totals"]


def test_it_is_watched_taken_up_again_and_ends_by_itself(region, run, monkeypatch):
    open_many(region, YEAR, 20, FIRST_DAY)
    monkeypatch.setattr(rehearsal, "IDS_A_STEP", PersonalAccount.objects.latest("id").pk // 3)
    run = rehearsal.start(run=run, by=None, at=at(LAST_DAY))
    assert (run.state, rehearsal.is_under_way(run), rehearsal.percent(run)) == ("planned", True, 33)
    rung = []
    monkeypatch.setattr(tasks.rehearse_rollover, "delay", rung.append)
    tasks.open_due_runs()
    assert rung == [run.pk]
    tasks.rehearse_rollover(run.pk)
    run.refresh_from_db()
    assert (run.state, rehearsal.is_under_way(run)) == ("rehearsed", False)
    assert run.rehearsal["totals"]["accounts"] == 20
    assert not rehearsal.step(run_id=run.pk)
    rung.clear()
    tasks.open_due_runs()
    assert rung == []


def test_a_new_plan_takes_a_rehearsal_under_way_back(region, run, monkeypatch):
    open_many(region, YEAR, 20, FIRST_DAY)
    monkeypatch.setattr(rehearsal, "IDS_A_STEP", 1)
    run = rehearsal.start(run=run, by=None, at=at(LAST_DAY))
    rollover.plan(region=region, year=YEAR, current_rate=RATES[1], historical_rate=RATES[1], by=None)
    assert not rehearsal.step(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.rehearsal) == ("planned", {})


def test_every_kind_of_odd_account_is_counted_and_named(region, run):
    def insured(**more) -> PersonalAccount:
        member = make_member()
        Enrolment.objects.filter(member=member).delete()
        row = {"status": "normal", "valid_from": datetime.date(2020, 1, 1), "insurance": "employee"} | more
        Enrolment.objects.create(member=member, region=region, **row)
        return open_account(member, region, YEAR, "100.00")

    plain = insured()
    frozen = insured(status="frozen")
    left = insured(valid_to=datetime.date(2026, 1, 1))
    wrong, far = insured(), insured()
    PersonalAccount.objects.filter(pk=wrong.pk).update(current_products=-1)
    PersonalAccount.objects.filter(pk=far.pk).update(products_on=BOUNDARY)
    closed = insured()
    PersonalAccount.objects.filter(pk=closed.pk).update(current=0, status="closed")
    in_debt = insured()
    PersonalAccount.objects.filter(pk=in_debt.pk).update(debt="100.01")
    behind, ahead = insured(), insured()
    long_gone = insured()
    PersonalAccount.objects.filter(pk=behind.pk).update(benefit_year=YEAR - 1)
    PersonalAccount.objects.filter(pk=long_gone.pk).update(benefit_year=YEAR - 3)
    PersonalAccount.objects.filter(pk=ahead.pk).update(benefit_year=YEAR + 1, products_on=BOUNDARY)

    found = rehearsal.rehearse(run=run, by=None, at=at(LAST_DAY)).rehearsal

    assert found["named"] == {
        "frozen": [frozen.pk],
        "not_enrolled": [left.pk],
        "products_wrong": [wrong.pk],
        "counted_too_far": [far.pk],
        "closed": [closed.pk],
        "in_debt": [in_debt.pk],
        "behind": [behind.pk],
        "far_behind": [long_gone.pk],
        "ahead": [ahead.pk],
    }
    assert found["odd"] == dict.fromkeys(found["named"], 1)
    assert plain.pk not in [pk for named in found["named"].values() for pk in named]
    assert found["years_without_rate"] == [YEAR - 3, YEAR - 2, YEAR - 1]
    assert Entry.objects.filter(kind="rollover").count() == 0


def test_of_many_odd_accounts_the_first_are_named_and_all_are_counted(region, run):
    open_many(region, YEAR, 2 * rehearsal.NAMED, FIRST_DAY)
    found = rehearsal.rehearse(run=run, by=None, at=at(LAST_DAY)).rehearsal
    first = PersonalAccount.objects.order_by("id").values_list("id", flat=True)[: rehearsal.NAMED]
    assert found["odd"]["not_enrolled"] == 2 * rehearsal.NAMED
    assert found["named"]["not_enrolled"] == list(first)
