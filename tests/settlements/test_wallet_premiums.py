"""Premiums out of a wallet through the real actions: effect, refusals, giving back, repetition, races; the check sees it."""

import datetime
import itertools
from decimal import Decimal
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from accounts.models import Enrolment, Message, Region
from settlements import ledger
from settlements.actions import premiums, wallet
from settlements.enums import WalletSource
from settlements.models import Entry, LedgerTransaction, PremiumOrder, PremiumPayment, Wallet, WalletEntry
from settlements.queries.premiums import people_to_pay_for
from settlements.queries.wallet import balance_of, place_of_use
from tests.people import make_member
from tests.settlements.rollover.world import faults, yuan
from tests.settlements.scene import BEIJING, Scene, make_scene, region_of_file, share
from tests.support.races import at_once
from tests.support.refusals import code_of

ON = datetime.date(2026, 11, 20)
DAY = datetime.timedelta(days=1)
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
WALLET = WalletSource.WALLET
_keys = itertools.count(1)


def moment(day: datetime.date = ON, hour: int = 12) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(hour), SHANGHAI)


def due(amount: str = "400.00", year: int = 2027, **more) -> premiums.Premium:
    return premiums.Premium(amount=yuan(amount), year=year, benefit_from=datetime.date(year, 1, 1), **more)


def fill(sender, receiver, amount: str) -> None:
    for member in (sender, receiver):
        wallet.open_wallet(member=member, by=None, at=moment())
    sent = wallet.transfer(sender=sender, receiver=receiver, amount=yuan(amount), at=moment(), key=f"f{next(_keys)}")
    wallet.accept(transfer=sent, at=moment())


def make_world(in_wallet: str = "900.00", code: str = "310000") -> tuple[Scene, object]:
    """The daughter's wallet holds what her father sent; she shares with her father and with a child."""
    scene = make_scene(on=ON, father_historical="5000.00", code=code)
    child = make_member("沈小禾", datetime.date(2016, 4, 4), region=scene.region, insurance="resident")
    share(scene.daughter.member, child, "child", scene.region, ON - 9 * DAY)
    fill(scene.father.member, scene.daughter.member, in_wallet)
    return scene, child


@pytest.fixture
def world(db):
    return make_world()


def pay(scene, insured, premium=None, key="k", payer=None, source=WALLET, on=ON, **more):
    payer = payer or scene.daughter.member
    return premiums.pay(
        payer=payer, insured=insured, premium=premium or due(), on=on, key=key, by=None, source=source, **more
    )


def held(member) -> Decimal:
    return balance_of(Wallet.objects.get(member=member), moment(ON + 400 * DAY))


def test_it_pays_whole_and_leaves_the_account_alone(world):
    scene, child = world
    before = ledger.balances([scene.account.pk], ON)[scene.account.pk]
    payment = pay(scene, child)
    assert ledger.balances([scene.account.pk], ON)[scene.account.pk] == before
    assert held(scene.daughter.member) == 500
    assert (payment.account, payment.wallet.member, payment.current, payment.historical) == (
        None, scene.daughter.member, 0, 0,
    )  # fmt: skip
    assert (payment.grant.beneficiary, payment.region) == (child, scene.region)
    entry = WalletEntry.objects.get(transaction=payment.transaction)
    assert (entry.kind, entry.delta, entry.after, entry.transfer) == ("premium", yuan("-400.00"), yuan("500.00"), None)
    assert not Entry.objects.filter(transaction=payment.transaction).exists()
    told = Message.objects.filter(kind="premium_paid").values_list("member", flat=True)
    assert set(told) == {scene.daughter.member_id, child.pk}
    assert faults(ON) == []


def test_a_resident_without_an_account_pays_his_own(world):
    scene, child = world
    fill(scene.daughter.member, child, "400.00")
    [own] = people_to_pay_for(child, ON)
    assert (own.refused, own.sources) == (None, ("wallet",))
    assert pay(scene, child, payer=child).grant is None
    assert held(child) == 0
    assert faults(ON) == []


