"""What the system does by itself: opens a rollover ahead of time, watches it, tells machines how it stands."""

import datetime
import json

import pytest
from django.core.management import call_command

from accounts import clock
from accounts.errors import Refused
from accounts.models import AuditEvent, SmsOutbox
from settlements import tasks
from settlements.actions import rehearsal, rollover, rollover_watch, rollover_work
from settlements.models import RolloverRun
from settlements.queries.rollover import status, years_to_open
from tests.people import make_member, make_region, make_staff
from tests.settlements.rollover.world import BOUNDARY, RATES, YEAR, at, release_run, work_to_the_end
from tests.support.ledger import open_account

DAY, MINUTE = datetime.timedelta(days=1), datetime.timedelta(minutes=1)


@pytest.fixture
def region(db):
    return make_region()


def with_phone(user, phone, language="zh-hans"):
    user.phone, user.phone_verified, user.language = phone, True, language
    user.save()
    return user


def texts(kind) -> list[str]:
    return [row.text for row in SmsOutbox.objects.filter(kind=kind).order_by("id")]


def test_a_month_ahead_the_rollover_is_opened_once_and_the_administrators_are_asked(region):
    open_account(make_member(), region, YEAR, "10.00")
    with_phone(make_staff("region_admin", region=region), "13800000001", "en")
    with_phone(make_staff("region_admin", region=make_region("110000")), "13800000002")
    stood_in = with_phone(make_staff("region_admin", region=region), "13800000003")
    stood_in.role_assignments.update(last_day=BOUNDARY - 31 * DAY)
    assert rollover_watch.open_coming(at=at(BOUNDARY - 31 * DAY)) == []
    (run,) = rollover_watch.open_coming(at=at(BOUNDARY - 30 * DAY))
    assert (run.region, run.year, run.state, run.planned_by, run.current_rate) == (region, YEAR, "opened", None, None)
    assert rollover_watch.open_coming(at=at(BOUNDARY - 29 * DAY)) == []
    (told,) = texts("rollover_opened")
    assert "benefit year 2025" in told and "1 July 2026" in told
    assert AuditEvent.objects.get(action="rollover.open").actor == "system"


def test_who_gives_the_rates_is_the_planner_and_another_releases(region):
    open_account(make_member(), region, YEAR, "10.00")
    (run,) = rollover_watch.open_coming(at=at(BOUNDARY - 30 * DAY))
    planner, other = (make_staff("region_admin", region=region) for _ in range(2))
    for act in (rollover.release, rollover.cancel):
        with pytest.raises(Refused, match="run_state"):
            act(run=run, by=planner)
    with pytest.raises(Refused, match="run_state"):
        rehearsal.rehearse(run=run, by=planner)
    planned = rollover.plan(
        region=region, year=YEAR, current_rate=RATES[0], historical_rate=RATES[1], by=planner, at=at(BOUNDARY - 9 * DAY)
    )
    assert (planned.pk, planned.state, planned.planned_by) == (run.pk, "planned", planner)
    run = rehearsal.rehearse(run=planned, by=planner, at=at(BOUNDARY - 9 * DAY))
    with pytest.raises(Refused, match="same_person"):
        rollover.release(run=run, by=planner)
    assert rollover.release(run=run, by=other).state == "released"


def test_a_region_without_accounts_or_with_a_plan_is_left_alone(region):
    assert years_to_open(BOUNDARY - DAY, 30) == []
    open_account(make_member(), region, YEAR, "10.00")
    run = rollover.plan(region=region, year=YEAR, current_rate=RATES[0], historical_rate=RATES[1], by=None)
    assert years_to_open(BOUNDARY - DAY, 30) == []
    # A plan that was taken back leaves the year without one: it is opened again.
    rollover.cancel(run=run, by=None, at=at(BOUNDARY - DAY))
    assert years_to_open(BOUNDARY - DAY, 30) == [(region.pk, YEAR, BOUNDARY)]


