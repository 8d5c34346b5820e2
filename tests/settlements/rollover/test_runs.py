"""A run from plan to close: who may do what when, and what stops it."""

import datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from accounts.errors import Refused
from accounts.models import AuditEvent, BenefitYear
from accounts.reasons import tell, tell_refused
from settlements import tasks
from settlements.actions import rehearsal, rollover, rollover_work
from settlements.ledger.rolling import roll
from settlements.models import Entry, RolloverRun
from settlements.queries.member import lines
from settlements.queries.rollover import due_runs, progress, years_without_run
from settlements.telling.movements import what
from settlements.telling.rollover import events
from tests.people import make_member, make_region, make_staff
from tests.settlements.rollover.world import (
    BOUNDARY,
    LAST_DAY,
    RATES,
    YEAR,
    at,
    faults,
    release_run,
    state_of,
    work_to_the_end,
    yuan,
)
from tests.support.ledger import move, open_account

DAY = datetime.timedelta(days=1)


@pytest.fixture
def region(db):
    return make_region()


@pytest.fixture
def planner(region):
    return make_staff("region_admin", region=region)


@pytest.fixture
def releaser(region):
    return make_staff("region_admin", region=region)


def plan(region, by, year=YEAR, rates=RATES, on=LAST_DAY - DAY):
    return rollover.plan(region=region, year=year, current_rate=rates[0], historical_rate=rates[1], by=by, at=at(on))


def refusal(action, **arguments) -> str:
    with pytest.raises(Refused) as refused:
        action(**arguments)
    return refused.value.code


def test_from_plan_to_close(region, planner, releaser):
    one = open_account(make_member(), region, YEAR, "100.00", "50.00")
    two = open_account(make_member(), region, YEAR, "0.00", "36000.00")
    run = plan(region, planner)
    run = rehearsal.rehearse(run=run, by=planner, at=at(LAST_DAY))
    rehearsed = run.rehearsal["totals"]
    run = rollover.release(run=run, by=releaser, at=at(LAST_DAY, 16))
    run = rollover.begin(run=run, at=at(BOUNDARY, 0))
    work_to_the_end(run)
    run = rollover.finish(run=run, at=at(BOUNDARY, 2))
    assert run.state == "reconciled"
    with pytest.raises(Refused, match="same_person") as refused:
        rollover.close(run=run, by=planner, at=at(BOUNDARY, 9))
    with translation.override("en"):
        assert "does not close" in tell_refused(refused.value).reason
    run = rollover.close(run=run, by=releaser, at=at(BOUNDARY, 9))

    assert (run.state, run.closed_by, run.totals["agrees"]) == ("closed", releaser, True)
    # The rehearsal said to the fen what came.
    assert {**run.totals["batch"]} == rehearsed
    assert rehearsed == {
        "accounts": 2,
        "historical_before": "36050.00",
        "moved": "100.00",
        "netted": "0.00",
        "interest": "493.79",
        "historical_after": "36643.79",
    }
    assert {line["name"]: (line["run"], line["books"]) for line in run.totals["lines"]} == {
        "accounts": (2, 2),
        "moved": ("100.00", "100.00"),
        "netted": ("0.00", "0.00"),
        "interest": ("493.79", "493.79"),
        "historical_after": ("36643.79", "36643.79"),
    }
    assert [state_of(account)[2] for account in (one, two)] == [yuan("151.04"), yuan("36492.75")]
    acts = AuditEvent.objects.filter(target=f"rollover {region.pk} {YEAR}").order_by("id")
    assert list(acts.values_list("action", "actor_id")) == [
        ("rollover.plan", planner.pk),
        ("rollover.rehearse", planner.pk),
        ("rollover.release", releaser.pk),
        ("rollover.begin", None),
        ("rollover.reconcile", None),
        ("rollover.close", releaser.pk),
    ]
    assert faults() == []


