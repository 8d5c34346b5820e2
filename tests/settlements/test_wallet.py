"""The wallet through the real actions: effect, log, refusals, the return at six, and races on two connections."""

import datetime
from decimal import Decimal
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import translation

from accounts import clock, dates
from accounts.errors import Refused
from accounts.message_texts import tell
from accounts.models import AuditEvent, Enrolment, Member, Message
from settlements import ledger
from settlements.actions import wallet
from settlements.ledger.checks import CHECKS, run_checks
from settlements.models import Entry, LedgerTransaction, PersonalAccount, Wallet, WalletEntry, WalletTransfer
from settlements.queries import wallet as read
from tests.people import make_member, make_staff
from tests.settlements.rollover.world import faults, yuan
from tests.settlements.scene import bill, make_scene, region_of_file
from tests.support.races import at_once

ON = datetime.date(2026, 5, 20)
NEXT = ON + datetime.timedelta(days=1)
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))


def moment(hour: int = 12, minute: int = 0, second: int = 0, day: datetime.date = ON) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(hour, minute, second), SHANGHAI)


SIX = moment(6, day=NEXT)


def make_world():
    """The daughter has 5,000.00 in historical; her brother is insured as a resident elsewhere."""
    scene = make_scene(on=ON, current="0.00")
    brother = make_member("沈某桥", sex="M", region=region_of_file("500000"), insurance="resident")
    for member in (scene.daughter.member, brother):
        wallet.open_wallet(member=member, by=None, at=moment())
    return scene, brother


@pytest.fixture
def world(db):
    return make_world()


def send(scene, receiver, amount="500.00", at=None, key="k", **more):
    more.setdefault("by", scene.daughter)
    return wallet.transfer(
        sender=scene.daughter.member, receiver=receiver, amount=yuan(amount), at=at or moment(), key=key, **more
    )


def account_at(scene, at):
    with clock.standing(at):
        return ledger.balances([scene.account.pk], at.date())[scene.account.pk].historical


def wallet_at(member, at=None):
    return read.balance_of(Wallet.objects.get(member=member), at or moment())


def code_of(act) -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code, refused.value.params.get("why", "")


def test_opened_once_and_written_down(world):
    scene, _ = world
    again = wallet.open_wallet(member=scene.daughter.member, by=scene.daughter, at=moment())
    assert Wallet.objects.filter(member=scene.daughter.member).get() == again
    assert AuditEvent.objects.filter(action="wallet_opened", member_id=scene.daughter.member_id).count() == 1
    with pytest.raises(PermissionDenied):
        wallet.open_wallet(member=scene.father.member, by=scene.daughter, at=moment())


def test_the_money_leaves_at_once_and_is_the_receivers_once_accepted(world):
    scene, brother = world
    sent = send(scene, brother, relation="sibling")
    assert account_at(scene, moment()) == yuan("4500.00")
    assert wallet_at(brother) == 0
    assert sent.expires_at == SIX
    entry = Entry.objects.get(transaction=sent.sending)
    assert (entry.kind, entry.contra, entry.contra_id, entry.historical_delta) == (
        "wallet", "wallet", sent.pk, yuan("-500.00"),
    )  # fmt: skip
    assert sent.sending.by == scene.daughter
    told = Message.objects.get(kind="wallet_sent")
    assert told.member_id == brother.pk
    with translation.override("zh-hans"):
        assert f"请在{dates.moment(sent.expires_at)}前接收" in tell(told).body
    assert faults(ON) == []

    accepted = wallet.accept(transfer=sent, at=moment(22, 30))
    assert (accepted.state, wallet_at(brother)) == ("accepted", yuan("500.00"))
    assert Message.objects.get(kind="wallet_accepted").member_id == scene.daughter.member_id
    assert account_at(scene, SIX) == yuan("4500.00")
    assert wallet.return_overdue(at=SIX) == []
    assert faults(ON) == []


def test_the_same_key_gives_the_first_transfer_again(world):
    scene, brother = world
    assert send(scene, brother) == send(scene, brother)
    assert WalletTransfer.objects.count() == 1


def test_an_acceptance_sent_again_gets_its_first_answer(world):
    scene, brother = world
    sent = send(scene, brother)
    for at in (moment(), moment(22, 30), SIX):
        assert wallet.accept(transfer=sent, at=at, key="form").state == "accepted"
    assert wallet_at(brother) == yuan("500.00")
    assert Message.objects.filter(kind="wallet_accepted").count() == 1
    assert code_of(lambda: wallet.accept(transfer=sent, at=moment(), key="other"))[0] == "duplicate"
    assert faults(ON) == []


