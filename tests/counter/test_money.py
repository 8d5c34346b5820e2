"""Premiums and the wallet at the window: with the member's consent on paper or by code, the proof in print, refusals."""

import datetime
import io
import re
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from django.core.cache import cache
from django.urls import reverse
from pypdf import PdfReader

from accounts import clock
from accounts.models import AuditEvent, Enrolment, Member, SmsOutbox
from documents.models import IssuedDocument
from settlements import ledger
from settlements.actions import premiums
from settlements.actions import wallet as wallets
from settlements.models import LedgerTransaction, PremiumOrder, PremiumPayment, Wallet, WalletTransfer
from tests.people import make_member, make_staff
from tests.settlements.rollover.world import faults
from tests.settlements.scene import BEIJING, make_scene, region_of_file, share
from tests.support.pages import english, fields, text

pytestmark = pytest.mark.django_db
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
ON = datetime.date(2025, 11, 20)
PREMIUMS, WALLET, SEND = (reverse(f"counter:{name}") for name in ("premiums", "wallet", "wallet_send"))
PHONE = "13800005555"


def moment(hour=12, day=ON) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(hour), SHANGHAI)


@pytest.fixture(autouse=True)
def now():
    cache.clear()
    with clock.standing(moment()):
        yield moment()


class Desk:
    """A clerk who has opened somebody's record."""

    def __init__(self, member, region):
        self.clerk = make_staff("clerk", region=region)
        self.client = english(self.clerk)
        data = {"number": member.id_number, "reason": "balance"}
        opened = self.client.post("/counter/", fields(self.client.get("/counter/")) | data)
        assert opened["Location"] == "/counter/member/"

    def get(self, url, *args, **more):
        return self.client.get(url, *args, **more)

    def send(self, url, **data):
        return self.client.post(url, fields(self.client.get(url)) | data, follow=True)


@pytest.fixture
def scene():
    return make_scene(on=ON)


@pytest.fixture
def child(scene):
    member = make_member("沈小禾", datetime.date(2016, 4, 4), region=scene.region, insurance="resident")
    share(scene.daughter.member, member, "child", scene.region, ON - datetime.timedelta(days=9))
    return member


@pytest.fixture
def desk(scene):
    return Desk(scene.daughter.member, scene.region)


@pytest.fixture
def brother():
    region = region_of_file("500000")
    return make_member("沈某桥", datetime.date(1988, 8, 8), sex="M", region=region, insurance="resident")


def pay_page(child):
    return reverse("counter:premium_pay", args=[child.public_id]) + "?group=student"


def historical(scene) -> Decimal:
    return ledger.balances([scene.account.pk], ON)[scene.account.pk].historical


def code() -> str:
    return re.search(r"\d{6}", SmsOutbox.objects.filter(kind__startswith="code:window_").first().text).group()


