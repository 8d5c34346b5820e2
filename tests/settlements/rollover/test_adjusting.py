"""The correction of a wrong released rate: counted two ways, released by a second person, posted once, taken back."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.urls import reverse
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.amounts import yuan_signed
from accounts.errors import Refused
from accounts.models import AuditEvent
from settlements import tasks
from settlements.actions import adjusting, rollover, rollover_report
from settlements.models import AdjustmentChunk, Entry, LedgerTransaction, RolloverAdjustment, RolloverRun
from tests.people import make_member, make_region, make_staff
from tests.settlements.rollover.test_pages import enter
from tests.settlements.rollover.world import (
    BOUNDARY,
    FIRST_DAY,
    RATES,
    YEAR,
    at,
    faults,
    release_run,
    state_of,
    work_to_the_end,
    yuan,
)
from tests.support.ledger import move, open_account, open_many

LATER = at(BOUNDARY, 9)
DAY = BOUNDARY


@pytest.fixture
def region(db):
    return make_region()


@pytest.fixture
def planner(region):
    return make_staff("region_admin", region=region)


@pytest.fixture
def releaser(region):
    return make_staff("region_admin", region=region)


def rolled(region, rates=RATES) -> RolloverRun:
    run = release_run(region, rates=rates)
    work_to_the_end(run)
    return rollover.finish(run=run, at=at(BOUNDARY))


def plan(run, by, rates, reason="a decimal point too far right"):
    return adjusting.plan(
        run=run, current_rate=yuan(rates[0]), historical_rate=yuan(rates[1]), reason=reason, by=by, at=LATER
    )


def work(adjustment) -> RolloverAdjustment:
    while adjusting.work(adjustment_id=adjustment.pk, seconds=5, at=LATER):
        pass
    adjustment.refresh_from_db()
    return adjustment


def correct(run, planner, releaser, rates) -> RolloverAdjustment:
    adjustment = work(plan(run, planner, rates))
    return work(adjusting.release(adjustment=adjustment, by=releaser, at=LATER))


def refusal(act, **arguments) -> str:
    with pytest.raises(Refused) as refused:
        act(**arguments)
    return refused.value.code


def test_too_little_interest_is_made_good(region, planner, releaser):
    one = open_account(make_member(), region, YEAR, "0.00", "36000.00")
    other = open_account(make_member(), region, YEAR, "100.00", "50.00")
    run = rolled(region, rates=(yuan("0.35"), yuan("0.135")))
    adjustment = work(plan(run, planner, ("0.35", "1.35")))
    found = adjusting.sums(adjustment)
    # 36000 x 365 days x (1.35 - 0.135) % / 360 = 443.475: 492.75 is due, 49.28 was posted; 50 yuan: 1.04 and 0.42
    assert (adjustment.state, found.due_accounts, found.due, found.by_products) == (
        "counted", 2, yuan("444.09"), yuan("444.09"),
    )  # fmt: skip
    assert state_of(one)[2] == yuan("36049.28")

    adjustment = work(adjusting.release(adjustment=adjustment, by=releaser, at=LATER))

    assert (adjustment.state, adjusting.sums(adjustment).posted) == ("done", yuan("444.09"))
    assert state_of(one) == (YEAR + 1, 0, yuan("36492.75"), 0)
    assert state_of(other) == (YEAR + 1, 0, yuan("151.04"), 0)
    run.refresh_from_db()
    assert (run.state, run.current_rate, run.historical_rate) == ("reconciled", *RATES)
    assert run.totals["agrees"] and run.totals["late_interest"] == "444.09"
    # The control totals hold it, too: both sums of interest on the report are the same.
    with translation.override("en"):
        told = rollover_report.table(run=run, by=releaser, at=LATER).decode()
    assert "Posted afterwards,,,,,444.09," in told
    assert rollover.close(run=run, by=releaser, at=LATER).state == "closed"
    acts = AuditEvent.objects.filter(action__startswith="rollover.adjust").order_by("id")
    assert list(acts.values_list("action", "actor_id")) == [
        ("rollover.adjust_plan", planner.pk),
        ("rollover.adjust_release", releaser.pk),
        ("rollover.adjust_done", None),
    ]
    assert faults() == []


def test_too_much_is_taken_back_down_to_zero_and_a_rest_is_owed(region, planner, releaser):
    rich = open_account(make_member(), region, YEAR, "0.00", "36000.00")
    poor = open_account(make_member(), region, YEAR, "0.00", "36000.00")
    run = rolled(region)
    move(poor, DAY, historical=yuan("-36492.00"), kind="clearing")
    adjustment = work(plan(run, planner, ("0.35", "0.35")))
    found = adjusting.sums(adjustment)
    assert (found.due, found.by_products, found.due_debt) == (yuan("-730.00"), yuan("-730.00"), yuan("364.25"))
    work(adjusting.release(adjustment=adjustment, by=releaser, at=LATER))
    assert state_of(rich) == (YEAR + 1, 0, yuan("36127.75"), 0)
    assert state_of(poor) == (YEAR + 1, 0, 0, yuan("364.25"))
    assert faults() == []


def test_a_closed_run_is_corrected_too_and_the_correction_taken_back_by_another(region, planner, releaser):
    accounts = [open_account(make_member(), region, YEAR, "100.00", f"{n}000.00") for n in range(4)]
    run = rolled(region)
    rollover.close(run=run, by=releaser, at=LATER)
    before = [state_of(account) for account in accounts]
    products = [account.historical_products for account in accounts]
    correct(run, planner, releaser, ("0.00", "0.10"))
    assert [state_of(account) for account in accounts] != before
    correct(run, releaser, planner, RATES)
    assert [state_of(account) for account in accounts] == before
    assert [account.historical_products for account in accounts] == products
    correct(run, planner, releaser, ("0.00", "0.10"))
    run.refresh_from_db()
    assert (run.state, run.historical_rate) == ("closed", yuan("0.10"))
    assert faults() == []


def test_interest_corrected_late_counts_from_the_first_day_of_the_new_year(region, planner, releaser):
    """As if the rate had been right from the beginning: the next year's interest is the same."""
    right = make_region("310000")
    late = open_account(make_member(), right, YEAR, "0.00", "36000.00")
    run = rolled(region, rates=(yuan("0"), yuan("0")))
    in_march = at(BOUNDARY.replace(year=2027, month=3))
    adjustment = work(plan(run, planner, RATES))
    adjusting.release(adjustment=adjustment, by=releaser, at=in_march)
    adjusting.work(adjustment_id=adjustment.pk, seconds=5, at=in_march)
    entry = Entry.objects.filter(account=late).latest("version")
    assert (entry.kind, entry.historical_delta, entry.business_date) == ("interest", yuan("492.75"), in_march.date())
    late.refresh_from_db()
    days = (in_march.date() - BOUNDARY).days
    assert late.historical_products == yuan("36492.75") * days
    assert faults(in_march.date()) == []