def test_the_same_key_gives_it_again_when_the_world_has_changed_since(world):
    """The answer was lost, then the sender left: what is on its way is told, nothing new is sent."""
    scene, brother = world
    first = send(scene, brother)
    Enrolment.objects.filter(member=scene.daughter.member).update(status="closed")
    assert send(scene, brother) == first
    assert code_of(lambda: send(scene, brother, key="other"))[0] == "closed"
    assert code_of(lambda: send(scene, brother, "1.00"))[0] == "closed"
    assert code_of(lambda: send(scene, brother, by=scene.stranger))[0] == "closed"


def test_not_accepted_it_is_back_at_six_whoever_looks(world):
    scene, brother = world
    sent = send(scene, brother)
    just_before = SIX - datetime.timedelta(microseconds=1)
    assert account_at(scene, just_before) == yuan("4500.00")
    # Nobody has written anything down yet, and it is shown back.
    assert account_at(scene, SIX) == yuan("5000.00")
    assert read.state_at(sent, SIX).code == "returned"
    assert code_of(lambda: wallet.accept(transfer=sent, at=SIX))[0] == "not_permitted"

    assert [row.pk for row in wallet.return_overdue(at=SIX)] == [sent.pk]
    sent.refresh_from_db()
    assert (sent.state, sent.ended_at) == ("returned", SIX)
    assert account_at(scene, SIX) == yuan("5000.00")
    assert Message.objects.get(kind="wallet_returned").member_id == scene.daughter.member_id
    assert wallet.return_overdue(at=SIX) == []
    assert faults(NEXT) == []


def test_nobody_accepts_for_the_dead_and_it_is_back_at_six(world):
    scene, brother = world
    sent = send(scene, brother)
    Member.objects.filter(pk=brother.pk).update(died_on=ON)
    assert code_of(lambda: wallet.accept(transfer=sent, at=moment(13), key="form")) == ("closed", "receiver_died")
    assert (wallet_at(brother), account_at(scene, SIX)) == (0, yuan("5000.00"))
    assert [row.pk for row in wallet.return_overdue(at=SIX)] == [sent.pk]
    assert faults(NEXT) == []


def test_what_was_accepted_before_the_death_keeps_its_answer(world):
    scene, brother = world
    sent = send(scene, brother)
    wallet.accept(transfer=sent, at=moment(), key="form")
    Member.objects.filter(pk=brother.pk).update(died_on=ON)
    assert wallet.accept(transfer=sent, at=moment(13), key="form").state == "accepted"
    assert wallet_at(brother) == yuan("500.00")


@pytest.mark.parametrize("source", ["account", "wallet"])
def test_nothing_is_sent_by_the_dead_or_to_them(world, source):
    scene, brother = world
    wallet.accept(transfer=send(scene, brother), at=moment())
    Member.objects.filter(pk=brother.pk).update(died_on=ON)
    brother.refresh_from_db()
    sending = partial(
        wallet.transfer, sender=brother, receiver=scene.daughter.member, amount=yuan("1.00"), source=source
    )
    assert code_of(lambda: sending(at=moment(), key="b"))[0] == "closed"
    assert code_of(lambda: send(scene, brother, key="again"))[0] == "closed"
    assert wallet_at(brother) == yuan("500.00")


def test_accepted_in_the_last_moment(world):
    scene, brother = world
    sent = send(scene, brother)
    assert wallet.accept(transfer=sent, at=SIX - datetime.timedelta(microseconds=1)).state == "accepted"
    assert code_of(lambda: wallet.accept(transfer=sent, at=SIX))[0] == "duplicate"


def test_a_bill_after_six_can_use_what_is_back_and_the_sender_is_told_later(world):
    scene, brother = world
    send(scene, brother, "2000.00")
    with clock.standing(moment(7, day=NEXT)):
        settled = bill(scene, scene.daughter, kind="pharmacy", in_scope="4900.00", self_paid="0.00", on=NEXT)
    assert (settled.own_historical, settled.cash) == (yuan("4900.00"), 0)
    assert WalletTransfer.objects.get().state == "returned"
    assert faults(NEXT) == []
    assert len(wallet.return_overdue(at=moment(8, day=NEXT))) == 1