class TestPremiums:
    def test_sent_with_no_group_chosen_it_says_so(self, child, desk) -> None:
        address = reverse("counter:premium_pay", args=[child.public_id])
        assert desk.client.get(address).status_code == 200
        page = desk.client.get(address, {"go": "1"})
        assert page.status_code == 422 and "group" in page.context["form"].errors

    def test_from_the_list_to_the_proof_on_signed_paper(self, scene, child, desk) -> None:
        page = text(desk.get(PREMIUMS))
        assert "Can be paid" in page
        assert "until 25 December 2025" in page
        assert "400.00 yuan" in text(desk.get(pay_page(child)))
        paper = desk.send(pay_page(child), do="print")
        assert "Signature of the member" in text(paper) and scene.daughter.member.name in text(paper)
        assert AuditEvent.objects.get(action="unmask").member_id == scene.daughter.member_id
        assert not PremiumPayment.objects.exists()
        done = desk.send(pay_page(child), do="act", consent="paper")
        assert "Print the proof for the member." in text(done)
        payment = PremiumPayment.objects.get()
        assert (payment.amount, payment.payer, payment.insured) == (Decimal("400.00"), scene.daughter.member, child)
        assert payment.transaction.by == desk.clerk
        sums = desk.client.get(reverse("counter:journal")).context["sums"]
        assert dict(sums.money) == {"window_premium_pay": (1, Decimal("400.00"))}
        line = AuditEvent.objects.get(action="window_premium_pay")
        assert (line.actor_id, line.on_behalf_of_id) == (desk.clerk.pk, scene.daughter.member_id)
        assert (line.reason, line.channel, line.details["consent"]) == ("查余额、打对账单", "window", "paper")
        assert historical(scene) == Decimal("4600.00")
        assert "Paid" in text(desk.get(PREMIUMS))
        assert faults(ON) == []

    def test_a_form_sent_twice_pays_once(self, child, desk) -> None:
        sent = fields(desk.get(pay_page(child))) | {"do": "act", "consent": "paper"}
        for _ in range(2):
            desk.client.post(pay_page(child), sent)
        cache.clear()  # nobody remembers the form any more
        again = desk.client.post(pay_page(child), sent, follow=True)
        assert PremiumPayment.objects.count() == 1
        assert AuditEvent.objects.filter(action="window_premium_pay").count() == 1
        assert "has been paid already" in text(again)

    def test_by_the_code_on_the_members_telephone(self, scene, child, desk) -> None:
        Member.objects.filter(pk=scene.daughter.member_id).update(phone=PHONE)
        page = desk.send(pay_page(child), do="code")
        assert "The code was sent to 1" in text(page)
        assert "for paying a premium from your account or wallet at the window" in SmsOutbox.objects.latest("id").text
        wrong = desk.client.post(pay_page(child), fields(page) | {"do": "act", "consent": "code", "code": "000000"})
        assert (wrong.status_code, PremiumPayment.objects.count()) == (422, 0)
        desk.client.post(pay_page(child), fields(page) | {"do": "act", "consent": "code", "code": code()})
        assert AuditEvent.objects.get(action="window_premium_pay").details["consent"] == "code"
        assert PremiumPayment.objects.count() == 1

    def test_a_code_for_one_premium_does_not_agree_to_another(self, scene, child, desk) -> None:
        Member.objects.filter(pk=scene.daughter.member_id).update(phone=PHONE)
        other = make_member("沈大禾", datetime.date(2015, 4, 4), region=scene.region, insurance="resident")
        share(scene.daughter.member, other, "child", scene.region, ON - datetime.timedelta(days=9))
        desk.send(pay_page(child), do="code")
        sent = fields(desk.get(pay_page(other))) | {"do": "act", "consent": "code", "code": code()}
        assert desk.client.post(pay_page(other), sent).status_code == 422
        assert not PremiumPayment.objects.exists()

    @pytest.mark.parametrize(
        ("data", "told"),
        [
            ({}, "Say how the member has agreed"),
            ({"consent": "wink"}, "Choose one of the ways shown"),
        ],
    )
    def test_nothing_without_consent(self, child, desk, data, told) -> None:
        answer = desk.send(pay_page(child), do="act", **data)
        assert (answer.status_code, told in text(answer)) == (422, True)
        assert not PremiumPayment.objects.exists()

    def test_without_a_telephone_paper_is_enough_and_no_code_is_offered(self, scene, child, desk) -> None:
        Member.objects.filter(pk=scene.daughter.member_id).update(phone=None)
        scene.daughter.phone_verified = False
        scene.daughter.save()
        page = text(desk.get(pay_page(child)))
        assert "the signed form is enough" in page
        assert "Send a code" not in page
        answer = desk.send(pay_page(child), do="code")
        assert answer.status_code == 422
        desk.send(pay_page(child), do="act", consent="paper", agent_name="王某人")
        assert AuditEvent.objects.get(action="window_premium_pay").details["agent"] == "王*人"

    def test_refusals_are_told(self, scene, child, desk) -> None:
        Enrolment.objects.filter(member=scene.daughter.member).update(status="suspended")
        assert "Can be paid" not in text(desk.get(PREMIUMS))
        answer = desk.get(pay_page(child))
        assert answer.status_code == 200
        assert not BeautifulSoup(answer.content, "html.parser").select("[value=act]")
        stranger = reverse("counter:premium_pay", args=[scene.stranger.member.public_id])
        assert desk.get(stranger).status_code == 404

    def test_nobody_of_another_region_pays_from_this_account(self, scene, child) -> None:
        elsewhere = region_of_file(BEIJING)
        Enrolment.objects.create(
            member=scene.daughter.member, region=elsewhere, insurance="employee", status="closed",
            valid_from=datetime.date(2019, 1, 1), valid_to=datetime.date(2019, 6, 1),
        )  # fmt: skip
        answer = Desk(scene.daughter.member, elsewhere).send(pay_page(child), do="act", consent="paper")
        assert answer.status_code == 422
        assert not PremiumPayment.objects.exists()

    def test_given_back_before_the_benefits_begin(self, scene, child, desk) -> None:
        premium, _window = premiums.premium_of(child, "student", moment())
        payment = premiums.pay(payer=scene.daughter.member, insured=child, premium=premium, on=ON, key="k")
        url = reverse("counter:premium", args=[payment.public_id])
        sent = fields(desk.get(url)) | {"do": "act", "consent": "paper"}
        for _ in range(2):
            assert "in the account again" in text(desk.client.post(url, sent, follow=True))
            cache.clear()
        payment.refresh_from_db()
        assert payment.refunded_on == ON
        assert historical(scene) == Decimal("5000.00")
        assert AuditEvent.objects.filter(action="window_premium_refund").count() == 1
        assert LedgerTransaction.objects.filter(reverses=payment.transaction).get().by == desk.clerk
        assert faults(ON) == []

    def test_not_given_back_once_they_have_begun(self, scene, child) -> None:
        premium, _window = premiums.premium_of(child, "student", moment())
        payment = premiums.pay(payer=scene.daughter.member, insured=child, premium=premium, on=ON, key="k")
        with clock.standing(moment(day=datetime.date(2026, 1, 1))):
            desk = Desk(scene.daughter.member, scene.region)
            url = reverse("counter:premium", args=[payment.public_id])
            assert "can no longer be given back" in text(desk.get(url))
            answer = desk.send(url, do="act", consent="paper", token="c" * 24)
            assert answer.status_code == 422
        payment.refresh_from_db()
        assert payment.refunded_on is None

    def test_the_insured_person_cannot_have_it_given_back(self, scene, child) -> None:
        premium, _window = premiums.premium_of(child, "student", moment())
        payment = premiums.pay(payer=scene.daughter.member, insured=child, premium=premium, on=ON, key="k")
        desk = Desk(child, scene.region)
        url = reverse("counter:premium", args=[payment.public_id])
        assert "By" in text(desk.get(PREMIUMS))
        desk.client.post(url, {"do": "act", "consent": "paper", "token": "d" * 24})
        payment.refresh_from_db()
        assert payment.refunded_on is None

    def test_an_order_for_the_months_end_and_back(self, now) -> None:
        scene = make_scene(code=BEIJING, on=datetime.date(2025, 12, 3))
        with clock.standing(moment(day=datetime.date(2025, 12, 3))):
            child = make_member("沈小禾", datetime.date(2016, 4, 4), region=scene.region, insurance="resident")
            share(scene.daughter.member, child, "child", scene.region, ON)
            desk = Desk(scene.daughter.member, scene.region)
            done = desk.send(pay_page(child), do="act", consent="paper")
            assert "it is debited on 31 December 2025" in text(done)
            order = PremiumOrder.objects.get()
            assert (order.by, order.state) == (desk.clerk, "waiting")
            url = reverse("counter:premium_withdraw", args=[order.public_id])
            desk.client.post(url, fields(desk.get(PREMIUMS)))
            order.refresh_from_db()
            assert order.state == "withdrawn"
            late = desk.client.post(url, {"token": "e" * 24}, follow=True)
            assert "Waiting for the month's end" not in text(late)

    def test_what_could_not_be_debited_is_seen_at_the_window(self, now) -> None:
        scene = make_scene(code=BEIJING, on=datetime.date(2025, 12, 3), current="0.00", historical="20.00")
        with clock.standing(moment(day=datetime.date(2025, 12, 3))):
            child = make_member("沈小禾", datetime.date(2016, 4, 4), region=scene.region, insurance="resident")
            share(scene.daughter.member, child, "child", scene.region, ON)
            Desk(scene.daughter.member, scene.region).send(pay_page(child), do="act", consent="paper")
        assert premiums.collect(at=moment(day=datetime.date(2025, 12, 31))) == (0, 1)
        with clock.standing(moment(day=datetime.date(2026, 1, 5))):
            page = text(Desk(scene.daughter.member, scene.region).get(PREMIUMS))
        assert "tried on 31 December 2025 · The account held too little on that day." in page

    def test_the_proof_on_both_papers_then_a_copy(self, scene, child, desk) -> None:
        premium, _window = premiums.premium_of(child, "student", moment())
        payment = premiums.pay(payer=scene.daughter.member, insured=child, premium=premium, on=ON, key="k")
        url = reverse("counter:premium_paper", args=[payment.public_id])
        for paper in ("80mm", "A4", "A4"):
            answer = desk.client.post(url, {"paper": paper})
            assert answer.content.startswith(b"%PDF")
        assert IssuedDocument.objects.filter(kind="premium_proof").count() == 2
        assert AuditEvent.objects.filter(action="paper_copied").count() == 1
        assert desk.client.post(url, {"paper": "A0"}).status_code == 302