def test_a_rehearsal_writes_to_no_account(region, planner):
    account = open_account(make_member(), region, YEAR, "100.00", "50.00")
    behind = open_account(make_member(), region, YEAR - 1, "10.00")
    run = rehearsal.rehearse(run=plan(region, planner), by=planner, at=at(LAST_DAY))
    assert (run.state, run.rehearsal["totals"]["accounts"]) == ("rehearsed", 2)
    assert run.rehearsal["years_without_rate"] == [YEAR - 1]
    assert run.rehearsal["odd"] == {"behind": 1}
    assert run.rehearsal["named"] == {"behind": [behind.pk]}
    assert state_of(account) == (YEAR, yuan("100.00"), yuan("50.00"), yuan("0.00"))
    assert state_of(behind)[0] == YEAR - 1
    run.refresh_from_db()
    assert (run.state, run.released_at) == ("rehearsed", None)
    assert Entry.objects.filter(kind="rollover").count() == 0


def test_who_planned_does_not_release(region, planner, releaser):
    run = rehearsal.rehearse(run=plan(region, planner), by=planner, at=at(LAST_DAY))
    with pytest.raises(Refused, match="same_person") as refused:
        rollover.release(run=run, by=planner)
    with translation.override("en"):
        assert "administrator" in tell_refused(refused.value).remedy
        # Family sharing has other words for the bare code.
        assert "relative" in tell("same_person").remedy
    # Planning it again is taking it over: then the other one must release.
    plan(region, releaser)
    run = rehearsal.rehearse(run=run, by=planner, at=at(LAST_DAY))
    assert refusal(rollover.release, run=run, by=releaser) == "same_person"
    assert rollover.release(run=run, by=planner).state == "released"


def test_the_database_holds_the_two_persons(region, planner):
    run = plan(region, planner)
    with pytest.raises(IntegrityError, match="run_released_by_another"), transaction.atomic():
        RolloverRun.objects.filter(pk=run.pk).update(state="released", released_by=planner, released_at=at(LAST_DAY))
    with pytest.raises(IntegrityError, match="run_released_when_it_works"), transaction.atomic():
        RolloverRun.objects.filter(pk=run.pk).update(state="running")
    with pytest.raises(IntegrityError, match="run_closed_by_another"), transaction.atomic():
        RolloverRun.objects.filter(pk=run.pk).update(closed_by=planner)
    with pytest.raises(IntegrityError, match="run_planned_with_rates"), transaction.atomic():
        RolloverRun.objects.filter(pk=run.pk).update(current_rate=None)


def test_release_needs_a_rehearsal_of_these_very_rates(region, planner, releaser):
    run = plan(region, planner)
    assert refusal(rollover.release, run=run, by=releaser) == "run_state"
    rehearsal.rehearse(run=run, by=planner)
    run = plan(region, planner, rates=(yuan("0.10"), yuan("0.20")))
    assert (run.state, run.rehearsal) == ("planned", {})
    assert refusal(rollover.release, run=run, by=releaser) == "run_state"


@pytest.mark.parametrize("rates", [(None, yuan("1")), (yuan("-0.01"), yuan("1")), (yuan("1"), yuan("20"))])
def test_no_plan_without_two_sane_rates(region, planner, rates):
    assert refusal(plan, region=region, by=planner, rates=rates) == "rate_missing"


def test_a_missing_rate_of_an_earlier_year_stops_the_release(region, planner, releaser):
    open_account(make_member(), region, YEAR - 1, "10.00")
    run = rehearsal.rehearse(run=plan(region, planner), by=planner)
    assert refusal(rollover.release, run=run, by=releaser) == "rate_missing"
    release_run(region, YEAR - 1)
    assert rollover.release(run=run, by=releaser).state == "released"


def test_a_year_whose_first_day_is_not_known_stops_the_release(region, planner, releaser):
    open_account(make_member(), region, YEAR, "10.00")
    BenefitYear.objects.filter(region=region, year=YEAR + 1).delete()
    run = rehearsal.rehearse(run=plan(region, planner), by=planner)
    assert run.rehearsal["years_without_start"] == [YEAR + 1]
    assert refusal(rollover.release, run=run, by=releaser) == "year_missing"