def test_a_bill_before_six_cannot(world):
    scene, brother = world
    send(scene, brother, "2000.00")
    with clock.standing(moment(5, 59, 59, day=NEXT)):
        settled = bill(scene, scene.daughter, kind="pharmacy", in_scope="4900.00", self_paid="0.00", on=NEXT)
    assert (settled.own_historical, settled.cash) == (yuan("3000.00"), yuan("1900.00"))
    assert account_at(scene, SIX) == yuan("2000.00")
    assert faults(NEXT) == []


def test_back_in_a_new_benefit_year(world):
    """Sent on the last evening of the year, back on the first morning of the next: into historical, rolled first."""
    scene, brother = world
    last, first = datetime.date(2026, 6, 30), datetime.date(2026, 7, 1)
    send(scene, brother, "2000.00", at=moment(21, 59, 59, day=last))
    late = moment(6, day=first)
    with clock.standing(late):
        shown = ledger.balances([scene.account.pk], first)[scene.account.pk]
    assert (shown.benefit_year, shown.current, shown.historical) == (2026, 0, yuan("5000.00"))
    wallet.return_overdue(at=late)
    row = PersonalAccount.objects.get(pk=scene.account.pk)
    assert (row.benefit_year, row.current, row.historical) == (2026, 0, yuan("5000.00"))
    assert faults(first) == []


def test_back_in_the_old_year_though_it_is_written_in_the_new_one(world):
    """Whatever Celery does: the old year's interest counts the days from the morning it was back."""
    scene, brother = world
    first = datetime.date(2026, 7, 1)
    send(scene, brother, "2000.00")
    wallet.return_overdue(at=moment(6, day=first))
    *_earlier, back, rolled = Entry.objects.filter(account=scene.account).order_by("version")
    assert (back.business_date, back.benefit_year, back.historical_delta) == (NEXT, 2025, yuan("2000.00"))
    # From the opening on 5,000 yuan lay there for 40 days and then for 41, with one day of 3,000 between.
    assert rolled.historical_products == 5_000 * (40 + 41) + 3_000
    assert faults(first) == []


def test_out_of_the_wallet_and_back_into_it(world):
    scene, brother = world
    wallet.accept(transfer=send(scene, brother, "300.00"), at=moment())
    onward = wallet.transfer(
        sender=brother, receiver=scene.father.member, amount=yuan("200.00"), at=moment(13), key="w", source="wallet"
    )
    assert (onward.account, wallet_at(brother, moment(13))) == (None, yuan("100.00"))
    assert wallet_at(brother, SIX) == yuan("300.00")
    # Sending again after six brings it back first.
    wallet.transfer(
        sender=brother, receiver=scene.father.member, amount=yuan("300.00"), at=moment(7, day=NEXT), key="x",
        source="wallet",
    )  # fmt: skip
    kinds = list(WalletEntry.objects.filter(wallet__member=brother).order_by("version").values_list("kind", flat=True))
    assert kinds == ["received", "sent", "returned", "sent"]
    assert wallet_at(brother, moment(7, day=NEXT)) == 0
    assert faults(NEXT) == []


def test_an_overdue_one_from_the_account_is_no_obstacle_to_one_from_the_wallet(world):
    scene, brother = world
    wallet.open_wallet(member=scene.father.member, by=None, at=moment())
    father = wallet.transfer(
        sender=scene.father.member, receiver=scene.daughter.member, amount=yuan("100.00"), at=moment(), key="f"
    )
    wallet.accept(transfer=father, at=moment())
    send(scene, brother)
    later = moment(7, day=NEXT)
    sent = send(scene, brother, "50.00", at=later, key="w", source="wallet")
    assert (sent.state, wallet_at(scene.daughter.member, later)) == ("pending", yuan("50.00"))
    assert account_at(scene, later) == yuan("5000.00")
    assert faults(NEXT) == []


def not_insured(scene, brother):
    Enrolment.objects.filter(member=brother).delete()


def receiver_in_guangzhou(scene, brother):
    Enrolment.objects.filter(member=brother).update(region=region_of_file("440100"))


def sender_suspended(scene, brother):
    Enrolment.objects.filter(member=scene.daughter.member).update(status="suspended")


def sender_resident(scene, brother):
    Enrolment.objects.filter(member=scene.daughter.member).update(insurance="resident")


def sender_uninsured(scene, brother):
    Enrolment.objects.filter(member=scene.daughter.member).delete()


def receiver_died(scene, brother):
    brother.died_on = ON
    brother.save()


