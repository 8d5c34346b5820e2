"""Premiums out of the wallet on the member's pages: chosen, checked, paid, told in both histories, given back."""

import datetime
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.urls import reverse

from accounts import clock
from settlements import ledger
from settlements.actions import wallet
from settlements.models import PremiumPayment, Wallet
from settlements.queries.wallet import balance_of
from tests.people import make_login
from tests.settlements.rollover.world import faults
from tests.settlements.scene import BEIJING
from tests.settlements.views.test_premiums import HOME, ON, english, family, group_page, moment, text
from tests.support.pages import fields

pytestmark = pytest.mark.django_db
WALLET = reverse("settlements:wallet")


@pytest.fixture(autouse=True)
def now():
    cache.clear()
    with clock.standing(moment()):
        yield


def fill(sender, receiver, amount: str) -> None:
    for member in (sender, receiver):
        wallet.open_wallet(member=member, by=None, at=moment())
    made = wallet.transfer(
        sender=sender, receiver=receiver, amount=Decimal(amount), at=moment(), key=f"f {receiver.pk}"
    )
    wallet.accept(transfer=made, at=moment())


def world(amount: str = "900.00", **more):
    scene, child = family(father_historical="5000.00", **more)
    fill(scene.father.member, scene.daughter.member, amount)
    return scene, child


def held(member) -> Decimal:
    return balance_of(Wallet.objects.get(member=member), moment())


def check_page(client, child, source="wallet"):
    return client.get(group_page(child), {"group": "student", "source": source}, follow=True)


def test_chosen_checked_paid_and_given_back():
    scene, child = world()
    client = english(scene.daughter)
    page = text(client.get(group_page(child)))
    assert "Personal account, earlier years: 5,000.00 yuan" in page
    assert "Wallet: 900.00 yuan" in page
    assert client.get(group_page(child), {"group": "student", "source": ""}).status_code == 422
    check = check_page(client, child)
    assert "your wallet" in text(check)
    assert "900.00 now, 500.00 afterwards" in text(check)
    url = check.redirect_chain[-1][0]
    paid = client.post(url, fields(check), follow=True)
    payment = PremiumPayment.objects.get()
    assert (payment.wallet.member, held(scene.daughter.member)) == (scene.daughter.member, Decimal("500.00"))
    assert ledger.balances([scene.account.pk], ON)[scene.account.pk].historical == Decimal("5000.00")
    assert "Out of your wallet" in text(paid)
    assert "from your wallet" in text(client.get(HOME))
    assert "Premium for 2026: Daughter 沈*禾" in text(client.get(WALLET))
    client.post(url, fields(check))
    assert PremiumPayment.objects.count() == 1
    # The back button: never "not paid yet" of what is paid.
    assert client.get(url)["Location"] == reverse("settlements:premium", args=[payment.public_id])

    back = reverse("settlements:premium_refund", args=[payment.public_id])
    assert "back into your wallet" in text(client.get(back))
    done = client.post(back, fields(client.get(back)), follow=True)
    assert "the money is in your wallet again" in text(done)
    assert held(scene.daughter.member) == Decimal("900.00")
    assert "Premium for 2026 given back" in text(client.get(WALLET))
    assert faults(ON) == []


def test_too_little_is_said_with_the_other_way():
    scene, child = world("100.00")
    client = english(scene.daughter)
    page = check_page(client, child)
    assert "The wallet holds 100.00 yuan" in text(page)
    assert "Let something else pay it" in text(page)
    assert 'name="token"' not in page.content.decode()


def test_a_resident_without_an_account_pays_his_own():
    scene, child = world()
    fill(scene.daughter.member, child, "400.00")
    client = english(make_login(child))
    page = text(client.get(group_page(child)))
    assert "What pays it?" not in page
    check = client.get(group_page(child), {"group": "student"}, follow=True)
    assert "400.00 now, 0.00 afterwards" in text(check)
    client.post(check.redirect_chain[-1][0], fields(check))
    assert PremiumPayment.objects.get().payer == child
    assert held(child) == 0


def test_a_wallet_that_may_not_pay_is_never_replaced_by_the_account():
    scene, child = family()
    client = english(scene.daughter)
    url = reverse("settlements:premium_check", args=[child.public_id])
    page = client.get(url, {"group": "student", "source": "wallet"})
    assert "The wallet is not open yet" in text(page)
    token = fields(client.get(url, {"group": "student"}))["token"]
    refused = client.post(url, {"group": "student", "source": "wallet", "token": token})
    assert refused.status_code == 422
    assert not PremiumPayment.objects.exists()


def test_the_retired_employee_is_not_told_that_he_lacks_an_account():
    scene, _child = world()
    client = english(scene.stranger)
    assert "You have no personal account" not in text(client.get(HOME))


def test_where_accounts_are_debited_at_the_months_end_the_wallet_pays_at_once():
    scene, child = world(code=BEIJING)
    with clock.standing(moment(datetime.date(2025, 12, 5))):
        client = english(scene.daughter)
        assert "Have it debited" in text(check_page(client, child, source="account"))
        check = check_page(client, child)
        assert "It is paid at once and whole" in text(check)
        client.post(check.redirect_chain[-1][0], fields(check))
    assert PremiumPayment.objects.get().wallet is not None
