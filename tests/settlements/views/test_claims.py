"""A citizen hands in a bill paid in cash; at the window; the second check; the payment. And whose pages these are."""

import csv
import datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts import clock
from accounts.enums import IdentityLevel, Role
from accounts.models import AuditEvent, User
from casework.actions import cases
from counter.papers import bills as bill_papers
from documents.models import IssuedDocument
from settlements.actions import claims
from settlements.models import Claim, Recalculation, Reimbursement, Settlement
from tests.people import make_staff
from tests.settlements.scene import Scene, bill, make_scene, undo
from tests.support.pages import fields, log_in

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def scene() -> Scene:
    return make_scene()


@pytest.fixture
def clerk(scene: Scene) -> User:
    return make_staff(Role.CLERK, region=scene.region)


@pytest.fixture
def supervisor(scene: Scene) -> User:
    return make_staff(Role.SUPERVISOR, region=scene.region)


def entered(scene: Scene, **more: str) -> dict[str, str]:
    day = clock.today() - datetime.timedelta(days=3)
    told = {
        "institution": scene.institution.name,
        "service_on_year": str(day.year),
        "service_on_month": str(day.month),
        "service_on_day": str(day.day),
        "kind": "outpatient",
        "in_scope": "2,000.00",
        "pre_self_pay": "",
        "self_paid": "50",
        "invoice_number": "00112233",
        "bank": "示例银行",
        "bank_account": "6222 0202 0001 2345 678",
    }
    return told | more


def hand_in(client: Client, scene: Scene) -> Claim:
    new = reverse("settlements:claim_new")
    page = client.get(new)
    sent = client.post(new, fields(page) | entered(scene))
    assert sent.status_code == 302 and sent["Location"] == reverse("settlements:claim_check")
    page = client.get(sent["Location"])
    assert "6222 0202 0001 2345 678" in page.content.decode()
    sent = client.post(sent["Location"], fields(page))
    claim = Claim.objects.get()
    assert sent["Location"] == reverse("settlements:claim", args=[claim.case.public_id])
    return claim


def open_record(client: Client, member: object) -> None:
    home = reverse("counter:home")
    data = fields(client.get(home)) | {"number": member.id_number, "reason": "reimbursement"}
    assert client.post(home, data).status_code == 302


def test_from_the_invoice_to_the_bank(scene: Scene, supervisor: User) -> None:
    mine = log_in(scene.father)
    claim = hand_in(mine, scene)
    page = mine.get(reverse("settlements:claim", args=[claim.case.public_id])).content.decode()
    assert claim.case.number in page and "6222020200012345678" not in page

    desk = log_in(supervisor)
    review = reverse("counter:review", args=[claim.case.public_id])
    assert review in desk.get(reverse("counter:queue")).content.decode()
    page = desk.get(review)
    assert page.status_code == 200
    sent = desk.post(review, fields(page) | {"verdict": "approve"})
    assert sent.status_code == 302
    claim.refresh_from_db()
    assert claim.settlement is not None
    row = Reimbursement.objects.get()
    assert row.amount == claim.settlement.fund > 0

    shown = mine.get(reverse("settlements:bill", args=[claim.settlement.public_id])).content.decode()
    assert f"{row.amount:,.2f}" in shown
    payments = reverse("counter:payments")
    page = desk.get(payments)
    assert claim.case.number in page.content.decode() and "6222020200012345678" not in page.content.decode()
    file = desk.post(reverse("counter:payments_file"))
    assert "6222020200012345678" in file.content.decode()
    assert AuditEvent.objects.filter(action="reimbursements_exported", member_id=scene.father.member_id).count() == 1
    data = fields(page) | {"row": str(claim.case.public_id), "reference": "B-7"}
    assert desk.post(payments, data).status_code == 302
    row.refresh_from_db()
    assert row.reference == "B-7"
    assert claim.case.number in desk.get(payments + "?state=done").content.decode()