def no_wallet(scene, brother):
    Wallet.objects.filter(member=scene.daughter.member).delete()


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (not_insured, ("not_insured", "")),
        (receiver_in_guangzhou, ("not_permitted", "wallet_region")),
        (sender_suspended, ("suspended", "")),
        (sender_resident, ("not_permitted", "wallet_account")),
        (sender_uninsured, ("not_insured", "")),
        (receiver_died, ("closed", "")),
        (no_wallet, ("wallet_not_open", "")),
    ],
)
def test_who_cannot(world, spoil, code):
    scene, brother = world
    spoil(scene, brother)
    assert code_of(lambda: send(scene, brother, by=None)) == code
    assert PersonalAccount.objects.get(pk=scene.account.pk).historical == yuan("5000.00")
    assert faults(ON) == []


def test_a_relation_that_the_ages_do_not_allow(world):
    scene, brother = world
    before = account_at(scene, moment())
    brother.birth = scene.daughter.member.birth - datetime.timedelta(days=1)
    assert code_of(lambda: send(scene, brother, key="1", relation="child")) == ("ages_do_not_fit", "younger")
    brother.birth = scene.daughter.member.birth + datetime.timedelta(days=1)
    assert code_of(lambda: send(scene, brother, key="2", relation="parent")) == ("ages_do_not_fit", "older")
    assert account_at(scene, moment()) == before and not WalletTransfer.objects.exists()


def test_not_to_oneself_and_not_before_the_region_opened(world):
    scene, brother = world
    assert code_of(lambda: send(scene, scene.daughter.member)) == ("not_permitted", "wallet_self")
    early = moment(day=datetime.date(2025, 6, 29))
    assert code_of(lambda: send(scene, brother, at=early)) == ("not_permitted", "wallet_region")


@pytest.mark.parametrize(
    ("amount", "at", "code"),
    [
        ("2000.01", moment(), ("over_transfer_limit", "amount")),
        ("0.00", moment(), ("amount_too_small", "")),
        ("1.00", moment(5, 59, 59), ("outside_hours", "wallet")),
        ("1.00", moment(22), ("outside_hours", "wallet")),
    ],
)
def test_limits(world, amount, at, code):
    scene, brother = world
    assert code_of(lambda: send(scene, brother, amount, at=at)) == code
    assert WalletTransfer.objects.count() == 0
    refused = LedgerTransaction.objects.get(kind="wallet")
    assert (refused.refused, refused.entries.count()) == (code[0], 0)


def test_more_than_there_is(world):
    scene, brother = world
    for number in range(2):
        wallet.accept(transfer=send(scene, brother, "2000.00", key=f"n{number}"), at=moment())
    assert code_of(lambda: send(scene, brother, "1000.01", key="last"))[0] == "insufficient_balance"
    assert send(scene, brother, "1000.00", key="all").state == "pending"


def test_three_a_calendar_day_and_one_at_a_time(world):
    scene, brother = world
    first = send(scene, brother, key="1")
    assert code_of(lambda: send(scene, brother, key="2"))[0] == "transfer_pending"
    wallet.accept(transfer=first, at=moment())
    for number in (3, 4):
        wallet.accept(transfer=send(scene, brother, "1.00", key=str(number)), at=moment(21, 59))
    assert code_of(lambda: send(scene, brother, "1.00", at=moment(21, 59, 59), key="5")) == (
        "over_transfer_limit", "number",
    )  # fmt: skip
    assert send(scene, brother, "1.00", at=moment(6, day=NEXT), key="6").state == "pending"
    assert faults(NEXT) == []


def test_a_returned_one_counts_on_the_day_it_was_sent(world):
    scene, brother = world
    send(scene, brother, at=moment(21))
    wallet.return_overdue(at=SIX)
    for number in range(3):
        sent = send(scene, brother, "1.00", at=moment(7, day=NEXT), key=f"n{number}")
        wallet.accept(transfer=sent, at=moment(7, day=NEXT))
    assert code_of(lambda: send(scene, brother, at=moment(8, day=NEXT), key="n4"))[0] == "over_transfer_limit"


def test_only_the_sender_sends_and_only_the_receiver_accepts(world):
    scene, brother = world
    with pytest.raises(PermissionDenied):
        send(scene, brother, by=scene.father)
    sent = send(scene, brother, by=make_staff("clerk", region=scene.region))
    for by in (scene.daughter, scene.father, make_staff("clerk", region=scene.region)):
        with pytest.raises(PermissionDenied):
            wallet.accept(transfer=sent, at=moment(), by=by)