def test_the_rates_of_a_released_run_stand(region, planner, releaser):
    run = rehearsal.rehearse(run=plan(region, planner), by=planner)
    rollover.release(run=run, by=releaser)
    assert refusal(plan, region=region, by=planner, rates=(yuan("9"), yuan("9"))) == "run_state"
    run.refresh_from_db()
    assert (run.current_rate, run.historical_rate) == RATES


def test_nothing_begins_before_the_first_day_of_the_new_year(region, monkeypatch):
    open_account(make_member(), region, YEAR, "10.00")
    run = release_run(region)
    assert refusal(rollover.begin, run=run, at=at(LAST_DAY, 23)) == "year_not_over"
    assert list(due_runs(LAST_DAY)) == []
    assert list(due_runs(BOUNDARY)) == [run]
    # Midnight in Shanghai is four in the afternoon of the day before in Greenwich.
    assert rollover.begin(run=run, at=datetime.datetime(2026, 6, 30, 16, tzinfo=datetime.UTC)).state == "running"


def test_beat_begins_released_runs_and_rings_for_running_ones(region, monkeypatch):
    open_account(make_member(), region, YEAR, "10.00")
    run = release_run(region)
    rung = []
    monkeypatch.setattr(tasks.work_rollover, "delay", rung.append)
    monkeypatch.setattr(tasks.clock, "now", lambda: at(LAST_DAY, 23))
    tasks.open_due_runs()
    assert (RolloverRun.objects.get().state, rung) == ("released", [])
    monkeypatch.setattr(tasks.clock, "now", lambda: at(BOUNDARY, 0))
    tasks.open_due_runs()
    assert RolloverRun.objects.get().state == "running"
    assert rung == [run.pk] * 4
    tasks.open_due_runs()
    assert rung == [run.pk] * 8


def test_a_year_that_ends_without_a_released_run_raises_the_alarm(region, caplog, monkeypatch):
    open_account(make_member(), region, YEAR, "10.00")
    release_run(region, YEAR - 1)
    assert years_without_run(LAST_DAY - 10 * DAY) == []
    assert years_without_run(LAST_DAY) == [(region.pk, YEAR, BOUNDARY)]
    monkeypatch.setattr(tasks.clock, "today", lambda: BOUNDARY)
    tasks.warn_of_missing_runs()
    assert "no run released for 2025" in caplog.text
    release_run(region)
    assert years_without_run(BOUNDARY) == []


def test_pause_and_resume(region, planner, settings):
    settings.ROLLOVER_CHUNK_SIZE = 1
    for _ in range(3):
        open_account(make_member(), region, YEAR, "10.00")
    run = rollover.begin(run=release_run(region), at=at(BOUNDARY, 1))
    assert rollover_work.roll_next(run_id=run.pk).accounts == 1

    run = rollover.pause(run=run, by=planner, at=at(BOUNDARY, 2))
    assert rollover_work.roll_next(run_id=run.pk) == rollover_work.Outcome.STOPPED
    shown = progress(run, at(BOUNDARY, 9))
    assert (shown.done, shown.left, shown.total, shown.chunks_done, shown.chunks) == (1, 2, 3, 1, 3)
    assert shown.seconds == 3600
    assert refusal(rollover.pause, run=run, by=planner) == "run_state"
    assert refusal(rollover.finish, run=run) == "run_state"

    run = rollover.resume(run=run, by=planner, at=at(BOUNDARY, 10))
    assert progress(run, at(BOUNDARY, 11)).seconds == 7200
    assert refusal(rollover.resume, run=run, by=planner) == "run_state"
    assert sum(visit.accounts for visit in work_to_the_end(run)) == 2
    run = rollover.finish(run=run, at=at(BOUNDARY, 12))
    assert (run.state, run.worked_seconds, run.finished_at) == ("reconciled", 3 * 3600, at(BOUNDARY, 12))