def test_the_file_for_the_bank_needs_a_proof_and_runs_nowhere(scene: Scene, supervisor: User) -> None:
    """Names and accounts in full of all who are paid; and the bank's name is whatever a member typed."""
    claim = hand_in(log_in(scene.father), scene)
    formula = '=HYPERLINK("https://example.com","bank")'
    Reimbursement.objects.create(
        case=claim.case, member=scene.father.member, amount=D("12.50"), bank=formula, bank_account="6222020200012345678",
        decided_on=clock.today(),
    )  # fmt: skip
    address = reverse("counter:payments_file")
    asked = log_in(supervisor, fresh=False).post(address)
    assert (asked.status_code, asked["Location"].split("?")[0]) == (302, reverse("account_reauthenticate"))
    assert not AuditEvent.objects.filter(action="reimbursements_exported").exists()

    rows = list(csv.reader(log_in(supervisor).post(address).content.decode("utf-8-sig").splitlines()))
    assert rows[1][2:5] == [f"'{formula}", "\t6222020200012345678", "12.50"]
    assert AuditEvent.objects.filter(action="reimbursements_exported", member_id=scene.father.member_id).count() == 1


@pytest.mark.parametrize(
    ("wrong", "box"),
    [
        ({"institution": "没有这家医院"}, "institution"),
        ({"service_on_month": "13"}, "service_on"),
        ({"service_on_year": "2190"}, "service_on"),
        ({"in_scope": "0", "self_paid": "0"}, "in_scope"),
        ({"in_scope": "-3"}, "in_scope"),
        ({"kind": "pharmacy"}, "kind"),
        ({"invoice_number": "★"}, "invoice_number"),
        ({"bank_account": "62a2"}, "bank_account"),
        ({"bank": ""}, "bank"),
    ],
)
def test_a_mistake_is_told_at_its_place(scene: Scene, wrong: dict[str, str], box: str) -> None:
    mine = log_in(scene.father)
    new = reverse("settlements:claim_new")
    sent = mine.post(new, fields(mine.get(new)) | entered(scene, **wrong))
    assert sent.status_code == 422
    assert list(sent.context["form"].errors) == [box]


def test_an_invoice_is_known_again_however_its_number_is_written(scene: Scene) -> None:
    mine = log_in(scene.father)
    hand_in(mine, scene)
    new = reverse("settlements:claim_new")
    for written in ("0011-2233", "0011 2233", "００１１２２３３"):
        sent = mine.post(new, fields(mine.get(new)) | entered(scene, in_scope="1,999.00", invoice_number=written))
        assert sent.status_code == 422
        assert Claim.objects.get().case.number in sent.content.decode()


def test_part_of_a_name_is_enough_if_it_fits_one_place(scene: Scene) -> None:
    mine = log_in(scene.father)
    new = reverse("settlements:claim_new")
    assert mine.post(new, fields(mine.get(new)) | entered(scene, institution="浦江中心")).status_code == 302


def test_a_bill_that_was_settled_on_line_is_told_before_anything_is_kept(scene: Scene) -> None:
    settled = bill(scene, in_scope="2000.00", self_paid="50.00")
    day = clock.today()
    mine = log_in(scene.father)
    new = reverse("settlements:claim_new")
    sent = mine.post(
        new, fields(mine.get(new)) | entered(scene, service_on_month=str(day.month), service_on_day=str(day.day))
    )
    assert sent.status_code == 422 and settled.number in sent.content.decode()


def test_without_a_proven_identity_it_is_asked_for_first(scene: Scene) -> None:
    User.objects.filter(pk=scene.daughter.pk).update(identity_level=IdentityLevel.REGISTERED)
    assert log_in(User.objects.get(pk=scene.daughter.pk)).get(reverse("settlements:claim_new"))["Location"] == reverse(
        "accounts:prove_identity"
    )


