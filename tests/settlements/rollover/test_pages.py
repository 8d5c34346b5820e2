"""The administration's pages of a rollover: who sees them, what they say, and that every button asks before it acts."""

import datetime
import re

import pytest
from django.urls import reverse

from accounts import clock, dates
from accounts.models import AuditEvent
from settlements import tasks
from settlements.actions import rehearsal, rollover, rollover_work
from settlements.models import RolloverRun
from settlements.queries import waiting
from settlements.views import rollover as pages
from tests.people import PASSWORD, make_login, make_member, make_region, make_staff
from tests.settlements.rollover.world import BOUNDARY, YEAR, at, release_run, work_to_the_end
from tests.support.ledger import open_account

PLAN = {"year": "2025", "current_rate": "0.35", "historical_rate": "1.35"}


@pytest.fixture
def region(db):
    return make_region()


def enter(client, user):
    """Logged in a moment ago, so that a changing request needs no further proof."""
    client.force_login(user)
    client.post("/prove/", {"password": PASSWORD})
    return client


@pytest.fixture
def desk(region, client):
    client.administrator = make_staff("region_admin", region=region, name="章甲")
    return enter(client, client.administrator)


def url(name: str, *args: object) -> str:
    return reverse(f"admin:settlements_rolloverrun_{name}", args=args)


def act(client, run, name):
    """Followed only where the administration sends those it does not know."""
    return at_last(client, client.post(url("act", run.pk, name)))


def at_last(client, answer):
    """The answer behind the administration's door, which is an address of its own."""
    if answer.status_code == 302 and answer.url.startswith(reverse("admin:login")):
        return client.get(answer.url)
    return answer


def look(client, address):
    return at_last(client, client.get(address))


def test_plan_rehearse_release_by_two_people(desk, region):
    open_account(make_member(), region, YEAR, "100.00", "50.00")
    answer = desk.post(url("add"), {"region": region.pk, **PLAN})
    run = RolloverRun.objects.get()
    assert (answer.status_code, answer.url) == (302, url("change", run.pk))
    assert (
        "Nothing is written to any account"
        in desk.get(url("act", run.pk, "rehearse"), headers={"accept-language": "en"}).text
    )
    assert act(desk, run, "rehearse").status_code == 302
    page = desk.get(url("change", run.pk), headers={"accept-language": "en"}).text
    assert "151.04" in page
    assert "You planned it, so another administrator" in page
    assert url("act", run.pk, "release") not in page

    refused = act(desk, run, "release")
    assert refused.status_code == 422
    enter(desk, make_staff("region_admin", region=region))
    assert url("act", run.pk, "release") in desk.get(url("change", run.pk)).text
    assert act(desk, run, "release").status_code == 302
    run.refresh_from_db()
    assert run.state == "released"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("region", "110000"),
        ("year", "abcd"),
        ("current_rate", ""),
        ("historical_rate", ""),
        ("current_rate", "-1"),
        ("historical_rate", "135"),
        ("historical_rate", "1.23456"),
    ],
)
def test_a_plan_with_a_mistake_is_422_and_says_so(desk, region, field, value):
    make_region("110000")
    answer = desk.post(url("add"), {"region": region.pk, **PLAN, field: value})
    assert answer.status_code == 422
    assert "govuk-error-summary" in answer.text
    assert RolloverRun.objects.count() == 0


def test_the_form_to_change_rates_knows_the_run(desk, region):
    desk.post(url("add"), {"region": region.pk, **PLAN})
    run = RolloverRun.objects.get()
    page = desk.get(url("add") + f"?run={run.pk}").text
    assert 'value="1.3500"' in page
    for odd in ("x", "²", "999999", ""):
        assert desk.get(url("add") + f"?run={odd}").status_code == 200
    desk.post(url("add"), {"region": region.pk, **PLAN, "historical_rate": "2"})
    run.refresh_from_db()
    assert run.historical_rate == 2
    RolloverRun.objects.update(state="released", released_at=at(BOUNDARY))
    assert desk.post(url("add"), {"region": region.pk, **PLAN}).status_code == 422
    run.refresh_from_db()
    assert run.historical_rate == 2


def test_the_page_of_a_working_run_refreshes_itself_with_and_without_script(desk, region, settings, monkeypatch):
    settings.ROLLOVER_CHUNK_SIZE = 1
    for _ in range(4):
        open_account(make_member(), region, YEAR, "100.00")
    run = rollover.begin(run=release_run(region), at=at(BOUNDARY))
    rollover_work.roll_next(run_id=run.pk)
    monkeypatch.setattr(pages.clock, "now", lambda: at(BOUNDARY) + datetime.timedelta(seconds=1))
    page = desk.get(url("change", run.pk), headers={"accept-language": "en"}).text
    assert "25.0" in page and "1 of 4 done" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    part = desk.get(url("progress", run.pk), headers={"hx-request": "true"})
    assert part.status_code == 200
    assert 'hx-trigger="every 2s"' in part.text and "<html" not in part.text


