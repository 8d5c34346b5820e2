"""Pages of the wallet: open, send in two steps, accept; nothing of it is ever called sharing."""

import datetime
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from django.core.cache import cache
from django.urls import reverse

from accounts import clock
from accounts.models import Institution
from settlements import ledger
from settlements.actions import wallet
from settlements.models import Wallet, WalletTransfer
from tests.people import make_institution, make_login, make_member
from tests.settlements.rollover.world import faults
from tests.settlements.scene import bill, make_scene, region_of_file, undo
from tests.support.pages import english, fields, log_in, text

pytestmark = pytest.mark.django_db
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
ON = datetime.date(2026, 5, 20)
HOME, SEND = reverse("settlements:wallet"), reverse("settlements:wallet_send")


def moment(hour=12, day=ON, minute=0) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(hour, minute), SHANGHAI)


@pytest.fixture
def now():
    cache.clear()
    with clock.standing(moment()):
        yield moment()


def world():
    scene = make_scene(on=ON, current="0.00")
    region = region_of_file("500000")
    brother = make_member("沈某桥", datetime.date(1988, 8, 8), sex="M", region=region, insurance="resident")
    return scene, brother


def opened(client):
    page = client.get(HOME)
    return client.post(reverse("settlements:wallet_open"), fields(page), follow=True)


def english_with(user, before):
    """The same person in a new session that has kept what was entered: hours later the old one would have ended."""
    client = english(user)
    session = client.session
    session["wallet_send"] = before.session["wallet_send"]
    session.save()
    return client


def form(brother, **changes):
    return {
        "name": brother.name,
        "id_number": brother.id_number,
        "relation": "sibling",
        "source": "account",
        "amount": "500.00",
        "token": "t" * 24,
    } | changes


def test_open_send_and_accept(now):
    scene, brother = world()
    client = english(scene.daughter)
    assert "Not open yet" in text(client.get(HOME))
    assert client.get(SEND).status_code == 302
    assert "Your wallet is open." in text(opened(client))

    # There is one thing to send from: it is not asked for, but what it holds is told.
    assert "Personal account, earlier years: 5,000.00 yuan" in text(client.get(SEND))
    check = client.post(SEND, form(brother), follow=True)
    page = text(check)
    assert "Brother 沈*桥" in page
    assert "cannot be called back" in page
    assert WalletTransfer.objects.count() == 0
    sent = client.post(reverse("settlements:wallet_check"), fields(check), follow=True)
    assert "Sent. The money has left and waits to be accepted." in text(sent)
    transfer = WalletTransfer.objects.get()
    assert (transfer.amount, transfer.relation, transfer.state) == (Decimal("500.00"), "sibling", "pending")
    assert ledger.balances([scene.account.pk], ON)[scene.account.pk].historical == Decimal("4500.00")
    # Sent again it leads to the same transfer.
    again = client.post(reverse("settlements:wallet_check"), fields(check), follow=True)
    assert transfer.number in text(again)
    assert WalletTransfer.objects.count() == 1
    assert "Before that no other transfer can be sent." in text(client.get(HOME))
    account = client.get(reverse("settlements:account"))
    assert "Transferred to the wallet of 沈*桥" in text(account)
    assert f'href="{reverse("settlements:transfer", args=[transfer.public_id])}"' in account.content.decode()

    theirs = english(make_login(brother))
    assert "From sister 沈*宁" in text(theirs.get(HOME))
    url = reverse("settlements:transfer", args=[transfer.public_id])
    page = theirs.get(url)
    assert "Open the wallet and accept" in text(page)
    accept, sent = reverse("settlements:transfer_accept", args=[transfer.public_id]), fields(page)
    assert "Accepted: the money is in your wallet." in text(theirs.post(accept, sent, follow=True))
    # Sent again when nobody remembers the form any more, it says the same and moves nothing.
    cache.clear()
    assert "Accepted: the money is in your wallet." in text(theirs.post(accept, sent, follow=True))
    assert "500" in text(theirs.get(HOME))
    assert "Transfer from 沈*宁" in text(theirs.get(HOME))
    assert faults(ON) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": ""}, "Enter the name of the receiver"),
        ({"id_number": ""}, "Enter the ID number of the receiver"),
        ({"relation": "cousin"}, "Choose one of the relations"),
        ({"relation": "parent_in_law"}, "Choose one of the relations"),
        ({"relation": "parent"}, "this relative is not the older one of the two"),
        ({"amount": ""}, "Enter the amount"),
        ({"amount": "0.00"}, "Enter an amount above nought"),
        ({"amount": "2000.01"}, "A transfer can be at most 2,000.00 yuan"),
        ({"source": "pocket"}, "Choose one of the two"),
        ({"name": "别某人"}, "not"),
    ],
)
def test_mistakes_are_told_at_their_place(now, changes, told):
    scene, brother = world()
    client = english(scene.daughter)
    opened(client)
    page = client.post(SEND, form(brother, **changes))
    assert page.status_code == 422
    assert told in text(page)
    assert WalletTransfer.objects.count() == 0


