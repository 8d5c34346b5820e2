"""At the window: a clerk binds on behalf of a member, a supervisor checks, and the member sees who looked."""

import datetime
import io

import pytest
from django.urls import reverse
from playwright.sync_api import expect
from pypdf import PdfReader

from accounts.models import RoleAssignment
from accounts.naming import in_house, outside
from family.models import SharingApplication, SharingGrant
from tests.e2e.eyes import Window
from tests.family.support import make_rules
from tests.people import PASSWORD, last_code, make_centre, make_staff, person, totp_code

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def log_in_with_second_factor(window: Window, user) -> None:
    totp_code(user)  # set up before: without a second factor the login would ask to set one up
    window.go("/login/")
    window.fill(login=user.username, password=PASSWORD)
    window.page.press("main [name=password]", "Enter")
    window.page.wait_for_url("**/login/code/**")
    window.look()
    # Asked for again: a code of half a minute ago is no longer valid.
    window.fill(code=totp_code(user))
    window.page.press("main [name=code]", "Enter")
    window.page.wait_for_url("**/counter/")
    window.look()


def open_record(window: Window, member) -> None:
    """As the reader of ID cards types: the number, Enter; then the reason and F9."""
    page = window.page
    window.go("/counter/")
    page.focus("main [name=number]")
    page.keyboard.type(member.id_number)
    page.keyboard.press("Enter")
    expect(page.locator("main [name=reason]")).to_be_focused()
    page.select_option("main [name=reason]", "sharing")
    page.keyboard.press("F9")
    page.wait_for_url("**/counter/member/")
    window.look()


def bind(window: Window, relative) -> SharingApplication:
    page = window.page
    window.go(reverse("counter:bind"))
    window.look()
    window.fill(name=relative.name, id_number=relative.id_number, limit="1500")
    page.check("main [name=relation][value=spouse]")
    page.keyboard.press("F9")
    page.wait_for_url("**/counter/cases/**")
    window.look()
    page.check("main [name=agree]")
    page.keyboard.press("F9")
    page.wait_for_selector("main [name=code]")
    window.look()
    page.keyboard.press("F8")
    page.wait_for_selector(".portal-notice--ok")
    window.fill(code=last_code(relative.user.phone))
    page.keyboard.press("F9")
    expect(page.locator("main [name=code]")).to_have_count(0)
    window.look()
    return SharingApplication.objects.get()


@pytest.fixture
def staff(scene):
    centre = make_centre(scene.region)
    return [
        make_staff(role, region=scene.region, centre=centre, name=name)
        for role, name in (("clerk", "柜员甲"), ("supervisor", "复核员乙"))
    ]


def test_a_binding_at_the_window_and_its_second_check(visit, scene, staff) -> None:
    make_rules(scene.region, review="window")
    spouse = person("方某", datetime.date(1984, 8, 2), sex="M", region=scene.region)
    clerk, supervisor = staff
    window = visit(wide=True)
    log_in_with_second_factor(window, clerk)
    open_record(window, scene.daughter.member)
    application = bind(window, spouse.member)
    assert application.case.state == "review"
    receipt(window, application)

    RoleAssignment.objects.create(user=clerk, role="supervisor", region=scene.region)
    window.go(reverse("counter:review", args=[application.case.public_id]))
    window.look()
    assert window.page.locator("[name=verdict]").count() == 0
    own = "You had a hand in this case, so another supervisor has to check it: whoever makes a case may not check it."
    assert window.said(own) in window.text()
    assert not SharingGrant.objects.filter(beneficiary=spouse.member).exists()

    check = visit(supervisor, wide=True, language="en")
    check.go(reverse("counter:queue"))
    check.look()
    check.follow(check.page.get_by_role("link", name=application.case.number))
    check.look()
    check.page.keyboard.press("F9")
    check.page.wait_for_url("**/counter/queue/")
    check.look()
    assert SharingGrant.objects.filter(beneficiary=spouse.member).exists()

    member = visit(scene.daughter)
    member.go(reverse("accounts:seen"))
    member.look()
    for one in (clerk, supervisor):
        assert outside(in_house(one)) in member.text() and one.display_name not in member.text()
    assert "家庭共济" in member.text()


def test_what_is_typed_survives_the_keys(visit, scene, staff) -> None:
    window = visit(staff[0], wide=True)
    open_record(window, scene.daughter.member)
    page = window.page
    window.go(reverse("counter:bind"))
    window.fill(name="方若晴")
    page.keyboard.press("F4")
    expect(page.locator(".portal-opened")).to_contain_text(scene.daughter.member.id_number)
    window.look()
    assert page.url.endswith(reverse("counter:bind")), "no page that Back and reload cannot show"
    page.focus("main [name=name]")
    for key in ("Escape", "Enter"):  # the input method's, while it composes
        page.evaluate(
            "key => document.activeElement.dispatchEvent("
            "new KeyboardEvent('keydown', {key, isComposing: true, bubbles: true}))",
            key,
        )
    expect(page.locator("main [name=name]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("main [name=name]")).not_to_be_focused()
    expect(page.locator("main [name=name]")).to_have_value("方若晴")
    page.keyboard.press("Escape")
    page.wait_for_url("**/counter/")


def test_enter_goes_past_the_buttons_of_an_heir_to_the_next_box(visit, scene, staff) -> None:
    window = visit(staff[0], wide=True)
    open_record(window, scene.daughter.member)
    window.go(reverse("counter:closing_begin", args=["inheritance"]))
    window.page.click("main button[value=add]")
    window.page.press("main [name=heirs-0-bank_account]", "Enter")
    expect(window.page.locator("main [name=heirs-1-name]")).to_be_focused()


def receipt(window: Window, application: SharingApplication) -> None:
    """The browser shows PDFs in a new window, which a headless one cannot: asked for with the window's own cookies."""
    page = window.page
    assert page.locator("form[action$='/receipt/'] [name=paper]").count() == 2
    token = page.locator("form[action$='/receipt/'] [name=csrfmiddlewaretoken]").get_attribute("value") or ""
    answer = page.request.post(
        window.base + reverse("counter:receipt", args=[application.case.public_id]),
        form={"paper": "80mm", "csrfmiddlewaretoken": token},
        headers={"Referer": page.url},
    )
    assert answer.headers["content-type"] == "application/pdf"
    text = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(answer.body())).pages)
    assert application.case.number in text.replace(" ", "").replace("\n", "")