def test_both_ways_are_offered_the_account_first(world):
    scene, child = world
    choices = {choice.member: choice for choice in people_to_pay_for(scene.daughter.member, ON)}
    assert choices[child].sources == ("account", "wallet")
    choices[child].grant.uses_premium = False
    choices[child].grant.save()
    choices = {choice.member: choice for choice in people_to_pay_for(scene.daughter.member, ON)}
    # The grant shows that they are relatives; what it may be used for is a word about the account.
    assert choices[child].sources == ("wallet",)
    assert pay(scene, child).wallet is not None


def test_the_same_key_pays_once_and_never_twice_for_a_person_and_year(world):
    scene, child = world
    assert pay(scene, child) == pay(scene, child)
    assert code_of(lambda: pay(scene, child, key="other")) == "duplicate"
    assert code_of(lambda: pay(scene, child, key="account", source=WalletSource.ACCOUNT)) == "duplicate"
    assert PremiumPayment.objects.count() == 1
    assert held(scene.daughter.member) == 500


def test_the_answer_is_told_again_when_the_world_has_changed(world):
    scene, child = world
    first = pay(scene, child)
    Region.objects.filter(pk=scene.region.pk).update(data={**scene.region.data, "wallet": []})
    assert pay(scene, child) == first
    assert code_of(lambda: pay(scene, child, key="other")) == "not_permitted"


def no_wallet(scene, child):
    return {"payer": scene.stranger.member}


def no_relative(scene, child):
    fill(scene.father.member, scene.stranger.member, "500.00")
    return {"payer": scene.stranger.member}


def region_out(scene, child):
    Region.objects.filter(pk=scene.region.pk).update(data={**scene.region.data, "wallet": []})


def insured_where_it_is_not_open(scene, child):
    Enrolment.objects.filter(member=child).update(region=region_of_file("440100"))


def frozen(scene, child):
    Enrolment.objects.filter(member=scene.daughter.member).update(status="frozen")


def too_little(scene, child):
    return {"premium": due("900.01")}


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (no_wallet, "wallet_not_open"),
        (no_relative, "not_permitted"),
        (region_out, "not_permitted"),
        (insured_where_it_is_not_open, "not_permitted"),
        (frozen, "frozen"),
        (too_little, "insufficient_balance"),
    ],
)
def test_refusals_move_nothing(world, spoil, code):
    scene, child = world
    more = spoil(scene, child) or {}
    assert code_of(lambda: pay(scene, child, **more)) == code
    assert held(scene.daughter.member) == 900
    assert not PremiumPayment.objects.exists()
    assert faults(ON) == []


def test_whose_contributions_have_stopped_pays_out_of_his_wallet(world):
    scene, child = world
    Enrolment.objects.filter(member=scene.daughter.member).update(status="suspended")
    assert code_of(lambda: pay(scene, child, source=WalletSource.ACCOUNT)) == "suspended"
    assert pay(scene, child).wallet is not None


def test_only_who_may_act_for_the_payer(world):
    scene, child = world
    facts = {"payer": scene.daughter.member, "insured": child, "premium": due(), "on": ON, "key": "k", "source": WALLET}
    with pytest.raises(PermissionDenied):
        premiums.pay(**facts, by=scene.stranger)
    payment = premiums.pay(**facts, by=scene.daughter)
    with pytest.raises(PermissionDenied):
        premiums.refund(payment=payment, on=ON, by=scene.stranger)


def test_given_back_into_the_wallet_once_and_before_the_benefits(world):
    scene, child = world
    payment = pay(scene, child)
    assert code_of(lambda: premiums.refund(payment=payment, on=payment.benefit_from)) == "benefits_begun"
    premiums.refund(payment=payment, on=ON + DAY, by=scene.daughter, key="r")
    premiums.refund(payment=payment, on=ON + DAY, by=scene.daughter, key="r")
    assert payment.refunded_on == ON + DAY
    assert code_of(lambda: premiums.refund(payment=payment, on=ON + DAY)) == "duplicate"
    assert held(scene.daughter.member) == 900
    back = WalletEntry.objects.get(transaction__reverses=payment.transaction)
    assert (back.kind, back.delta) == ("premium", yuan("400.00"))
    assert Message.objects.filter(kind="premium_refunded_wallet").count() == 2
    # It may be paid again, from the other purse.
    assert pay(scene, child, key="again", source=WalletSource.ACCOUNT).account == scene.account
    assert faults(ON + DAY) == []