class TestWallet:
    def form(self, brother, **changes):
        facts = {"name": brother.name, "id_number": brother.id_number, "relation": "sibling", "source": "account"}
        return facts | {"amount": "500.00", "do": "check"} | changes

    @pytest.fixture
    def open_wallet(self, scene, desk):
        return wallets.open_wallet(member=scene.daughter.member, by=desk.clerk, at=moment())

    def test_opened_as_the_member_asks(self, scene, desk) -> None:
        assert "Not open" in text(desk.get(WALLET))
        assert "The wallet is open." in text(desk.send(WALLET, do="act", consent="paper"))
        assert Wallet.objects.get().member == scene.daughter.member
        assert AuditEvent.objects.get(action="window_wallet_open").on_behalf_of_id == scene.daughter.member_id

    def test_not_where_the_region_takes_no_part(self) -> None:
        scene = make_scene(code="440100", on=ON)
        desk = Desk(scene.daughter.member, scene.region)
        assert "has not opened the wallet" in text(desk.get(WALLET))
        desk.client.post(WALLET, {"do": "act", "consent": "paper", "token": "f" * 24})
        assert not Wallet.objects.exists()

    def test_sent_after_a_check_then_the_proof(self, scene, desk, brother, open_wallet) -> None:
        page = desk.send(SEND, **self.form(brother))
        assert "cannot be called back" in text(page)
        assert not WalletTransfer.objects.exists()
        sent = fields(page) | self.form(brother) | {"do": "act", "consent": "paper"}
        done = desk.client.post(SEND, sent, follow=True)
        assert "it waits to be accepted" in text(done)
        made = WalletTransfer.objects.get()
        assert (made.amount, made.receiver, made.sending.by) == (Decimal("500.00"), brother, desk.clerk)
        assert historical(scene) == Decimal("4500.00")
        assert AuditEvent.objects.get(action="window_wallet_send").details["amount"] == "500.00"
        cache.clear()
        desk.client.post(SEND, sent)
        assert WalletTransfer.objects.count() == 1
        url = reverse("counter:transfer_paper", args=[made.public_id])
        assert desk.client.post(url, {"paper": "A4"}).content.startswith(b"%PDF")
        assert faults(ON) == []

    def test_what_was_changed_after_the_check_is_checked_again(self, desk, brother, open_wallet) -> None:
        page = desk.send(SEND, **self.form(brother))
        sent = fields(page) | self.form(brother, amount="900.00") | {"do": "act", "consent": "paper"}
        assert "900.00" in text(desk.client.post(SEND, sent))
        assert not WalletTransfer.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"name": "别某人"}, "Please put these right"),
            ({"amount": "2000.01"}, "at most 2,000.00 yuan"),
            ({"relation": "cousin"}, "Choose one of the relations"),
            ({"relation": "parent"}, "this relative is not the older one of the two"),
        ],
    )
    def test_mistakes_are_told(self, desk, brother, open_wallet, changes, told) -> None:
        answer = desk.send(SEND, **self.form(brother, **changes))
        assert (answer.status_code, told in text(answer)) == (422, True)

    def test_a_refusal_moves_nothing(self, scene, desk, brother, open_wallet) -> None:
        page = desk.send(SEND, **self.form(brother))
        with clock.standing(moment(hour=22)):
            desk = Desk(scene.daughter.member, scene.region)
            sent = fields(page) | self.form(brother) | {"do": "act", "consent": "paper"}
            answer = desk.client.post(SEND, sent)
        assert (answer.status_code, "Transfers rest" in text(answer)) == (422, True)
        assert not WalletTransfer.objects.exists()
        assert not AuditEvent.objects.filter(action="window_wallet_send").exists()

    def test_a_transfer_is_accepted_for_the_receiver(self, scene, brother, open_wallet) -> None:
        made = wallets.transfer(
            sender=scene.daughter.member, receiver=brother, amount=Decimal("500.00"), at=moment(), key="k"
        )
        desk = Desk(brother, region_of_file("500000"))
        assert "Waits to be accepted" in text(desk.get(WALLET))
        url = reverse("counter:transfer", args=[made.public_id])
        sent = fields(desk.get(url)) | {"do": "act", "consent": "paper"}
        for _ in range(2):
            assert "the money is in the member's wallet" in text(desk.client.post(url, sent, follow=True))
            cache.clear()
        made.refresh_from_db()
        assert made.state == "accepted"
        assert Wallet.objects.get(member=brother).balance == Decimal("500.00")
        assert AuditEvent.objects.get(action="window_wallet_accept").details["transfer"] == made.number
        # The clerk who serves somebody else does not find it.
        other = Desk(scene.stranger.member, scene.region)
        assert other.get(url).status_code == 404
        assert faults(ON) == []

    def test_one_that_went_back_is_not_accepted(self, scene, brother, open_wallet) -> None:
        made = wallets.transfer(
            sender=scene.daughter.member, receiver=brother, amount=Decimal("500.00"), at=moment(), key="k"
        )
        with clock.standing(moment(hour=6, day=ON + datetime.timedelta(days=1))):
            desk = Desk(brother, region_of_file("500000"))
            url = reverse("counter:transfer", args=[made.public_id])
            assert not BeautifulSoup(desk.get(url).content, "html.parser").select("[value=act]")
            answer = desk.client.post(url, {"do": "act", "consent": "paper", "token": "g" * 24})
            assert (answer.status_code, "has gone back" in text(answer)) == (422, True)


