"""What the wallet of a dead member holds goes to his heirs with the account; of whoever leaves alive it stays his."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import translation

from accounts import clock
from accounts.errors import Refused
from counter.papers.closing import proof
from settlements.actions import payouts, wallet, withdrawal
from settlements.actions.withdrawal import PayeeAsked
from settlements.domain.withdrawal import split
from settlements.models import Payout, PersonalAccount, Wallet, WalletEntry
from tests.settlements.rollover.world import at, faults
from tests.settlements.scene import bill, make_scene
from tests.settlements.test_withdrawal import DAY, Desk, amounts, heirs


def noon(desk) -> datetime.datetime:
    return at(desk.scene.on, 12)


@pytest.fixture
def filled(db) -> Desk:
    """Her wallet holds 100.01 that her father sent."""
    desk = Desk(make_scene(father_historical="500.00"))
    for one in (desk.scene.father, desk.scene.daughter):
        wallet.open_wallet(member=one.member, by=None, at=noon(desk))
    send(desk, "100.01")
    return desk


def send(desk, amount: str) -> None:
    father, daughter = desk.scene.father.member, desk.scene.daughter.member
    sent = wallet.transfer(sender=father, receiver=daughter, amount=Decimal(amount), at=noon(desk), key=amount)
    wallet.accept(transfer=sent, at=noon(desk))


def in_wallet(desk) -> Decimal:
    return Wallet.objects.get(member=desk.scene.daughter.member).balance


def test_shared_by_the_same_shares_in_the_same_transaction(filled) -> None:
    run = withdrawal.dry_run(
        account=filled.scene.account,
        kind="inheritance",
        reason="died",
        since=filled.scene.on,
        by=filled.clerk,
        at=noon(filled),
    )
    assert run.wallet == Decimal("100.01")
    application = filled.close("inheritance", "died", heirs(filled, "33.33", "66.67"))
    assert amounts() == split(run.going.paid + Decimal("100.01"), [Decimal("33.33"), Decimal("66.67")])
    assert in_wallet(filled) == 0
    entry = WalletEntry.objects.get(kind="inherited")
    assert (entry.delta, entry.transaction) == (Decimal("-100.01"), Payout.objects.earliest("id").transaction)
    assert faults(filled.scene.on) == []
    with translation.override("zh-hans"):
        assert ["其中：医保钱包余额（元）", "100.01"] in proof(application)["facts"]


def test_into_the_account_of_an_heir(filled) -> None:
    father = filled.scene.father.member
    asked = [PayeeAsked(way="account", name=father.name, id_number=father.id_number, relation="parent")]
    before = PersonalAccount.objects.get(pk=filled.scene.fathers.pk).historical
    filled.close("inheritance", "died", asked)
    after = PersonalAccount.objects.get(pk=filled.scene.fathers.pk).historical
    assert [after - before] == amounts()
    assert faults(filled.scene.on) == []


def test_shared_though_the_account_is_empty(filled) -> None:
    filled.scene.account.refresh_from_db()
    bill(filled.scene, filled.scene.daughter, kind="pharmacy", in_scope="9000.00", self_paid="0.00")
    filled.close("inheritance", "died", heirs(filled, "100"))
    assert in_wallet(filled) == 0
    assert faults(filled.scene.on) == []


def test_what_comes_to_the_wallet_later_goes_to_the_same_heirs(filled) -> None:
    daughter = filled.scene.daughter.member
    region = filled.scene.region
    region.data["withdrawal"] = [
        one | {"blocks": [what for what in one["blocks"] if what != "transfer"]} for one in region.data["withdrawal"]
    ]
    region.save()
    six = noon(filled) + datetime.timedelta(hours=18)
    wallet.transfer(
        sender=daughter,
        receiver=filled.scene.father.member,
        amount=Decimal("40.00"),
        at=noon(filled),
        key="back",
        source="wallet",
    )
    filled.close("inheritance", "died", heirs(filled, "60", "40"))
    with clock.standing(six):
        wallet.return_overdue(at=six)
        assert in_wallet(filled) == Decimal("40.00")
        day = filled.scene.on + DAY
        assert payouts.pay_on_all(on=day) == (1, [])
        assert amounts()[-2:] == [Decimal("24.00"), Decimal("16.00")]
        assert in_wallet(filled) == 0
        assert payouts.pay_on_all(on=day) == (0, [])
        with pytest.raises(Refused, match="closed"):
            payouts.pay_on(account=filled.scene.account, on=day)
        assert faults(day) == []


def test_it_stays_with_whoever_leaves_alive(filled) -> None:
    filled.close()
    assert in_wallet(filled) == Decimal("100.01")
    assert payouts.pay_on_all(on=filled.scene.on) == (0, [])
    assert faults(filled.scene.on) == []


def test_the_checks_find_what_was_not_paid_out(filled) -> None:
    filled.close("inheritance", "died", heirs(filled, "100"))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE settlements_payout DISABLE TRIGGER USER")
        cursor.execute("UPDATE settlements_payout SET amount = amount - 100.01")
    assert "what was withdrawn is what was paid out" in {one.check.name for one in faults(filled.scene.on)}