def test_returned_changed_and_taken_back(scene: Scene, supervisor: User) -> None:
    mine = log_in(scene.father)
    claim = hand_in(mine, scene)
    cases.decide(
        case=claim.case, verb="return", by=supervisor, at=clock.now(), note="金额与发票不符", version=claim.case.version
    )
    amend = reverse("settlements:claim_amend", args=[claim.case.public_id])
    page = mine.get(amend)
    assert "金额与发票不符" in page.content.decode()
    assert mine.post(amend, fields(page) | {"kind": "outpatient", "in_scope": "1900"}).status_code == 302
    claim.refresh_from_db()
    claim.case.refresh_from_db()
    assert claim.in_scope == D("1900.00") and claim.case.state == "review"
    away = reverse("settlements:claim_withdraw", args=[claim.case.public_id])
    assert mine.post(away, fields(mine.get(away))).status_code == 302
    claim.case.refresh_from_db()
    assert claim.case.state == "withdrawn"


def test_a_relative_and_a_clerk_of_elsewhere_find_nothing(scene: Scene) -> None:
    claim = hand_in(log_in(scene.father), scene)
    for name in ("claim", "claim_amend", "claim_withdraw"):
        url = reverse(f"settlements:{name}", args=[claim.case.public_id])
        assert log_in(scene.daughter).get(url).status_code == 404


def test_at_the_window_what_is_handed_in_is_what_was_worked_out(scene: Scene, clerk: User) -> None:
    desk = log_in(clerk)
    open_record(desk, scene.father.member)
    url = reverse("counter:claim")
    page = desk.post(url, fields(desk.get(url)) | entered(scene) | {"do": "check"})
    assert page.status_code == 200 and page.context["quoted"].fund > 0
    data = fields(page) | {"kind": "outpatient", "do": "submit"}
    changed = desk.post(url, data | {"in_scope": "1000"})
    assert changed.status_code == 200 and not Claim.objects.exists(), (
        "changed after it was worked out: shown again first"
    )
    sent = desk.post(url, data)
    claim = Claim.objects.get()
    assert sent["Location"] == reverse("counter:case", args=[claim.case.public_id])
    assert (claim.case.channel, claim.case.opened_by) == ("window", clerk)
    assert claim.case.number in desk.get(reverse("counter:member")).content.decode()
    page = desk.get(f"{sent['Location']}?ask=withdraw")
    assert desk.post(sent["Location"], fields(page) | {"do": "withdraw"}).status_code == 302
    claim.case.refresh_from_db()
    assert claim.case.state == "withdrawn"


def at_the_window(scene: Scene, clerk: User) -> Client:
    desk = log_in(clerk)
    open_record(desk, scene.father.member)
    return desk


def test_an_invoice_that_was_handed_in_is_named_before_it_is_worked_out_again(scene: Scene, clerk: User) -> None:
    client, url = at_the_window(scene, clerk), reverse("counter:claim")
    for _time in range(2):
        shown = client.post(url, fields(client.get(url)) | entered(scene))
        client.post(url, fields(shown) | {"kind": "outpatient", "do": "submit"})
    number = Claim.objects.get().case.number
    again = client.post(url, fields(client.get(url)) | entered(scene))
    assert again.status_code == 422
    assert number in again.content.decode()