class TestTheWalletAtWork:
    """Out of the wallet at the window, and whether it pays bills."""

    @pytest.fixture
    def scene(self):
        return make_scene(on=ON, father_historical="5000.00")

    def fill(self, scene, amount) -> None:
        for member in (scene.daughter.member, scene.father.member):
            wallets.open_wallet(member=member, by=None, at=moment())
        facts = {"sender": scene.father.member, "receiver": scene.daughter.member, "amount": Decimal(amount)}
        wallets.accept(transfer=wallets.transfer(**facts, at=moment(), key="w"), at=moment())

    def test_a_premium_out_of_the_wallet_with_its_proof_and_back(self, scene, child, desk) -> None:
        self.fill(scene, "900.00")
        url = pay_page(child) + "&source=wallet"
        assert "the wallet of the member" in text(desk.get(url))
        done = desk.send(url, do="act", consent="paper")
        assert "Print the proof for the member." in text(done)
        payment = PremiumPayment.objects.get()
        assert (payment.wallet.member, payment.account) == (scene.daughter.member, None)
        assert historical(scene) == Decimal("5000.00")
        assert AuditEvent.objects.get(action="window_premium_pay").details["source"] == "wallet"
        paper = desk.client.post(reverse("counter:premium_paper", args=[payment.public_id]), {"paper": "A4"})
        told = "".join(page.extract_text() for page in PdfReader(io.BytesIO(paper.content)).pages)
        assert "医保钱包 400.00 元" in told
        assert "原付款钱包" in told
        page = reverse("counter:premium", args=[payment.public_id])
        assert "the wallet of the member" in text(desk.get(page))
        assert "the money is in the wallet again" in text(desk.send(page, do="act", consent="paper"))
        payment.refresh_from_db()
        assert payment.refunded_on == ON
        assert faults(ON) == []

    def test_a_premium_that_the_wallet_cannot_pay_whole(self, scene, child, desk) -> None:
        self.fill(scene, "200.00")
        answer = desk.send(pay_page(child) + "&source=wallet", do="act", consent="paper")
        assert (answer.status_code, PremiumPayment.objects.count()) == (422, 0)
        assert "The wallet holds 200.00 yuan" in text(answer)

    def test_whether_it_pays_bills_as_the_member_agrees(self, scene, desk) -> None:
        url = reverse("counter:wallet_pays")
        assert desk.get(url)["Location"] == WALLET
        wallets.open_wallet(member=scene.daughter.member, by=None, at=moment())
        assert "Pays bills" in text(desk.get(WALLET))
        page = desk.get(url)
        assert "Letting the wallet pay no more bills" in text(page)
        assert desk.send(url, do="act").status_code == 422
        assert Wallet.objects.get().pays_care
        sent = fields(page) | {"do": "act", "consent": "paper"}
        assert "no longer pays bills" in text(desk.client.post(url, sent, follow=True))
        assert not Wallet.objects.get().pays_care
        line = AuditEvent.objects.get(action="window_wallet_pays_not")
        assert line.on_behalf_of_id == scene.daughter.member_id
        desk.client.post(url, sent)
        assert not Wallet.objects.get().pays_care
        assert "The wallet pays bills from now on" in text(desk.send(url, do="act", consent="paper"))
        assert Wallet.objects.get().pays_care
