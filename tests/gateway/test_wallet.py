"""A bill that the patient's wallet pays, as an institution sees it: money of the insurance, no cash, no relative's."""

from decimal import Decimal

from accounts.clock import now, today
from gateway.queries.clearing import clearing_of
from settlements.actions import wallet
from settlements.models import Settlement, Wallet
from settlements.queries.wallet import balance_of
from tests.gateway.identities import check_bill
from tests.gateway.test_reconciling import balanced, compare, take_back, totals_input
from tests.gateway.world import DRUG, World, bill_input, line
from tests.settlements.rollover.world import faults

MONEY = ("acct_pay", "acct_mulaid_pay", "psn_cash_pay")


def put_into_wallet(world: World, amount: str) -> None:
    """The husband sends it at noon of yesterday, and she takes it."""
    at = now().replace(hour=4, minute=0)
    for member in (world.husband, world.patient):
        wallet.open_wallet(member=member, by=None, at=at)
    sent = wallet.transfer(sender=world.husband, receiver=world.patient, amount=Decimal(amount), at=at, key="in")
    wallet.accept(transfer=sent, at=at)


def test_it_lies_in_the_account_part_and_goes_back_with_it(world: World) -> None:
    """Her account has 150.00, her wallet 30.00; of 200.00 her husband's account pays what is left."""
    put_into_wallet(world, "30.00")
    mdtrt_id = world.hospital.register(world.patient)
    world.hospital.ok("2204", {"feedetail": [line(world.patient, mdtrt_id, "1", DRUG, "1", "200.00")]})
    asked = {"data": bill_input(world.patient, mdtrt_id, Decimal("200.00"))}
    quoted = world.hospital.ok("2206", asked)
    settled = world.hospital.ok("2207", asked)
    for output in (quoted, settled):
        check_bill(output)
        assert [output["setlinfo"][name] for name in MONEY] == [Decimal("200.00"), Decimal("20.00"), 0]
        assert [row["fund_payamt"] for row in output["setldetail"]] == [Decimal("200.00")]
        assert output["setlinfo"]["balc"] == 0, "the account's: a wallet is none"
    made = Settlement.objects.get()
    assert (made.wallet, made.shared) == (Decimal("30.00"), Decimal("20.00"))

    sums = clearing_of(world.hospital.institution, today()).sums
    assert (sums.own, sums.wallet, sums.family, sums.due) == (150, 30, 20, 200)
    bill = settled["setlinfo"]
    assert balanced(world, totals_input([bill]))
    assert [row[4] for row in compare(world, [bill])] == ["0"]

    back = take_back(world, bill)
    assert [back[name] for name in MONEY] == [Decimal("-200.00"), Decimal("-20.00"), 0]
    assert balance_of(Wallet.objects.get(member=world.patient), now()) == Decimal("30.00")
    assert clearing_of(world.hospital.institution, today()).sums.due == 0
    assert faults(today()) == []


def test_no_account_means_no_wallet(world: World) -> None:
    put_into_wallet(world, "30.00")
    mdtrt_id = world.hospital.register(world.patient)
    world.hospital.ok("2204", {"feedetail": [line(world.patient, mdtrt_id, "1", DRUG, "1", "20.00")]})
    answer = world.hospital.settle(world.patient, mdtrt_id, Decimal("20.00"), acct_used_flag="0")
    assert [answer["output"]["setlinfo"][name] for name in MONEY] == [0, 0, Decimal("20.00")]