def test_accepting_needs_a_wallet(world):
    scene, brother = world
    sent = send(scene, scene.father.member)
    assert code_of(lambda: wallet.accept(transfer=sent, at=moment()))[0] == "wallet_not_open"
    wallet.open_wallet(member=scene.father.member, by=scene.father, at=moment())
    assert wallet.accept(transfer=sent, at=moment(), by=scene.father).state == "accepted"


def test_what_was_sent_is_a_fact(world):
    scene, brother = world
    sent = send(scene, brother)
    changes = [
        lambda: WalletTransfer.objects.update(amount=1),
        lambda: WalletTransfer.objects.all().delete(),
        lambda: WalletTransfer.objects.update(state="accepted"),
    ]
    for change in changes:
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    wallet.accept(transfer=sent, at=moment())
    for change in (
        lambda: WalletTransfer.objects.update(state="pending", ended_at=None, ending=None),
        lambda: WalletEntry.objects.update(delta=2),
        lambda: WalletEntry.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    with pytest.raises(IntegrityError), transaction.atomic():
        Wallet.objects.update(balance=-1)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (
            "UPDATE settlements_wallet SET balance = balance + 0.01 WHERE version > 0",
            "a wallet's row is its last entry",
        ),
        (
            "UPDATE settlements_wallet SET balance = balance + 0.01",
            "money for wallets is on its way, in wallets or spent",
        ),
        (
            "UPDATE settlements_wallettransfer SET amount = amount + 0.01 WHERE state = 'accepted'",
            "transfers are what was booked",
        ),
        (
            "UPDATE settlements_wallettransfer SET expires_at = expires_at + interval '1 minute'",
            "transfers keep their rules",
        ),
        ("UPDATE settlements_walletentry SET after = after + 0.01", "each wallet balance follows from the one before"),
    ],
)
def test_check_ledger_finds_one_fen(world, statement, name):
    scene, brother = world
    wallet.accept(transfer=send(scene, brother), at=moment())
    send(scene, brother, "10.00", key="pending")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("wallettransfer", "walletentry"):
            cursor.execute(f"ALTER TABLE settlements_{table} DISABLE TRIGGER USER")
        cursor.execute(statement)
    found = [finding.check.name for finding in run_checks(ON, CHECKS) if finding.count]
    assert name in found


# At once


@pytest.mark.django_db(transaction=True)
def test_two_transfers_at_once():
    scene, brother = make_world()
    keys = iter(["a", "b", "c"])
    outcomes = at_once(*[lambda: send(scene, brother, "2000.00", key=next(keys)).amount] * 3)
    assert outcomes == [str(Decimal("2000.00")), "transfer_pending", "transfer_pending"]
    assert faults(ON) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(3))
def test_accepting_against_the_return_at_six(turn):
    scene, brother = make_world()
    sent = send(scene, brother)
    just_before = SIX - datetime.timedelta(microseconds=1)
    outcomes = at_once(
        lambda: wallet.accept(transfer=sent, at=just_before).state,
        lambda: len(wallet.return_overdue(at=SIX)),
    )
    sent.refresh_from_db()
    accepted = sent.state == "accepted"
    assert outcomes == (["0", "accepted"] if accepted else ["1", "not_permitted"])
    assert wallet_at(brother, SIX) == (yuan("500.00") if accepted else 0)
    assert account_at(scene, SIX) == (yuan("4500.00") if accepted else yuan("5000.00"))
    assert faults(NEXT) == []


@pytest.mark.django_db(transaction=True)
def test_many_returns_and_bills_at_once():
    scene, brother = make_world()
    send(scene, brother, "2000.00")
    later = moment(7, day=NEXT)

    def settle():
        with clock.standing(later):
            return bill(scene, scene.daughter, kind="pharmacy", in_scope="2000.00", self_paid="0.00", on=NEXT).cash

    outcomes = at_once(
        settle, settle, lambda: len(wallet.return_overdue(at=later)), lambda: len(wallet.return_overdue(at=later))
    )
    assert outcomes == ["0", "0.00", "0.00", "1"]
    assert WalletTransfer.objects.get().state == "returned"
    assert faults(NEXT) == []


@pytest.mark.django_db(transaction=True)
def test_accepted_twice_at_once():
    scene, brother = make_world()
    sent = send(scene, brother)
    outcomes = at_once(*[lambda: wallet.accept(transfer=sent, at=moment()).state] * 3)
    assert outcomes == ["accepted", "duplicate", "duplicate"]
    assert wallet_at(brother) == yuan("500.00")
    assert faults(ON) == []
