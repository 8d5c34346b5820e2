"""An administrator sees what an institution and the portal do not agree on, explains it, and takes the month's statement."""

import datetime
import json

import pytest
from django.urls import reverse

from accounts import clock
from accounts.clock import now
from accounts.enums import Role
from gateway import tasks
from gateway.models import Difference
from tests.e2e.test_crawl import crawl
from tests.gateway.test_reconciling import compare, settle
from tests.gateway.world import make_world
from tests.people import make_staff

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def differences(live):
    """A lost settlement and one that only the institution has; the day is not reconciled."""
    world = make_world()
    bill, _lost = settle(world, "80.00"), settle(world, "412.35")
    compare(world, [bill, {**bill, "setl_id": "310000209901010000000000000001"}])
    with clock.standing(now() + datetime.timedelta(days=1)):
        tasks.watch_reconciliation()
    return world


@pytest.mark.parametrize(("language", "wide"), [("zh-hans", False), ("zh-hans", True), ("en", True)])
def test_every_page_of_reconciliation(visit, differences, language, wide) -> None:
    window = visit(make_staff(Role.REGION_ADMIN, region=differences.region), language=language, wide=wide)
    chosen = f"?institution={differences.hospital.institution.pk}&month={clock.today():%Y-%m}"
    pages = [
        ("board", reverse("admin:gateway_difference_board")),
        ("clearing", reverse("admin:gateway_difference_clearing") + chosen),
        *(
            (one.kind, reverse("admin:gateway_difference_change", args=[one.pk]))
            for one in Difference.objects.order_by("pk")
        ),
    ]
    assert len(pages) == 4
    faults = crawl(window, pages)
    assert faults == {}, json.dumps(faults, ensure_ascii=False, indent=1)


def test_a_key_is_issued_in_the_browser(visit, differences) -> None:
    window = visit(make_staff(Role.REGION_ADMIN, region=differences.region))
    page = window.page
    window.go(reverse("admin:gateway_institutionkey_add"))
    page.select_option("[name=institution]", str(differences.hospital.institution.pk))
    page.click("[name=_save]")
    page.wait_for_url("**/issued/")
    window.look()
    secret = page.locator("dd code").last.inner_text()
    assert len(secret) == 64
    page.reload()
    assert secret not in page.inner_text("#content")
    page.go_back()
    page.wait_for_url("**/add/")


def test_a_difference_is_explained_and_closed_in_the_browser(visit, differences) -> None:
    window = visit(make_staff(Role.REGION_ADMIN, region=differences.region), wide=True)
    one = Difference.objects.get(kind="missing_there")
    page = window.page
    window.go(reverse("admin:gateway_difference_change", args=[one.pk]))
    page.get_by_role("button", name="说明原因").click()
    page.get_by_role("link", name="请写明差异的来由").wait_for()
    page.get_by_label("备注").fill("医院信息科王某：应答丢失，今天冲正")
    page.get_by_role("button", name="说明原因").click()
    page.get_by_role("button", name="关闭").wait_for()
    page.get_by_label("备注").fill("医院已冲正")
    page.get_by_role("button", name="关闭").click()
    page.get_by_text("医院已冲正").wait_for()
    one.refresh_from_db()
    assert one.state == "closed"