def test_the_alarm_is_raised_once_and_taken_back_once(region, settings, caplog, monkeypatch):
    settings.ROLLOVER_CHUNK_SIZE = 1
    for _ in range(2):
        open_account(make_member(), region, YEAR, "10.00")
    with_phone(make_staff("region_admin", region=region), "13800000001", "en")
    begun = at(BOUNDARY)
    run = rollover.begin(run=release_run(region), at=begun)
    look = lambda minutes: monkeypatch.setattr(tasks.clock, "now", lambda: begun + minutes * MINUTE)  # noqa: E731

    look(9)
    tasks.watch_runs()
    assert texts("rollover_stalled") == []
    for minutes in (10, 11, 12):
        look(minutes)
        tasks.watch_runs()
    run.refresh_from_db()
    assert run.stalled_at == begun + 10 * MINUTE
    assert caplog.text.count("no chunk done for 10 minutes") == 1
    (told,) = texts("rollover_stalled")
    assert "has not moved for 10 minutes" in told
    assert status(run, begun)["stalled_at"] == run.stalled_at.isoformat()

    monkeypatch.setattr("settlements.ledger.batch.clock.now", lambda: begun + 13 * MINUTE)
    assert rollover_work.roll_next(run_id=run.pk).accounts == 1
    for minutes in (13, 14):
        look(minutes)
        tasks.watch_runs()
    run.refresh_from_db()
    assert run.stalled_at is None
    assert len(texts("rollover_moves")) == 1
    look(23)
    tasks.watch_runs()
    assert len(texts("rollover_stalled")) == 2
    acts = AuditEvent.objects.filter(action__in=["rollover.stall", "rollover.unstall"]).order_by("id")
    assert list(acts.values_list("action", flat=True)) == ["rollover.stall", "rollover.unstall", "rollover.stall"]


def test_a_paused_run_stands_still_rightly_and_time_paused_does_not_count(region):
    open_account(make_member(), region, YEAR, "10.00")
    run = rollover.begin(run=release_run(region), at=at(BOUNDARY, 1))
    rollover.pause(run=run, by=None, at=at(BOUNDARY, 2))
    assert rollover_watch.watch(run_id=run.pk, at=at(BOUNDARY, 9)) is None
    rollover.resume(run=run, by=None, at=at(BOUNDARY, 10))
    assert rollover_watch.watch(run_id=run.pk, at=at(BOUNDARY, 10) + 5 * MINUTE) is None
    assert rollover_watch.watch(run_id=run.pk, at=at(BOUNDARY, 10) + 10 * MINUTE).stalled_at
    rollover.pause(run=run, by=None, at=at(BOUNDARY, 11))
    assert rollover_watch.watch(run_id=run.pk, at=at(BOUNDARY, 11)).stalled_at is None


def test_machines_are_told_in_json_what_the_page_shows(region, settings, capsys):
    settings.ROLLOVER_CHUNK_SIZE = 1
    for _ in range(4):
        open_account(make_member(), region, YEAR, "100.00")
    waiting = release_run(region)
    assert status(waiting, at(BOUNDARY))["percent"] == "0.0"
    # Should have begun by itself, which takes a minute where there is a worker.
    midnight = at(BOUNDARY, 0)
    assert status(waiting, midnight + 9 * MINUTE)["still_since"] is None
    assert status(waiting, midnight + 10 * MINUTE)["still_since"] == midnight.isoformat()
    run = rollover.begin(run=waiting, at=at(BOUNDARY))
    with clock.standing(at(BOUNDARY)):
        rollover_work.roll_next(run_id=run.pk)
    told = status(RolloverRun.objects.get(), at(BOUNDARY) + datetime.timedelta(seconds=1))
    assert (told["state"], told["accounts"], told["accounts_done"], told["percent"]) == ("running", 4, 1, "25.0")
    assert (told["per_second"], told["seconds_left"], told["moved"]) == (1, 3, "100.00")
    with clock.standing(at(BOUNDARY) + 9 * MINUTE):
        call_command("rollover_status")
    assert json.loads(capsys.readouterr().out)["run"] == str(run.public_id)
    # Nobody raised the alarm: the workers that would have are what stopped.
    with clock.standing(at(BOUNDARY) + 10 * MINUTE), pytest.raises(SystemExit):
        call_command("rollover_status")
    since = json.loads(capsys.readouterr().out)["still_since"]
    assert datetime.datetime.fromisoformat(since) == at(BOUNDARY)
    work_to_the_end(run)
    rollover.finish(run=run, at=at(BOUNDARY))
    assert status(RolloverRun.objects.get(), at(BOUNDARY))["agrees"] is True