def test_polling_stops_when_the_work_does(desk, region):
    open_account(make_member(), region, YEAR, "100.00")
    run = release_run(region)
    work_to_the_end(run)
    run = rollover.finish(run=run, at=at(BOUNDARY))
    part = desk.get(url("progress", run.pk), headers={"hx-request": "true"})
    assert part.status_code == 286
    assert "hx-trigger" not in part.text
    assert "Agrees to the fen" in desk.get(url("change", run.pk), headers={"accept-language": "en"}).text


def test_pause_resume_and_close_from_the_page(desk, region, monkeypatch):
    rung = []
    monkeypatch.setattr(tasks.work_rollover, "delay", rung.append)
    open_account(make_member(), region, YEAR, "100.00")
    run = rollover.begin(run=release_run(region), at=at(BOUNDARY))
    assert desk.get(url("act", run.pk, "pause")).status_code == 200
    run.refresh_from_db()
    assert run.state == "running"
    assert act(desk, run, "pause").status_code == 302
    assert rung == []
    assert act(desk, run, "pause").status_code == 422
    assert act(desk, run, "resume").status_code == 302
    assert rung == [run.pk] * 4
    work_to_the_end(run)
    rollover.finish(run=run, at=at(BOUNDARY))
    assert act(desk, run, "reconcile").status_code == 302
    RolloverRun.objects.update(planned_by=desk.administrator)
    page = desk.get(url("change", run.pk), headers={"accept-language": "en"}).text
    assert "another administrator of the region must close it" in page and url("act", run.pk, "close") not in page
    assert act(desk, run, "close").status_code == 422
    RolloverRun.objects.update(planned_by=make_staff("region_admin", region=region))
    assert act(desk, run, "close").status_code == 302
    run.refresh_from_db()
    assert (run.state, run.closed_by) == ("closed", desk.administrator)


def test_a_bell_that_cannot_be_rung_does_not_undo_the_act(desk, region, monkeypatch):
    def broken(run_id):
        raise tasks.OperationalError("no Redis")

    monkeypatch.setattr(tasks.work_rollover, "delay", broken)
    open_account(make_member(), region, YEAR, "100.00")
    run = rollover.begin(run=release_run(region), at=at(BOUNDARY))
    act(desk, run, "pause")
    assert act(desk, run, "resume").status_code == 302
    run.refresh_from_db()
    assert run.state == "running"


def test_what_cannot_be_done_any_more_is_not_asked_for(desk, region):
    run = release_run(region)
    assert look(desk, url("act", run.pk, "cancel")).status_code == 200
    for name in ("release", "pause", "resume", "close"):
        assert look(desk, url("act", run.pk, name)).url == url("change", run.pk)


@pytest.mark.parametrize("role", ["clerk", "supervisor", "system_admin", "auditor", "region_admin"])
def test_only_administrators_of_the_region_press_buttons(client, region, role):
    """An administrator here is one of another region."""
    run = release_run(region)
    enter(client, make_staff(role, region=make_region("110000")))
    reads = 200 if role == "auditor" else 404
    assert look(client, url("change", run.pk)).status_code == reads
    assert look(client, url("progress", run.pk)).status_code == (286 if reads == 200 else 404)
    for name in ("report", "paper", "status"):
        assert look(client, url(name, run.pk)).status_code == reads
    statuses = look(client, url("statuses"))
    assert statuses.status_code == 404 or (run.region_id in statuses.text) is (role == "auditor")
    for name in pages.VERBS:
        assert act(client, run, name).status_code == 404
    run.refresh_from_db()
    assert run.state == "released"
    planned = at_last(client, client.post(url("add"), {"region": region.pk, **PLAN, "year": "2026"}))
    assert planned.status_code == (422 if role == "region_admin" else 404)
    assert RolloverRun.objects.count() == 1


def test_a_citizen_finds_no_such_page(client, region):
    run = release_run(region)
    enter(client, make_login(make_member()))
    addresses = [url(name, run.pk) for name in ("change", "progress", "report", "paper", "status", "adjust")]
    for address in (url("changelist"), url("statuses"), url("add"), *addresses):
        assert look(client, address).status_code == 404


def test_an_unknown_button_is_no_page(desk, region):
    run = release_run(region)
    assert act(desk, run, "explode").status_code == 404
    assert desk.get(url("change", 2**40)).status_code == 404