def test_what_stands_against_it_is_told_when_it_is_sent(now):
    scene, brother = world()
    client = english(scene.daughter)
    opened(client)
    check = client.post(SEND, form(brother, amount="2000.00"), follow=True)
    evening = moment(22)
    with clock.standing(evening):
        client = english_with(scene.daughter, client)
        page = client.post(reverse("settlements:wallet_check"), fields(check))
    assert page.status_code == 422
    assert "Transfers rest from 22:00 to 06:00." in text(page)
    assert "Nothing was sent." in text(page)
    again = client.post(reverse("settlements:wallet_check"), fields(page), follow=True)
    assert "Sent." in text(again)


def test_not_to_oneself_nor_where_no_wallet_is(now):
    scene, brother = world()
    client = english(scene.daughter)
    opened(client)
    me = scene.daughter.member
    page = client.post(SEND, form(me))
    assert "You cannot transfer to yourself." in text(page)
    south = make_member("沈某南", region=region_of_file("440100"))
    page = client.post(SEND, form(south, token="u" * 24))
    assert "has not opened the wallet" in text(page)


def test_in_a_region_without_wallet_the_page_says_so(now):
    scene = make_scene(code="440100", on=ON)
    page = text(english(scene.daughter).get(HOME))
    assert "has not opened the wallet" in page
    assert "Open the wallet" not in page


def sent_to(scene, brother, amount="500.00"):
    for member in (scene.daughter.member, brother):
        wallet.open_wallet(member=member, by=None, at=moment())
    return wallet.transfer(
        sender=scene.daughter.member, receiver=brother, amount=Decimal(amount), at=moment(), key="k", relation="sibling"
    )


def test_after_six_it_is_shown_back_though_nobody_wrote_it_down(now):
    scene, brother = world()
    transfer = sent_to(scene, brother)
    user = make_login(brother)
    url = reverse("settlements:transfer", args=[transfer.public_id])
    page = english(user).get(url)
    with clock.standing(moment(6, ON + datetime.timedelta(days=1))):
        client, theirs = english(scene.daughter), english(user)
        assert "Returned" in text(client.get(url))
        assert "Transfer money" in text(client.get(HOME))
        assert "Waits for you" not in text(theirs.get(HOME))
        late = theirs.post(reverse("settlements:transfer_accept", args=[transfer.public_id]), fields(page), follow=True)
        assert "was not accepted in time and has gone back" in text(late)
        assert "5,000" in text(client.get(reverse("settlements:account")))
    transfer.refresh_from_db()
    assert transfer.state == "pending"


def test_a_strangers_transfer_is_no_page(now):
    scene, brother = world()
    transfer = sent_to(scene, brother)
    url = reverse("settlements:transfer", args=[transfer.public_id])
    accept = reverse("settlements:transfer_accept", args=[transfer.public_id])
    assert english(scene.father).get(url).status_code == 404
    assert english(scene.father).post(accept, {"token": "x" * 24}).status_code == 404
    assert english(scene.daughter).post(accept, {"token": "y" * 24}).status_code == 404


def test_out_of_the_wallet(now):
    scene, brother = world()
    wallet.accept(transfer=sent_to(scene, brother), at=moment())
    client = english(make_login(brother))
    page = client.get(SEND)
    assert fields(page)["source"] == "wallet"
    daughter = scene.daughter.member
    check = client.post(SEND, form(daughter, source="wallet", amount="500.00"), follow=True)
    assert "your wallet" in text(check)
    client.post(reverse("settlements:wallet_check"), fields(check))
    assert Wallet.objects.get(member=brother).balance == 0
    assert faults(ON) == []


def test_a_wallet_of_no_insured_person_cannot_be_opened(now):
    scene, _ = world()
    nobody = make_member("无某", insurance=None)
    client = english(make_login(nobody))
    assert "not insured" in text(client.get(HOME))
    refused = client.post(reverse("settlements:wallet_open"), {"token": "z" * 24})
    assert refused.status_code == 422
    assert Wallet.objects.count() == 0


def test_the_words_of_the_wallet_keep_away_from_those_of_sharing(now):
    scene, brother = world()
    transfer = sent_to(scene, brother)
    client = log_in(scene.daughter)
    for url in (HOME, SEND, reverse("settlements:transfer", args=[transfer.public_id])):
        page = BeautifulSoup(client.get(url).content, "html.parser").select_one("main")
        apart = page.select_one("[aria-labelledby=h-apart]").extract()
        assert "转账转走了钱" in apart.get_text()
        assert "共济不转走钱" in apart.get_text()
        assert "共济" not in page.get_text()


