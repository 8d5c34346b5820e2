"""The ways money moves, in the browser: a bill paid in cash to its reversal, premiums and a transfer at the window, an
inheritance to the end."""

import datetime
import io
from decimal import Decimal

import pytest
from django.urls import reverse
from playwright.sync_api import expect
from pypdf import PdfReader

from accounts import clock
from accounts.models import Institution
from settlements import ledger
from settlements.actions import premiums
from settlements.models import BillReversal, Claim, Reimbursement, Wallet, WithdrawalApplication
from tests.e2e.eyes import Window
from tests.people import last_code, make_centre, make_member, make_staff, person
from tests.settlements.scene import open_with, share

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
DAY = datetime.timedelta(days=1)


@pytest.fixture
def staff(scene):
    centre = make_centre(scene.region)
    return {role: make_staff(role, region=scene.region, centre=centre, name=role) for role in ("clerk", "supervisor")}


def open_record(window: Window, member, reason: str) -> None:
    page = window.page
    window.go(reverse("counter:home"))
    window.fill(number=member.id_number)
    page.select_option("main [name=reason]", reason)
    page.keyboard.press("F9")
    page.wait_for_url("**/counter/member/")


def approve(check: Window, number: str) -> None:
    """From the queue to the grant."""
    check.go(reverse("counter:queue"))
    check.follow(check.page.get_by_role("link", name=number))
    check.look()
    check.page.keyboard.press("F9")
    check.page.wait_for_url("**/counter/queue/")


def test_a_bill_paid_in_cash_is_paid_back_and_reversed(visit, scene, staff) -> None:
    Institution.objects.filter(pk=scene.institution.pk).update(name="浦江中心医院")
    member = visit(scene.father)
    member.go(reverse("settlements:claim_new"))
    day = clock.today() - 3 * DAY
    member.fill(institution="浦江中心医院", in_scope="2000", self_paid="50", invoice_number="00112233")
    member.fill(service_on_year=str(day.year), service_on_month=str(day.month), service_on_day=str(day.day))
    member.fill(bank="示例银行", bank_account="6222020200012345678")
    member.page.check("main [name=kind][value=outpatient]")
    member.follow(member.page.locator("main form .govuk-button").first)
    member.look()
    member.follow(member.page.locator("main form .govuk-button").first)
    claim = Claim.objects.get()

    check = visit(staff["supervisor"], wide=True)
    approve(check, claim.case.number)
    row = Reimbursement.objects.get()
    check.go(reverse("counter:payments"))
    check.page.locator("main details summary").click()
    check.page.fill("main [name=reference]", "PJ20261122")
    check.look()
    check.follow(check.page.locator("main details .govuk-button"))
    member.go(reverse("settlements:claim", args=[claim.case.public_id]))
    assert f"{row.amount:,.2f}" in member.text()

    window = visit(staff["clerk"], wide=True)
    open_record(window, scene.father.member, "reimbursement")
    window.go(reverse("counter:case", args=[claim.case.public_id]))
    window.follow(window.page.locator("button[value=reverse]"))
    assert window.said("Write why it is to be reversed") in window.text()
    window.look()
    window.fill(why="发票金额录错")
    window.follow(window.page.locator("button[value=reverse]"))
    window.look()
    asked = BillReversal.objects.get()
    approve(check, asked.case.number)
    assert Reimbursement.objects.get(case=asked.case).amount == -row.amount
    member.go(reverse("settlements:claim", args=[claim.case.public_id]))
    member.look()
    assert f"{row.amount:,.2f}" in member.text()


def test_a_premium_and_the_wallet_at_the_window(visit, scene, staff) -> None:
    member, today = scene.daughter.member, clock.today()
    child = make_member("沈小禾", datetime.date(2016, 4, 4), region=scene.region, insurance="resident")
    share(member, child, "child", scene.region, scene.on - 9 * DAY)
    due = premiums.Premium(amount=Decimal(400), year=today.year + 1, benefit_from=today + 30 * DAY)
    payment = premiums.pay(payer=member, insured=child, premium=due, on=today, key="e2e", by=scene.daughter)

    window = visit(staff["clerk"], wide=True)
    open_record(window, member, "premium")
    window.page.keyboard.press("8")
    window.page.wait_for_url("**/premiums/")
    window.follow(window.page.locator(f"main a[href$='{payment.public_id}/']"))
    window.look()
    proof(window, reverse("counter:premium_paper", args=[payment.public_id]), payment.number)
    # Nothing without the member's consent: she tells the code that was sent to her.
    window.follow(window.page.locator("button[value=act]"))
    assert window.said("Say how the member has agreed") in window.text()
    window.follow(window.page.locator("button[value=code]"))
    window.look()
    window.fill(code=last_code(scene.daughter.phone))
    window.page.press("main [name=code]", "F9")
    expect(window.page.locator("button[value=act]")).to_have_count(0)
    window.look()
    payment.refresh_from_db()
    assert payment.refunded_on == today

    window.page.keyboard.press("9")
    window.page.wait_for_url("**/wallet/")
    window.page.check("main [name=consent][value=paper]")
    window.follow(window.page.locator("button[value=act]"))
    window.look()
    assert Wallet.objects.filter(member=member).exists()


def proof(window: Window, url: str, number: str) -> None:
    token = window.page.locator(f"form[action='{url}'] [name=csrfmiddlewaretoken]").get_attribute("value") or ""
    for paper in ("80mm", "A4"):
        answer = window.page.request.post(
            window.base + url, form={"paper": paper, "csrfmiddlewaretoken": token}, headers={"Referer": window.page.url}
        )
        assert answer.headers["content-type"] == "application/pdf"
        pages = PdfReader(io.BytesIO(answer.body())).pages
        assert len(pages) == 1
        assert number in pages[0].extract_text().replace("\n", "").replace(" ", "")


def test_an_inheritance_to_the_end(visit, scene, staff) -> None:
    heir = person("沈某川", datetime.date(1987, 4, 2), sex="M", region=scene.region)
    account = scene.account
    theirs = open_with(heir.member, scene.region, scene.on - 40 * DAY, "0.00", "10.00", True)
    held = ledger.balances([account.pk], scene.on)[account.pk]
    window = visit(staff["clerk"], wide=True)
    open_record(window, scene.daughter.member, "correction")
    window.page.keyboard.press("5")
    window.page.wait_for_url("**/closing/")
    window.look()
    window.follow(window.page.locator(f"main a[href='{reverse('counter:closing_begin', args=['inheritance'])}']"))
    died = clock.today() - DAY
    window.fill(since_year=str(died.year), since_month=str(died.month), since_day=str(died.day))
    rows = {"name": heir.member.name, "id_number": heir.member.id_number, "percent": "100"}
    for name, value in rows.items():
        window.page.locator(f"main [name$='-0-{name}']").fill(value)
    window.page.locator("main [name$='-0-relation']").select_option("sibling")
    window.look()
    window.page.keyboard.press("F9")
    window.page.wait_for_url("**/counter/cases/**")
    window.look()
    window.page.keyboard.press("F9")
    expect(window.page.locator("button[value=submit]")).to_have_count(0)
    found = WithdrawalApplication.objects.get()
    check = visit(staff["supervisor"], wide=True)
    approve(check, found.case.number)
    account.refresh_from_db()
    assert account.status == "closed"
    paid = ledger.balances([theirs.pk], scene.on)[theirs.pk].historical
    assert Decimal("10.00") < paid <= Decimal("10.00") + held.total
    window.go(reverse("counter:case", args=[found.case.public_id]))
    window.look()
