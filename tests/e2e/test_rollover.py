"""The year-end rollover from the plan to the close, on its page: one administrator plans, another releases."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from settlements import tasks
from settlements.actions import adjusting, rollover, rollover_work
from settlements.models import Entry, RolloverAdjustment, RolloverRun
from tests.e2e.eyes import Window
from tests.people import make_region, make_staff
from tests.settlements.rollover.world import BOUNDARY, FIRST_DAY, YEAR, at, faults, release_run, work_to_the_end
from tests.support.ledger import open_many

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ACCOUNTS = 50


def press(window: Window, name: str) -> None:
    """A button of the run, and the question behind it."""
    window.page.click(f"#do-{name}")
    window.page.wait_for_url(f"**/do/{name}/")
    window.look()
    window.page.click("main form button")
    window.page.wait_for_url("**/change/")
    window.look()


def test_from_the_plan_to_the_close(visit, live, settings) -> None:
    settings.ROLLOVER_CHUNK_SIZE = 10
    region = make_region()
    open_many(region, YEAR, ACCOUNTS, FIRST_DAY)
    planner, releaser = (make_staff("region_admin", region=region, name=name) for name in ("章甲", "章乙"))

    window = visit(planner, wide=True)
    window.go(reverse("admin:settlements_rolloverrun_add"))
    window.look()
    window.fill(year=str(YEAR), current_rate="0.35", historical_rate="1.35")
    window.page.press("main [name=historical_rate]", "Enter")
    window.page.wait_for_url("**/change/")
    window.look()
    press(window, "rehearse")
    assert window.page.locator("#do-release").count() == 0

    second = visit(releaser, wide=True, language="en")
    run = RolloverRun.objects.get()
    second.go(reverse("admin:settlements_rolloverrun_change", args=[run.pk]))
    press(second, "release")
    press(second, "begin")
    hero = second.page.locator(".portal-run .portal-money--hero")
    expect(hero).to_contain_text("0.0")

    # No worker listens here: the work is done in this process, and the page notices by asking.
    rollover_work.roll_next(run_id=run.pk)
    expect(hero).to_contain_text("20.0")
    second.look()
    tasks.work_rollover(run.pk)
    expect(hero).to_contain_text("100.0")
    tasks.finish_rollover(run.pk)
    expect(second.page.locator("#do-close")).to_be_visible()
    second.look()
    press(second, "close")
    run.refresh_from_db()
    assert (run.state, run.planned_by, run.released_by) == ("closed", planner, releaser)
    assert run.totals["agrees"]
    assert Entry.objects.filter(kind="rollover").count() == ACCOUNTS
    assert faults() == []


def confirm(window: Window, name: str) -> None:
    """A button of the correction, and the question behind it."""
    window.page.click(f"#do-{name}")
    window.page.wait_for_url(f"**/do/{name}/")
    window.look()
    window.page.click("main form button")
    window.page.wait_for_url("**/adjustments/*/")
    window.look()


def test_a_correction_from_the_plan_to_the_end(visit, live) -> None:
    region = make_region()
    open_many(region, YEAR, ACCOUNTS, FIRST_DAY)
    run = release_run(region)
    work_to_the_end(run)
    rollover.finish(run=run, at=at(BOUNDARY))
    planner, releaser = (make_staff("region_admin", region=region, name=name) for name in ("章甲", "章乙"))

    window = visit(planner)
    window.go(reverse("admin:settlements_rolloverrun_change", args=[run.pk]))
    window.look()
    window.go(reverse("admin:settlements_rolloverrun_adjust", args=[run.pk]))
    window.look()
    window.fill(current_rate="0.35", historical_rate="0.135", reason="1.35")
    window.page.click("main form button")
    window.page.wait_for_url("**/adjustments/*/")
    window.look()
    adjustment = RolloverAdjustment.objects.get()
    # No worker listens here: the page notices by asking.
    tasks.work_adjustment(adjustment.pk)
    expect(window.page.locator("#do-cancel")).to_be_visible()
    window.look()
    assert window.page.locator("#do-release").count() == 0

    second = visit(releaser, wide=True, language="en")
    second.go(reverse("admin:settlements_rolloverrun_adjustment", args=[adjustment.pk]))
    confirm(second, "release")
    tasks.work_adjustment(adjustment.pk)
    expect(second.page.locator("#adjustment")).to_contain_text("Everything is posted")
    second.look()
    found = adjusting.sums(adjustment)
    assert found.posted == found.due == found.by_products < 0
    assert faults() == []