def test_what_came_back_overnight_pays(world):
    scene, child = world
    wallet.transfer(
        sender=scene.daughter.member, receiver=scene.father.member, amount=yuan("900.00"), at=moment(), key="on",
        source="wallet",
    )  # fmt: skip
    assert code_of(lambda: pay(scene, child)) == "insufficient_balance"
    pay(scene, child, key="next day", on=ON + DAY)
    kinds = list(WalletEntry.objects.filter(wallet__member=scene.daughter.member).order_by("version"))
    assert [entry.kind for entry in kinds] == ["received", "sent", "returned", "premium"]
    assert faults(ON + DAY) == []


def test_where_accounts_are_debited_at_the_months_end_an_order_is_not_collected_for_what_is_paid(db):
    scene, child = make_world(code=BEIJING)
    premiums.order(payer=scene.daughter.member, insured=child, premium=due(), at=moment())
    pay(scene, child)
    assert premiums.collect(at=moment(datetime.date(2026, 11, 30), 20)) == (0, 0)
    assert PremiumOrder.objects.get().state == "withdrawn"
    assert Message.objects.filter(kind="premium_paid_otherwise", member=scene.daughter.member).count() == 1
    assert not Message.objects.filter(kind="premium_failed").exists()
    assert PremiumPayment.objects.count() == 1
    assert faults(ON) == []


def test_the_database_holds_that_one_of_the_two_paid(world):
    scene, child = world
    payment = pay(scene, child)
    for more in ({"historical": yuan("400.00")}, {"account": scene.account}, {"wallet": None}):
        facts = {
            "payer": payment.payer, "insured": payment.insured, "region": payment.region, "insurance": "resident",
            "year": 2040, "amount": yuan("400.00"), "benefit_from": payment.benefit_from, "paid_on": ON,
            "transaction": LedgerTransaction.objects.filter(premium=None).first(), "wallet": payment.wallet,
        }  # fmt: skip
        with pytest.raises(IntegrityError, match="premium_adds_up"), transaction.atomic():
            PremiumPayment.objects.create(**facts | more)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE settlements_walletentry SET delta = delta - 1, after = after - 1 WHERE kind = 'premium'",
        "DELETE FROM settlements_walletentry WHERE kind = 'premium'",
        "UPDATE settlements_premiumpayment SET refunded_on = paid_on",
        "DELETE FROM settlements_premiumpayment",
    ],
)
def test_the_check_finds_a_premium_that_is_not_what_was_booked(world, sql):
    scene, child = world
    pay(scene, child)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("walletentry", "premiumpayment"):
            cursor.execute(f"ALTER TABLE settlements_{table} DISABLE TRIGGER USER")
        cursor.execute(sql)
    assert "premiums are what was booked, refunds whole" in [finding.check.name for finding in faults(ON)]


def test_where_it_pays_follows_the_insurance(world):
    scene, _child = world
    found = Wallet.objects.get(member=scene.daughter.member)
    assert place_of_use(found, ON) == scene.region
    elsewhere = region_of_file("500000")
    Enrolment.objects.filter(member=scene.daughter.member).update(region=elsewhere)
    assert place_of_use(found, ON) == elsewhere
    Enrolment.objects.filter(member=scene.daughter.member).delete()
    assert place_of_use(found, ON) == scene.region


@pytest.mark.django_db(transaction=True)
def test_account_and_wallet_at_once_pay_once():
    scene, child = make_world()
    both = [partial(pay, scene, child, key=source, source=source) for source in ("account", "wallet")]
    outcomes = at_once(*both)
    assert PremiumPayment.objects.count() == 1, outcomes
    assert sum("duplicate" in str(outcome) for outcome in outcomes) == 1
    assert faults(ON) == []