def test_who_plans_does_not_release(region, planner):
    open_account(make_member(), region, YEAR, "0.00", "36000.00")
    adjustment = work(plan(rolled(region), planner, ("0.35", "0.35")))
    assert refusal(adjusting.release, adjustment=adjustment, by=planner) == "same_person"
    with pytest.raises(IntegrityError, match="adjustment_released_by_another"), transaction.atomic():
        RolloverAdjustment.objects.update(released_by=planner, released_at=LATER)
    with pytest.raises(IntegrityError, match="adjustment_released_when_it_posts"), transaction.atomic():
        RolloverAdjustment.objects.update(state="running")


def test_what_cannot_be_planned(region, planner, releaser):
    open_account(make_member(), region, YEAR, "0.00", "36000.00")
    early = release_run(region)
    assert refusal(plan, run=early, by=planner, rates=("0.35", "0.35")) == "run_state"
    work_to_the_end(early)
    run = rollover.finish(run=early, at=at(BOUNDARY))
    assert refusal(plan, run=run, by=planner, rates=RATES) == "rate_same"
    assert refusal(plan, run=run, by=planner, rates=("0.35", "20")) == "rate_missing"
    first = plan(run, planner, ("0.35", "0.35"))
    assert refusal(plan, run=run, by=releaser, rates=("0.35", "0.45")) == "adjustment_open"
    assert refusal(adjusting.release, adjustment=first, by=releaser) == "run_state"
    assert adjusting.cancel(adjustment=first, by=planner, at=LATER).state == "cancelled"
    assert not adjusting.work(adjustment_id=first.pk, seconds=1)
    run.refresh_from_db()
    assert run.historical_rate == RATES[1]
    assert plan(run, releaser, ("0.35", "0.45")).state == "counting"


