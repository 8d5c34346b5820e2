"""The till of the demo in a browser, its calls answered by the server that shows its pages."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from gateway.models import GatewayMessage
from settlements.models import Settlement
from tests.e2e.eyes import Window
from tests.gateway.world import DRUG, World, make_hospital, make_world

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def till(live: str, settings) -> World:
    """A hospital and a pharmacy of Shanghai with keys, and the gateway where this server is."""
    settings.TILL_URL = live
    return make_world()


def to_the_till(window: Window, code: str) -> None:
    window.go(reverse("till:start"))
    window.look()
    window.go(reverse("till:patients", args=[code]))
    window.look()
    window.follow(window.page.get_by_role("button", name=re.compile(window.said("Choose"))).first)


def fill(window: Window, quantity: str) -> None:
    page = window.page
    page.fill("#q", DRUG)
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.click("#search")
    expect(page.locator("button[value^='add:']")).to_have_count(1)
    page.click(f"#add-{DRUG}")
    page.fill("#id_line1-quantity", quantity)
    page.fill("#id_line1-price", "86")


def test_a_clinic_quotes_settles_and_reverses(visit, till: World) -> None:
    window = visit(None, wide=True)
    page = window.page
    to_the_till(window, till.hospital.institution.code)
    window.look()
    fill(window, "x")
    page.click("#quote")
    expect(page.locator("#id_line1-quantity_error")).to_be_visible()
    window.look()
    page.fill("#id_line1-quantity", "10")
    page.click("#quote")
    expect(page.locator("#settle")).to_be_visible()
    expect(page.locator("#h-pay")).to_be_focused()
    expect(page.locator("#portal-announce")).to_have_text(window.said("Who would pay how much"))
    window.look()
    assert not Settlement.objects.exists()

    page.click("#settle")
    expect(page.locator("#reverse")).to_be_visible()
    window.look()
    settled = Settlement.objects.get()
    assert settled.total == 860 and settled.shared
    assert page.locator("svg.portal-bar title").text_content().count("，") >= 2
    page.click("#repeat")
    expect(page.locator("#message")).to_contain_text("逐字节相同")
    page.click("#message-1")
    expect(page.locator("#h-message")).to_contain_text("1101")
    expect(page.locator("#request")).to_contain_text('"infno": "1101"')
    window.look()

    page.click("#reverse")
    expect(page.locator("#h-pay")).to_have_text(window.said("Who got how much back"))
    window.look()
    settled.refresh_from_db()
    assert settled.reversed_on
    sent = list(GatewayMessage.objects.order_by("pk").values_list("infno", flat=True))
    assert sent == ["1101", "2201", "2203", "2204", "2206", "2207", "2207", "2208", "2205", "2202"]
    window.go(reverse("till:receipt"))
    window.look()


def test_a_pharmacy_without_script_in_large_print_and_english(visit, till: World) -> None:
    pharmacy = make_hospital(till.region, "示例药店", kind="pharmacy", level="primary")
    window = visit(None, language="en", elder=True, script=False)
    page = window.page
    window.go(reverse("till:patients", args=[pharmacy.institution.code]))
    window.follow(page.get_by_role("button", name=re.compile("Choose")).first)
    fill(window, "2")
    for button in ("#quote", "#settle", "#reverse"):
        window.follow(page.locator(button))
    assert "Who got how much back" in window.text()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.click("#message-3")
    assert '"infno": "2102"' in page.inner_text("#request")
    assert GatewayMessage.objects.filter(outcome="ok").count() == 4
