"""A member claims the record, logs in, and reads the account as far as the paper."""

import io

import pytest
from django.urls import reverse
from playwright.sync_api import expect
from pypdf import PdfReader

from accounts.masks import mask_name
from settlements.queries.member import account_of, balance_of
from tests.e2e.eyes import Window
from tests.people import PASSWORD, last_code, make_member, make_phone
from tests.settlements.scene import bill, open_with

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def claim(window: Window, member, phone: str) -> None:
    window.go("/")
    window.look()
    window.follow(window.link("First time here: claim my account"))
    window.look()
    window.button("Send the code").click()
    window.page.wait_for_selector(".govuk-error-summary")
    window.look()
    window.fill(name=member.name, id_number=member.id_number.lower(), card_number=member.card_number, phone=phone)
    window.button("Send the code").click()
    window.page.wait_for_url("**/claim/code/")
    window.look()
    window.fill(code=last_code(phone))
    window.page.press("main [name=code]", "Enter")
    window.page.wait_for_url("**/claim/password/")
    window.look()
    window.fill(password=PASSWORD, again=PASSWORD)
    window.button("Open my account").click()
    window.page.wait_for_url("**/identity/")
    window.look()
    window.button("Begin the check").click()
    window.page.wait_for_url(window.base + "/")


def log_in_again(window: Window, member) -> None:
    window.button("Log out").click()
    window.page.wait_for_url("**/login/")
    window.fill(login=member.id_number, password="not-the-password")
    window.page.press("main [name=password]", "Enter")
    window.page.wait_for_selector(".govuk-error-summary")
    window.look()
    window.fill(login=member.id_number, password=PASSWORD)
    window.page.press("main [name=password]", "Enter")
    window.page.wait_for_url(window.base + "/")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_from_the_claim_to_the_statement_on_paper(visit, scene, language) -> None:
    member = make_member("顾某岚", region=scene.region)
    open_with(member, scene.region, scene.on, "800.00", "1234.56", True)
    settled = bill(scene, member, in_scope="950.00", self_paid="33.10")
    balance = balance_of(account_of(member, scene.on), scene.on)
    window = visit(language=language)
    page = window.page

    claim(window, member, make_phone())
    log_in_again(window, member)
    window.look()
    assert mask_name(member.name) in window.text() or member.name in window.text()
    assert f"{balance.historical:,.2f}" in window.text()

    window.go(reverse("settlements:account"))
    window.look()
    assert page.locator("#movements .portal-rows > li").count() > 1
    page.select_option("main [name=kind]", "care")
    page.focus("#filter-go")
    with page.expect_response(lambda response: "kind=care" in response.url):
        page.keyboard.press("Enter")
    page.wait_for_url("**kind=care**")
    expect(page.locator("#movements .portal-rows > li")).to_have_count(1)
    expect(page.locator("#portal-announce")).to_contain_text("1")
    expect(page.locator("#filter-go")).to_be_focused()
    window.look()

    page.locator("#movements .portal-rows a").first.click()
    page.wait_for_url(f"**{reverse('settlements:bill', args=[settled.public_id])}")
    window.look()
    assert page.locator(".portal-working > li").count() >= 2
    assert f"{settled.cash:,.2f}" in window.text().replace(" ", "").replace("\n", "")

    window.go(reverse("settlements:statement"))
    page.click("#period-month")
    page.wait_for_url("**period=month")
    expect(page.locator("#period-month")).to_have_attribute("aria-current", "true")
    window.look()
    assert f"{balance.current + balance.historical:,.2f}" in page.inner_text("#statement tfoot")

    paper = window.download(window.button("Issue as PDF"))
    assert paper.suggested_filename.endswith(".pdf")
    with open(paper.path(), "rb") as file:
        text = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(file.read())).pages)
    assert f"{balance.historical:,.2f}" in text
    assert f"{balance.current + balance.historical:,.2f}" in text
    window.go(reverse("settlements:statement"))
    assert window.button("Print a copy").count() == 1
    window.look()


def test_the_way_back_leads_to_the_form_after_a_mistake(visit, scene) -> None:
    """The browser showed a page of its own, that the form would have to be sent again."""
    window = visit(scene.father)
    window.go(reverse("settlements:claim_new"))
    window.follow(window.button("Go on and see what comes back"))
    window.page.wait_for_selector(".govuk-error-summary")
    window.go(reverse("casework:bring"))
    window.page.go_back()
    expect(window.page.locator("main [name=invoice_number]")).to_be_visible()
    expect(window.page.locator(".govuk-error-summary")).to_have_count(0)
    window.page.reload()
    expect(window.page.locator("main [name=invoice_number]")).to_be_visible()


def test_an_id_number_is_seen_whole_in_large_print(visit, scene) -> None:
    """A mistake in the last digit was told of a box that did not show it."""
    window = visit(scene.daughter, elder=True)
    window.go(reverse("family:bind"))
    window.fill(id_number="3" * 18)
    window.button("See whether it can be done").click()
    window.page.wait_for_selector(".govuk-error-summary")
    room = window.page.evaluate(
        "(box => [box.scrollWidth, box.clientWidth])(document.querySelector('[name=id_number]'))"
    )
    assert room[0] <= room[1]
    window.look()