def test_sums_that_differ_are_not_released(region, planner, releaser):
    open_account(make_member(), region, YEAR, "0.00", "36000.00")
    adjustment = work(plan(rolled(region), planner, ("0.35", "0.35")))
    AdjustmentChunk.objects.update(by_products=yuan("-365.01"))
    assert refusal(adjusting.release, adjustment=adjustment, by=releaser) == "totals_differ"
    adjustment.refresh_from_db()
    assert adjustment.state == "counted"


def test_half_way_the_books_are_sound_and_going_on_posts_nothing_twice(region, planner, releaser, settings):
    settings.ROLLOVER_CHUNK_SIZE = 10
    open_many(region, YEAR, 60, FIRST_DAY)
    run = rolled(region)
    adjustment = adjusting.release(adjustment=work(plan(run, planner, ("1.00", "2.00"))), by=releaser, at=LATER)
    for _ in range(3):
        assert adjusting.work_next(adjustment_id=adjustment.pk, at=LATER)
    half = adjusting.sums(adjustment)
    assert (half.done, half.chunks) == (3, 6)
    assert 0 < half.posted < half.due
    assert faults() == []
    work(adjustment)
    posted = LedgerTransaction.objects.filter(scope="rollover-interest").count()
    assert not adjusting.work_next(adjustment_id=adjustment.pk, at=LATER)
    tasks.work_adjustment(adjustment.pk)
    assert LedgerTransaction.objects.filter(scope="rollover-interest").count() == posted == 6
    found = adjusting.sums(adjustment)
    entered = Entry.objects.filter(transaction__scope="rollover-interest").aggregate(
        up=Sum("historical_delta"), down=Sum("debt_delta")
    )
    assert found.posted == found.due == found.by_products == entered["up"] - entered["down"]
    assert faults() == []


def test_the_sweeper_finds_a_correction_whose_bell_was_lost(region, planner, monkeypatch):
    open_account(make_member(), region, YEAR, "0.00", "36000.00")
    adjustment = plan(rolled(region), planner, ("0.35", "0.35"))
    rung = []
    monkeypatch.setattr(tasks.work_adjustment, "delay", rung.append)
    tasks.open_due_runs()
    assert set(rung) == {adjustment.pk}
    work(adjustment)
    rung.clear()
    tasks.open_due_runs()
    assert rung == []


