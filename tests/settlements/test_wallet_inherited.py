"""What the wallet of a dead member holds goes to his heirs with the account; of whoever leaves alive it stays his."""

import datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from accounts import clock, reasons
from accounts.errors import Refused
from accounts.models import AuditEvent, Enrolment, Member, Message
from counter.papers.closing import proof
from settlements.actions import payouts, wallet, withdrawal
from settlements.actions.payees import PayeeAsked
from settlements.domain.withdrawal import split
from settlements.models import Payee, Payout, PersonalAccount, Wallet, WalletEntry, WithdrawalApplication
from tests.people import make_member
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


def let_transfers_wait(desk) -> None:
    """As where a region inherits though one is under way."""
    region = desk.scene.region
    region.data["withdrawal"] = [
        one | {"blocks": [what for what in one["blocks"] if what != "transfer"]} for one in region.data["withdrawal"]
    ]
    region.save()


def in_wallet(desk) -> Decimal:
    return Wallet.objects.get(member=desk.scene.daughter.member).balance


def test_shared_by_the_same_shares_in_the_same_transaction(filled) -> None:
    run = withdrawal.dry_run(
        purse=filled.scene.account,
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
    let_transfers_wait(filled)
    six = noon(filled) + datetime.timedelta(hours=18)
    wallet.transfer(
        sender=daughter,
        receiver=filled.scene.father.member,
        amount=Decimal("40.00"),
        at=noon(filled),
        key="back",
        source="wallet",
    )
    application = filled.close("inheritance", "died", heirs(filled, "60", "40"))
    with clock.standing(six):
        wallet.return_overdue(at=six)
        assert in_wallet(filled) == Decimal("40.00")
        day = filled.scene.on + DAY
        assert payouts.pay_on_all(on=day) == (1, [])
        assert amounts()[-2:] == [Decimal("24.00"), Decimal("16.00")]
        assert in_wallet(filled) == 0
        assert payouts.pay_on_all(on=day) == (0, [])
        with pytest.raises(Refused, match="closed"):
            payouts.pay_on(application=application, on=day)
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


# Where there is no account to inherit it with


@pytest.fixture
def resident(filled) -> Member:
    """Insured as a resident; his wallet holds 60.03 that the father sent."""
    member = make_member("沈某安", region=filled.scene.region, insurance="resident")
    wallet.open_wallet(member=member, by=None, at=noon(filled))
    father = filled.scene.father.member
    sent = wallet.transfer(sender=father, receiver=member, amount=Decimal("60.03"), at=noon(filled), key="resident")
    wallet.accept(transfer=sent, at=noon(filled))
    return member


def inherit(desk, member: Member, *percents: str, payees=None, **more) -> WithdrawalApplication:
    asked = payees or heirs(desk, *percents)
    return desk.close("inheritance", "died", asked, account=Wallet.objects.get(member=member), **more)


def test_of_a_resident_the_wallet_alone_is_inherited_by_the_same_case(filled, resident) -> None:
    purse = Wallet.objects.get(member=resident)
    terms = {"kind": "inheritance", "reason": "died", "since": filled.scene.on, "by": filled.clerk, "at": noon(filled)}
    run = withdrawal.dry_run(purse=purse, **terms)
    assert (run.findings, run.wallet, run.paid, run.going.paid) == ([], Decimal("60.03"), Decimal("60.03"), 0)
    assert Member.objects.get(pk=resident.pk).died_on is None, "a dry run leaves no trace"
    application = inherit(filled, resident, "33.33", "66.67")
    assert (application.account, application.case.applicant, application.case.region) == (
        None,
        resident,
        filled.scene.region,
    )
    assert amounts() == split(Decimal("60.03"), [Decimal("33.33"), Decimal("66.67")])
    assert set(Payout.objects.values_list("from_account", "to_account")) == {(None, None)}
    purse.refresh_from_db()
    resident.refresh_from_db()
    assert (purse.balance, resident.died_on) == (0, filled.scene.on)
    assert Enrolment.objects.get(member=resident, valid_to=None).status == "closed"
    line = AuditEvent.objects.get(action="wallet_inherited")
    assert (line.actor_id, line.member_id, line.details["paid"]) == (filled.supervisor.pk, resident.pk, "60.03")
    assert faults(filled.scene.on) == []
    with translation.override("zh-hans"):
        paper = proof(application)
    assert paper["title"] == "医保钱包继承支付凭证"
    assert ["支付合计（元）", "60.03"] in paper["facts"] and "账户状态" not in dict(paper["facts"])


def test_an_insured_heir_has_it_in_his_account_and_is_told(filled, resident) -> None:
    father = filled.scene.father.member
    asked = [PayeeAsked(way="account", name=father.name, id_number=father.id_number, relation="sibling")]
    before = PersonalAccount.objects.get(pk=filled.scene.fathers.pk).historical
    application = inherit(filled, resident, payees=asked)
    assert PersonalAccount.objects.get(pk=filled.scene.fathers.pk).historical == before + Decimal("60.03")
    told = Message.objects.get(kind="wallet_inherited")
    assert (told.member_id, told.params["amount"], told.params["case"]) == (
        father.pk,
        "60.03",
        application.case.number,
    )
    assert faults(filled.scene.on) == []


def test_who_was_paid_out_and_died_later(filled) -> None:
    daughter = filled.scene.daughter.member
    filled.close()
    inherit(filled, daughter, "100")
    assert in_wallet(filled) == 0
    assert amounts()[-1] == Decimal("100.01")
    assert PersonalAccount.objects.get(pk=filled.scene.account.pk).status == "closed"
    assert faults(filled.scene.on) == []


def sent_on(desk, member: Member, amount: str):
    """Out of his wallet to her father."""
    father = desk.scene.father.member
    amount = Decimal(amount)
    return wallet.transfer(
        sender=member, receiver=father, amount=amount, at=noon(desk), key=f"on {amount}", source="wallet"
    )


def test_what_comes_to_it_later_goes_to_the_same_heirs_again(filled, resident) -> None:
    let_transfers_wait(filled)
    sent_on(filled, resident, "40.00")
    application = inherit(filled, resident, "60", "40")
    assert sum(amounts()) == Decimal("20.03")
    assert payouts.pay_on_all(on=filled.scene.on) == (0, [])
    six, day = noon(filled) + datetime.timedelta(hours=18), filled.scene.on + DAY
    with clock.standing(six):
        wallet.return_overdue(at=six)
        assert payouts.pay_on_all(on=day) == (1, [])
        assert amounts()[-2:] == [Decimal("24.00"), Decimal("16.00")]
        assert Wallet.objects.get(member=resident).balance == 0
        assert AuditEvent.objects.get(action="late_money_paid").member_id == resident.pk
        with pytest.raises(Refused, match="closed"):
            payouts.pay_on(application=application, on=day)
        assert faults(day) == []


def test_with_an_open_account_it_is_inherited_with_that(filled) -> None:
    with pytest.raises(Refused, match="inherited_with_account") as refused:
        inherit(filled, filled.scene.daughter.member, "100")
    with translation.override("zh-hans"):
        assert "钱包" in reasons.tell_refused(refused.value).reason
    assert in_wallet(filled) == Decimal("100.01")


def test_inherited_once(filled, resident) -> None:
    inherit(filled, resident, "100")
    with pytest.raises(Refused, match="closed") as refused:
        inherit(filled, resident, "100")
    assert refused.value.params == {"why": "wallet"}


def test_an_empty_wallet_is_nothing_to_inherit(filled) -> None:
    poor = make_member(region=filled.scene.region, insurance="resident")
    wallet.open_wallet(member=poor, by=None, at=noon(filled))
    with pytest.raises(Refused, match="nothing_to_pay"):
        inherit(filled, poor, "100")
    assert Member.objects.get(pk=poor.pk).died_on is None


def test_emptied_while_the_case_waits_it_is_not_granted(filled, resident) -> None:
    application = filled.submit(
        "inheritance", "died", heirs(filled, "100"), account=Wallet.objects.get(member=resident)
    )
    wallet.accept(transfer=sent_on(filled, resident, "60.03"), at=noon(filled))
    with pytest.raises(Refused, match="nothing_to_pay"):
        filled.grant(application)
    assert not Payout.objects.exists()


def test_only_an_inheritance_is_without_an_account(filled, resident) -> None:
    with pytest.raises(IntegrityError, match="without_account"), transaction.atomic():
        filled.draft(account=Wallet.objects.get(member=resident))
    application = filled.draft("inheritance", "died", heirs(filled, "100"), account=Wallet.objects.get(member=resident))
    with pytest.raises(IntegrityError, match="without_account"), transaction.atomic():
        WithdrawalApplication.objects.filter(pk=application.pk).update(reason="gave_up")
    assert Payee.objects.get().application == application