def test_progress_tells_batch_from_movements_without_looking_at_accounts(region, settings, django_assert_num_queries):
    settings.ROLLOVER_CHUNK_SIZE = 2
    accounts = [open_account(make_member(), region, YEAR, "10.00") for _ in range(4)]
    run = release_run(region)
    roll(accounts[0].pk, BOUNDARY)
    run = rollover.begin(run=run, at=at(BOUNDARY, 1))
    rollover_work.roll_next(run_id=run.pk)
    with django_assert_num_queries(1) as queries:
        shown = progress(run, at(BOUNDARY, 1) + datetime.timedelta(seconds=2))
    assert "personalaccount" not in queries.captured_queries[0]["sql"]
    assert (shown.total, shown.done, shown.by_batch, shown.by_movement) == (4, 2, 1, 1)
    assert (shown.percent, shown.moved, shown.seconds_left) == (yuan("50.0"), yuan("10.00"), 2)


def test_cancel_only_before_the_boundary(region, planner, releaser):
    run = plan(region, planner)
    assert rollover.cancel(run=run, by=planner).state == "cancelled"
    run = rehearsal.rehearse(run=plan(region, planner), by=planner)
    run = rollover.release(run=run, by=releaser, at=at(LAST_DAY))
    assert refusal(rollover.cancel, run=run, by=planner, at=at(BOUNDARY, 0)) == "year_over"
    assert rollover.cancel(run=run, by=planner, at=at(LAST_DAY, 23)).state == "cancelled"
    # A cancelled run does not stand in the way of the next, and its rates count for nobody.
    assert plan(region, releaser).state == "planned"


def test_one_run_a_year(region, planner):
    first, second = plan(region, planner), plan(region, planner)
    assert first.pk == second.pk
    with pytest.raises(IntegrityError, match="run_once_a_year"), transaction.atomic():
        release_run(region)


def test_no_count_while_chunks_are_open(region):
    open_account(make_member(), region, YEAR, "10.00")
    run = rollover.begin(run=release_run(region), at=at(BOUNDARY))
    assert refusal(rollover.reconcile, run=run) == "not_finished"
    assert refusal(rollover.finish, run=run) == "not_finished"


def test_a_run_that_does_not_agree_is_not_reconciled(region, planner):
    open_account(make_member(), region, YEAR, "10.00")
    run = release_run(region)
    work_to_the_end(run)
    run.chunks.update(moved=yuan("10.01"))
    run = rollover.finish(run=run, at=at(BOUNDARY))
    assert (run.state, run.totals["agrees"]) == ("paused", False)
    differing = {line["name"] for line in run.totals["lines"] if line["run"] != line["books"]}
    assert differing == {"moved", "historical_after"}
    assert refusal(rollover.close, run=run, by=planner) == "run_state"


def test_totals_that_differ_at_the_last_moment_stop_the_closing(region, planner):
    open_account(make_member(), region, YEAR, "10.00")
    run = release_run(region)
    work_to_the_end(run)
    run = rollover.finish(run=run, at=at(BOUNDARY))
    run.chunks.update(interest=yuan("0.01"))
    assert refusal(rollover.close, run=run, by=planner) == "totals_differ"
    run.refresh_from_db()
    assert (run.state, run.totals["agrees"]) == ("paused", False)


def test_who_turns_up_late_puts_his_chunk_back_to_work(region):
    open_account(make_member(), region, YEAR, "10.00")
    run = release_run(region)
    work_to_the_end(run)
    late = open_account(make_member(), region, YEAR, "7.00")
    run = rollover.finish(run=run, at=at(BOUNDARY))
    assert (run.state, run.totals["left_behind"]) == ("running", 1)
    work_to_the_end(run)
    run = rollover.finish(run=run, at=at(BOUNDARY))
    assert (run.state, run.totals["batch"]["moved"]) == ("reconciled", "17.00")
    assert state_of(late)[0] == YEAR + 1