rates = st.integers(0, 90_000).map(lambda rate: yuan(rate) / 10_000)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wrong=st.tuples(rates, rates), right=st.tuples(rates, rates), fen=st.lists(st.integers(0, 9_999_999), max_size=5)
)
def test_corrected_is_what_it_would_have_been(db, wrong, right, fen):
    """Whatever the rates: after the correction every account holds what the right rates would have given at once."""
    if wrong == right:
        return
    with transaction.atomic():
        region = make_region()
        planner, releaser = (make_staff("region_admin", region=region) for _ in range(2))
        accounts = [open_account(make_member(), region, YEAR, yuan(n % 7000) / 100, yuan(n) / 100) for n in fen]
        run = rolled(region, rates=wrong)
        adjustment = correct(run, planner, releaser, right)
        found = adjusting.sums(adjustment)
        assert found.posted == found.due == found.by_products
        for account in accounts:
            current, historical = account.current, account.historical
            gain = ((current * right[0] + historical * right[1]) * 365 / 36000).quantize(yuan("0.01"), "ROUND_HALF_UP")
            assert state_of(account) == (YEAR + 1, 0, current + historical + gain, 0)
        assert faults() == []
        transaction.set_rollback(True)


def address(name: str, *args: object) -> str:
    return reverse(f"admin:settlements_rolloverrun_{name}", args=args)


def test_the_pages_from_the_plan_to_the_end(region, planner, releaser, client, monkeypatch):
    rung = []
    monkeypatch.setattr(tasks.work_adjustment, "delay", rung.append)
    open_account(make_member(), region, YEAR, "0.00", "36000.00")
    run = rolled(region)
    enter(client, planner)
    english = {"accept-language": "en"}
    assert address("adjust", run.pk) in client.get(address("change", run.pk)).text
    bad = client.post(address("adjust", run.pk), {"current_rate": "0.35", "historical_rate": "x", "reason": ""})
    assert bad.status_code == 422 and "govuk-error-summary" in bad.text
    same = client.post(address("adjust", run.pk), {"current_rate": "0.35", "historical_rate": "1.35", "reason": "x"})
    assert same.status_code == 422
    answer = client.post(address("adjust", run.pk), {"current_rate": "0.35", "historical_rate": "0.35", "reason": "x"})
    adjustment = RolloverAdjustment.objects.get()
    assert (answer.status_code, answer.url) == (302, address("adjustment", adjustment.pk))
    assert rung
    part = client.get(answer.url, headers={"hx-request": "true"})
    assert part.status_code == 200 and 'hx-trigger="every 2s"' in part.text
    work(adjustment)
    assert client.get(answer.url, headers={"hx-request": "true"}).status_code == 286
    page = client.get(answer.url, headers=english).text
    assert "−365.00" in page and "another administrator of the region must release it" in page
    assert address("adjustmentact", adjustment.pk, "release") not in page
    assert client.post(address("adjustmentact", adjustment.pk, "release")).status_code == 422
    enter(client, releaser)
    asked = client.get(address("adjustmentact", adjustment.pk, "release"), headers=english)
    due = yuan_signed(adjusting.sums(adjustment).due)
    assert due.startswith("\N{MINUS SIGN}") and f"{due} yuan" in asked.text, (
        "the sum stands beside the button that posts it"
    )
    assert client.post(address("adjustmentact", adjustment.pk, "release")).status_code == 302
    work(adjustment)
    page = client.get(answer.url, headers=english).text
    assert "Everything is posted" in page
    assert "0.35% / 1.35% → 0.35% / 0.35%" in client.get(address("change", run.pk)).text
    assert client.get(address("adjustmentact", adjustment.pk, "explode")).status_code == 404


@pytest.mark.parametrize("role", ["clerk", "auditor", "region_admin"])
def test_strangers_find_no_such_page_and_auditors_only_read(region, planner, client, role):
    open_account(make_member(), region, YEAR, "0.00", "36000.00")
    run = rolled(region)
    adjustment = plan(run, planner, ("0.35", "0.35"))
    enter(client, make_staff(role, region=None if role == "auditor" else make_region("110000")))
    seen = client.get(address("adjustment", adjustment.pk))
    assert (seen.status_code == 200) is (role == "auditor")
    for name, args in (("adjust", [run.pk]), ("adjustmentact", [adjustment.pk, "cancel"])):
        assert client.get(address(name, *args), follow=True).status_code == 404
    adjustment.refresh_from_db()
    assert adjustment.state == "counting"