def test_lists_and_entries_of_the_administration(desk, region):
    account = open_account(make_member(), region, YEAR, "100.00", "50.00")
    foreign = open_account(make_member(region=make_region("110000")), make_region("110000"), YEAR, "1.00")
    run = release_run(region)
    work_to_the_end(run)
    for name in (
        "rolloverrun", "personalaccount", "ledgertransaction", "settlement", "scheme", "creditrule", "catalogueitem",
    ):  # fmt: skip
        assert desk.get(reverse(f"admin:settlements_{name}_changelist")).status_code == 200, name
    entries = reverse("admin:settlements_personalaccount_entries", args=[account.pk])
    assert entries in desk.get(reverse("admin:settlements_personalaccount_change", args=[account.pk])).text
    page = desk.get(entries)
    assert page.status_code == 200
    assert "151.04" in page.text and "+1.04" in page.text
    assert AuditEvent.objects.filter(action="admin_view", member_id=account.member_id).count() == 2
    assert desk.get(reverse("admin:settlements_personalaccount_entries", args=[foreign.pk])).status_code == 404
    assert desk.post(reverse("admin:settlements_personalaccount_change", args=[account.pk])).status_code in (403, 404)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (59, "59 s"), (348, "5 min 48 s"), (3600, "1 h 0 min"), (7530, "2 h 5 min")]
)
def test_durations(seconds, said):
    from django.utils import translation

    with translation.override("en"):
        assert dates.duration(seconds) == said


@pytest.mark.parametrize("query", ["", "?run=1"])
def test_a_form_with_mistakes_that_waited_for_a_proof_is_sent_to_its_own_page(client, region, query):
    client.force_login(make_staff("region_admin", region=region))
    waits = client.post(url("add") + query, {"region": region.pk, **PLAN, "current_rate": "x"})
    assert waits.url.startswith("/prove/")
    answer = client.post(waits.url, {"password": PASSWORD})
    assert answer.status_code == 422
    # Without an address it would be sent to the proof's, which throws it away.
    assert f'<form action="{url("add")}" method="post"' in answer.text
    assert not re.search(r'<form(?![^>]*action=)[^>]*method="post"', answer.text)


def test_a_year_that_has_not_begun_is_not_planned(desk, region):
    answer = desk.post(url("add"), {"region": region.pk, **PLAN, "year": "2090"}, headers={"accept-language": "en"})
    assert answer.status_code == 422
    assert "This benefit year has not begun yet" in answer.text
    assert not RolloverRun.objects.exists()


def test_a_year_that_was_released_is_not_said_to_have_moved_on(desk, region):
    release_run(region)
    answer = desk.post(url("add"), {"region": region.pk, **PLAN, "year": str(YEAR)}, headers={"accept-language": "en"})
    assert answer.status_code == 422
    assert "has been released already" in answer.text


def test_a_run_that_stands_still_says_so_though_no_worker_raised_the_alarm(desk, region):
    open_account(make_member(), region, YEAR, "10.00")
    run = rollover.begin(run=release_run(region), at=at(BOUNDARY))
    with clock.standing(at(BOUNDARY) + datetime.timedelta(minutes=9)):
        assert "It has stood still" not in desk.get(url("progress", run.pk), headers={"accept-language": "en"}).text
    with clock.standing(at(BOUNDARY) + datetime.timedelta(minutes=10)):
        assert "It has stood still" in desk.get(url("progress", run.pk), headers={"accept-language": "en"}).text


def test_a_released_run_whose_day_has_come_does_not_speak_of_the_day_to_come(desk, region):
    run = release_run(region)
    with clock.standing(at(BOUNDARY)):
        page = desk.get(url("change", run.pk), headers={"accept-language": "en"}).text
    assert "look whether the workers run" in page
    assert url("act", run.pk, "begin") in page
    # Accounts roll with these rates already.
    assert url("act", run.pk, "cancel") not in page


def test_a_plan_that_was_taken_back_has_nothing_to_come(desk, region):
    run = release_run(region)
    rollover.cancel(run=run, by=desk.administrator, at=at(BOUNDARY) - datetime.timedelta(days=1))
    page = desk.get(url("change", run.pk), headers={"accept-language": "en"}).text
    assert "Taken back" in page
    assert "Batch begins" not in page


def test_what_waits_for_the_second_person_is_counted_for_him_alone(client, region):
    first, second = (make_staff("region_admin", region=region) for _ in range(2))
    stranger = make_staff("region_admin", region=make_region("110000"))
    run = rollover.plan(region=region, year=YEAR, current_rate=0, historical_rate=0, by=first, at=at(BOUNDARY))
    assert [waiting.rollovers(who) for who in (first, second, stranger)] == [0, 0, 0]
    rehearsal.rehearse(run=run, by=first, at=at(BOUNDARY))
    assert [waiting.rollovers(who) for who in (first, second, stranger)] == [0, 1, 0]
    client.force_login(second)
    assert '<span class="portal-nav__count">1' in client.get(url("changelist")).text
    run = rollover.release(run=run, by=second, at=at(BOUNDARY))
    assert waiting.rollovers(second) == 0
    work_to_the_end(rollover.begin(run=run, at=at(BOUNDARY)))
    rollover.finish(run=run, at=at(BOUNDARY))
    assert [waiting.rollovers(who) for who in (first, second, stranger)] == [0, 1, 0]