def test_a_region_without_accounts_is_done_at_once(region):
    run = rollover.begin(run=release_run(region), at=at(BOUNDARY))
    assert rollover_work.work(run_id=run.pk, seconds=1) == rollover_work.Outcome.FINISHED
    assert rollover.finish(run=run, at=at(BOUNDARY)).state == "reconciled"
    assert progress(run, at(BOUNDARY)).percent == 100


def test_interest_comes_later_for_who_was_rolled_before_the_release(region, planner, releaser):
    touched = open_account(make_member(), region, YEAR, "100.00", "50.00")
    in_debt = open_account(make_member(), region, YEAR, "0.00", "36000.00")
    untouched = open_account(make_member(), region, YEAR, "100.00", "50.00")
    third = BOUNDARY + 2 * DAY
    for account in (touched, in_debt):
        roll(account.pk, third)
    move(in_debt, third, historical=yuan("-36000.00"), debt=yuan("100.00"), kind="clearing")
    fifth = BOUNDARY + 4 * DAY
    run = rehearsal.rehearse(run=plan(region, planner, on=third), by=planner, at=at(third))
    run = rollover.release(run=run, by=releaser, at=at(fifth))
    run = rollover.begin(run=run, at=at(fifth))
    work_to_the_end(run)
    assert state_of(touched)[2] == yuan("150.00")

    run = rollover.finish(run=run, at=at(fifth))

    assert state_of(touched) == state_of(untouched) == (YEAR + 1, 0, yuan("151.04"), 0)
    # 36000 x 365 x 1.35 % / 360 = 492.75, of which 100.00 pays the debt
    assert state_of(in_debt) == (YEAR + 1, 0, yuan("392.75"), 0)
    # The interest counts from the first day of the new year, as if it had come in time.
    assert (touched.products_on, touched.historical_products) == (fifth, 4 * yuan("151.04"))
    assert (run.state, run.totals["late_interest"]) == ("reconciled", "493.79")
    assert rollover.post_missing_interest(run=run, at=at(fifth)) == (0, 0)
    assert faults() == []
    # Of two lines of interest on one day its reader must know which year each is for.
    entries = Entry.objects.filter(account=touched, kind="interest").select_related("transaction")
    with translation.override("en"):
        assert [what(line) for line in lines(touched, entries)] == [f"Interest of the benefit year {YEAR}"]
        # A run made years after its year ended would else seem to be of this year.
        assert str(BOUNDARY.year) in events(run, BOUNDARY)[3]["small"]


def test_interest_too_high_is_taken_back_as_far_as_there_is_money(region):
    rich = open_account(make_member(), region, YEAR, "0.00", "36000.00")
    poor = open_account(make_member(), region, YEAR, "0.00", "36000.00")
    run = release_run(region)
    work_to_the_end(run)
    move(poor, BOUNDARY, historical=yuan("-36492.00"), kind="clearing")
    RolloverRun.objects.update(historical_rate=yuan("0.35"))
    run.refresh_from_db()
    # 492.75 was posted, 127.75 is due: 365.00 back from each
    assert rollover.post_missing_interest(run=run, at=at(BOUNDARY)) == (2, yuan("-730.00"))
    assert state_of(rich) == (YEAR + 1, 0, yuan("36127.75"), 0)
    assert state_of(poor) == (YEAR + 1, 0, 0, yuan("364.25"))
    assert faults() == []


def test_two_buttons_at_once_follow_each_other(region, planner):
    """The state is read under the row's lock, not from the page that was open."""
    open_account(make_member(), region, YEAR, "10.00")
    run = rollover.begin(run=release_run(region), at=at(BOUNDARY))
    stale = RolloverRun.objects.get(pk=run.pk)
    rollover.pause(run=run, by=planner)
    assert refusal(rollover.pause, run=stale, by=planner) == "run_state"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM settlements_rolloverchunk")
        assert cursor.fetchone() == (1,)