def test_receipt_and_decision_of_a_claim_are_printed(scene: Scene, clerk: User, supervisor: User) -> None:
    client, url = at_the_window(scene, clerk), reverse("counter:claim")
    shown = client.post(url, fields(client.get(url)) | entered(scene))
    client.post(url, fields(shown) | {"kind": "outpatient", "do": "submit"})
    claim = Claim.objects.get()
    paper = reverse("counter:bill_paper", args=[claim.case.public_id])
    for wanted in ("80mm", "A4", "80mm"):
        assert client.post(paper, {"paper": wanted}).content.startswith(b"%PDF")
    assert client.post(paper, {"paper": "decision"}).status_code == 302, "nothing is decided yet"
    papers = {one.subject: one.copies for one in IssuedDocument.objects.all()}
    assert papers == {f"{claim.case.number} 80mm": 2, f"{claim.case.number} A4": 1}
    cases.decide(case=claim.case, verb="approve", by=supervisor, at=clock.now(), note="", version=claim.case.version)
    claim.refresh_from_db()
    data = bill_papers.decision(claim)
    told = dict(data["facts"])
    assert told["报销金额（元）"] == f"{claims.paid_back(claim.settlement):,.2f}"
    assert told["总费用（元）"] == "2,050.00"
    assert client.post(paper, {"paper": "decision"}).content.startswith(b"%PDF")
    Settlement.objects.filter(pk=claim.settlement_id).update(reversed_on=clock.today())
    assert client.post(paper, {"paper": "decision"}).content.startswith(b"%PDF")
    decisions = IssuedDocument.objects.filter(kind=bill_papers.DECISION).order_by("id")
    assert [one.revoked_at is not None for one in decisions] == [True, False], (
        "the paper of before the reversal is void"
    )
    client.post(reverse("counter:close"))
    assert client.post(paper, {"paper": "A4"})["Location"] == reverse("counter:home")


def test_what_is_refused_is_told_on_paper_with_its_reason(scene: Scene, clerk: User, supervisor: User) -> None:
    claim = hand_in(log_in(scene.father), scene)
    cases.decide(
        case=claim.case, verb="refuse", by=supervisor, at=clock.now(), note="发票不全", version=claim.case.version
    )
    claim.refresh_from_db()
    told = dict(bill_papers.decision(claim)["facts"])
    assert (told["结果"], told["原因"]) == ("不予报销", "发票不全")
    paper = reverse("counter:bill_paper", args=[claim.case.public_id])
    assert at_the_window(scene, clerk).post(paper, {"paper": "decision"}).content.startswith(b"%PDF")


def test_a_year_is_settled_anew_from_the_window(scene: Scene, clerk: User, supervisor: User) -> None:
    first = bill(scene, in_scope="900.00", self_paid="0.00")
    second = bill(scene, in_scope="400.00", self_paid="0.00")
    desk = log_in(clerk)
    open_record(desk, scene.father.member)
    url = reverse("counter:recalculate")
    assert desk.get(url).context["preview"].changed == []
    undo(scene, first)
    page = desk.get(url)
    assert [line.bill.pk for line in page.context["preview"].changed] == [second.pk]
    sent = desk.post(url, fields(page))
    asked = Recalculation.objects.get()
    assert sent["Location"] == reverse("counter:case", args=[asked.case.public_id])
    assert desk.get(sent["Location"]).status_code == 200
    check = log_in(supervisor)
    review = reverse("counter:review", args=[asked.case.public_id])
    assert check.post(review, fields(check.get(review)) | {"verdict": "approve"}).status_code == 302
    second.refresh_from_db()
    assert second.reversed_on is not None
    shown = log_in(scene.father).get(reverse("settlements:recalculation", args=[asked.case.public_id]))
    assert shown.status_code == 200 and len(shown.context["bills"]) == 1
    assert log_in(scene.daughter).get(shown.request["PATH_INFO"]).status_code == 404


def test_a_preview_that_is_old_by_now_is_shown_anew(scene: Scene, clerk: User) -> None:
    first = bill(scene, in_scope="900.00", self_paid="0.00")
    bill(scene, in_scope="400.00", self_paid="0.00")
    undo(scene, first)
    desk = log_in(clerk)
    open_record(desk, scene.father.member)
    url = reverse("counter:recalculate")
    page = desk.get(url)
    bill(scene, in_scope="80.00", self_paid="0.00")
    sent = desk.post(url, fields(page))
    assert sent.status_code == 422 and not Recalculation.objects.exists()


def test_only_supervisors_see_the_payments(scene: Scene, clerk: User) -> None:
    assert log_in(clerk).get(reverse("counter:payments")).status_code == 404
    elsewhere = make_staff(Role.SUPERVISOR, region=None)
    assert log_in(elsewhere).get(reverse("counter:payments")).status_code == 200