def test_it_pays_a_bill_and_the_movement_leads_there(now):
    scene, _brother = world()
    for member in (scene.daughter.member, scene.father.member):
        wallet.open_wallet(member=member, by=None, at=now)
    wallet.accept(transfer=sent_to(scene, scene.father.member), at=now)
    settled = bill(scene, in_scope="450.00", self_paid="0.00")
    father = english(scene.father)
    page = father.get(HOME)
    assert "Care, 浦江中心医院 −127.95" in text(page)
    link = BeautifulSoup(page.content, "html.parser").find("a", string="Care, 浦江中心医院")
    told = text(father.get(link["href"]))
    assert link["href"] == reverse("settlements:bill", args=[settled.public_id])
    assert "your wallet paid 127.95 yuan" in told
    assert "It is your own money: it pays after your account and before relatives' accounts." in told
    undo(scene, settled)
    assert "Refund of care, 浦江中心医院 +127.95" in text(father.get(HOME))


def test_its_member_lets_it_pay_no_bills(now):
    scene, _brother = world()
    daughter = english(scene.daughter)
    opened(daughter)
    for said, done in [("no", "Your wallet no longer pays bills."), ("yes", "Your wallet pays bills from now on.")]:
        page = daughter.get(HOME)
        button = BeautifulSoup(page.content, "html.parser").find("button", attrs={"name": "pays"})
        assert button["value"] == said
        answer = daughter.post(reverse("settlements:wallet_pays"), fields(page) | {"pays": said}, follow=True)
        assert done in text(answer)
        assert Wallet.objects.get(member=scene.daughter.member).pays_care is (said == "yes")
    assert daughter.get(reverse("settlements:wallet_pays")).status_code == 302


def test_no_form_is_offered_that_could_only_be_refused(now):
    scene, brother = world()
    client = english(scene.daughter)
    opened(client)
    assert client.get(SEND).context["may_fill_in"]
    sent_to(scene, brother)
    page = client.get(SEND)
    assert "An earlier transfer still waits" in text(page)
    assert 'name="amount"' not in page.content.decode()
    with clock.standing(moment(hour=23)):
        assert 'name="amount"' not in english(scene.father).get(SEND, follow=True).content.decode()


def test_where_it_is_accepted(now):
    scene, brother = world()
    make_institution("徐汇滨江药房", region=scene.region, kind="pharmacy", level="primary")
    closed = make_institution("徐汇停业药房", region=scene.region, kind="pharmacy", level="primary")
    Institution.objects.filter(pk=closed.pk).update(is_active=False)
    elsewhere = make_institution("渝中药房", region=region_of_file("500000"), kind="pharmacy", level="primary")
    client, url = english(scene.daughter), reverse("settlements:wallet_places")
    page = text(client.get(url))
    assert "徐汇滨江药房 Pharmacy" in page
    assert closed.name not in page
    assert elsewhere.name not in page
    assert scene.institution.name not in text(client.get(url, {"name": "药房"}))
    assert "None has this in its name" in text(client.get(url, {"name": "不存在"}))
    assert client.get(url, {"name": "长" * 41}).status_code == 422
    south = make_member("沈某南", datetime.date(1990, 1, 1), region=region_of_file("440100"))
    assert "wallets cannot pay bills" in text(english(make_login(south)).get(url))


def test_every_movement_can_be_read(now):
    scene, brother = world()
    client, url = english(make_login(brother)), reverse("settlements:wallet_moves")
    assert client.get(url)["Location"] == HOME
    transfer = sent_to(scene, brother)
    assert "Nothing has moved" in text(client.get(url))
    wallet.accept(transfer=transfer, at=moment())
    assert "+500.00" in text(client.get(url))
    assert url not in client.get(HOME).content.decode()
    for later in range(1, 6):
        for sender, receiver in ((brother, scene.daughter.member), (scene.daughter.member, brother)):
            day = moment(day=ON + datetime.timedelta(days=later))
            made = wallet.transfer(
                sender=sender, receiver=receiver, amount=Decimal("1.00"), at=day, key=f"m {later}", source="wallet"
            )
            wallet.accept(transfer=made, at=day)
    assert url in client.get(HOME).content.decode()
    assert text(client.get(url)).count("1.00") >= 10


def test_what_is_back_and_not_written_yet_stands_in_the_list_as_in_the_balance(now):
    scene, brother = world()
    father = scene.father.member
    for member in (scene.daughter.member, father, brother):
        wallet.open_wallet(member=member, by=None, at=now)
    sent = wallet.transfer(sender=scene.daughter.member, receiver=father, amount=Decimal(90), at=now, key="a")
    wallet.accept(transfer=sent, at=now)
    wallet.transfer(sender=father, receiver=brother, amount=Decimal(60), at=now, key="b", source="wallet")

    def told():
        home, moves = (log_in(scene.father).get(url).context for url in (HOME, reverse("settlements:wallet_moves")))
        listed = [(row["what"], row["line"].on, row["line"].amount, row["line"].after) for row in moves["moves"]]
        assert [(row["what"], row["line"].after) for row in home["moves"]] == [(row[0], row[3]) for row in listed]
        assert listed[0][3] == home["balance"] == Decimal(90)
        return listed

    with clock.standing(moment(day=ON + datetime.timedelta(days=1))):
        before = told()
        wallet.return_overdue(at=clock.now())
        assert told() == before and [row[2] for row in before] == [60, -60, 90]
