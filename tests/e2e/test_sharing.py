"""Letting a spouse use the account, from the refusal of an in-law to the end; and whose account pays first."""

import datetime

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from family.models import DeductionOrder, SharingApplication, SharingGrant
from tests.e2e.eyes import Window
from tests.family.support import make_rules
from tests.people import make_member, person
from tests.settlements.scene import bill, open_with
from tests.support.sharing import make_grant

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def ask(window: Window, relative, relation: str) -> None:
    """The first page of a binding, answered with the keyboard alone."""
    window.go(reverse("family:bind"))
    window.fill(name=relative.name, id_number=relative.id_number)
    window.page.focus(f"main [name=relation][value={relation}]")
    window.page.keyboard.press("Space")
    window.page.keyboard.press("Enter")
    window.page.wait_for_url("**/family/bind/result/")
    window.look()


def sign(window: Window) -> SharingApplication:
    """For what and how much, the commitment, the signature."""
    window.follow(window.link("Go on: for what and how much"))
    window.look()
    window.fill(limit="2000.555")
    window.button("Keep it and check").click()
    window.page.wait_for_selector(".govuk-error-summary")
    window.look()
    window.fill(limit="2,000")
    window.button("Keep it and check").click()
    window.page.wait_for_url("**/check/")
    window.look()
    assert "2,000.00" in window.text()
    window.button("Sign and submit").click()
    window.page.wait_for_selector(".govuk-error-summary")
    window.look()
    window.page.check("main [name=agree]")
    window.button("Sign and submit").click()
    window.page.wait_for_url("**/submitted/")
    window.look()
    return SharingApplication.objects.get()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_from_the_refusal_of_an_in_law_to_the_end_of_a_grant(visit, scene, language) -> None:
    spouse = person("方某", datetime.date(1984, 8, 2), sex="M", region=scene.region)
    open_with(spouse.member, scene.region, scene.on, "0.00", "0.00", True)
    in_law = make_member("方某海", datetime.date(1955, 8, 2), sex="M", region=scene.region)
    holder = visit(scene.daughter, language=language)

    ask(holder, in_law, "parent_in_law")
    reasons = holder.page.locator(".portal-working > li")
    assert reasons.count() >= 1
    for reason in reasons.all():
        assert reason.locator("h3").inner_text() and reason.locator("p").inner_text()
    assert not SharingApplication.objects.exists()

    ask(holder, spouse.member, "spouse")
    expect(holder.page.locator(".portal-prechecks > li").first).to_be_visible()
    application = sign(holder)
    assert application.case.number in holder.text()

    other = visit(spouse, language=language)
    other.go(reverse("family:home"))
    other.look()
    other.follow(other.page.locator(f"a[href='{reverse('family:invitation', args=[application.case.public_id])}']"))
    other.look()
    assert "2,000.00" in other.text()
    other.button("I agree").first.click()
    other.page.wait_for_url(f"**{reverse('family:home')}")
    other.look()
    grant = SharingGrant.objects.get(beneficiary=spouse.member)

    settled = bill(scene, spouse)
    leg = settled.payers.get(member=scene.daughter.member)
    paid = leg.current + leg.historical
    assert paid > 0
    for window, pages in (
        (other, [reverse("settlements:bill", args=[settled.public_id])]),
        (
            holder,
            [
                reverse("settlements:bill", args=[settled.public_id]),
                reverse("settlements:account"),
                reverse("family:grant", args=[grant.public_id]),
            ],
        ),
    ):
        for path in pages:
            window.go(path)
            window.look()
            assert f"{paid:,.2f}" in window.text().replace("\n", "")
    holder.go(reverse("settlements:bill", args=[settled.public_id]))
    assert holder.page.locator(".portal-working").count() == 0

    holder.go(reverse("family:end", args=[grant.public_id]))
    holder.look()
    holder.button("End it").click()
    holder.page.wait_for_url(f"**{reverse('family:home')}")
    holder.look()
    grant.refresh_from_db()
    assert (grant.ends_on, grant.end_reason) == (scene.on, "grantor")
    assert not bill(scene, spouse).payers.filter(member=scene.daughter.member).exists()
    other.go(reverse("settlements:bill", args=[settled.public_id]))
    assert f"{paid:,.2f}" in other.text()


@pytest.fixture
def three(scene) -> list[SharingGrant]:
    """Three grants for the father: the scene's, and two more."""
    make_rules(scene.region)
    relatives = [
        person(name, datetime.date(year, 4, 2), sex="M", region=scene.region)
        for name, year in (("沈某川", 1987), ("沈某一", 1990))
    ]
    return [scene.grant, *(make_grant(relative.member, scene.father.member, "parent") for relative in relatives)]


def order_of(scene) -> list[int]:
    return list(DeductionOrder.objects.values_list("grant_ids", flat=True).get(pk=scene.father.member_id))


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_order_by_keyboard(visit, scene, three, language) -> None:
    first, second, third = three
    window = visit(scene.father, language=language)
    page = window.page
    window.go(reverse("family:order"))
    window.look()
    page.focus(f"#up-{third.public_id}")
    page.keyboard.press("Enter")
    expect(page.locator("#portal-announce")).to_contain_text("2")
    expect(page.locator(f"#up-{third.public_id}")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#portal-announce")).to_contain_text("1")
    # At the top "up" is dead: the focus goes to a button of the same row that is not.
    expect(page.locator(f"#up-{third.public_id}")).to_be_disabled()
    expect(page.locator(f"#down-{third.public_id}")).to_be_focused()
    assert page.url.endswith(reverse("family:order"))
    window.look()
    assert order_of(scene) == [third.pk, first.pk, second.pk]

    page.focus("main [name=amount]")
    page.keyboard.press("Control+A")
    page.keyboard.type("640")
    with page.expect_response(lambda answer: "amount=640" in answer.url):
        page.keyboard.press("Enter")
    window.look()


def test_the_order_by_dragging(visit, scene, three) -> None:
    first, second, third = three
    window = visit(scene.father)
    window.go(reverse("family:order"))
    rows = window.page.locator("[data-order] > li")
    # A style that somebody's extension or tool left on a field is not carried over a swap, which the policy forbids.
    window.page.evaluate("document.querySelector('main [name=amount]').style.caretColor = 'transparent'")
    for _ in range(2):
        with window.page.expect_response(lambda answer: answer.request.method == "POST"):
            rows.nth(2).locator(".portal-grip").drag_to(rows.nth(0).locator(".portal-grip"))
        expect(window.page.locator("#portal-announce")).to_contain_text("1")
        window.look()
    assert order_of(scene) == [second.pk, third.pk, first.pk]


def test_the_order_without_script(visit, scene, three) -> None:
    first, second, third = three
    window = visit(scene.father, script=False)
    window.go(reverse("family:order"))
    window.page.focus(f"#top-{third.public_id}")
    with window.page.expect_navigation():
        window.page.keyboard.press("Enter")
    assert order_of(scene) == [third.pk, first.pk, second.pk]
    assert window.page.locator(".portal-notice--ok").count() == 1
    with window.page.expect_navigation():
        window.page.click(f"#down-{third.public_id}")
    assert order_of(scene) == [first.pk, third.pk, second.pk]
    window.page.fill("main [name=amount]", "640")
    window.page.click("#try")
    assert "amount=640" in window.page.url
    assert window.complaints == []
