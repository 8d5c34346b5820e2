"""Bills paid out of a wallet through the real actions: effect, log, refusal, reversal, repetition, races."""

import datetime
import itertools
from decimal import Decimal
from functools import partial

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from accounts import clock
from accounts.errors import KeyReused, Refused
from accounts.models import AuditEvent, Region
from settlements.actions import care, recalculation, wallet
from settlements.actions.quoting import Bill
from settlements.ledger.checks import CHECKS, run_checks
from settlements.models import Settlement, Wallet, WalletEntry
from settlements.queries.wallet import balance_of
from settlements.trying import try_bill
from tests.settlements.rollover.world import faults, yuan
from tests.settlements.scene import Scene, make_scene, undo
from tests.settlements.scene import bill as settle_bill
from tests.support.races import at_once

ON = datetime.date(2026, 5, 20)
DAY = datetime.timedelta(days=1)
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
_keys = itertools.count(1)


def moment(day: datetime.date = ON, hour: int = 12) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(hour), SHANGHAI)


def make_world(in_wallet: str = "300.00") -> Scene:
    """The father's account holds 40.00, his wallet what his daughter sent, and she shares up to 1,000.00."""
    scene = make_scene(on=ON, current="0.00", father_current="0.00", father_historical="40.00")
    for member in (scene.daughter.member, scene.father.member):
        wallet.open_wallet(member=member, by=None, at=moment())
    fill(scene, in_wallet)
    return scene


def fill(scene: Scene, amount: str, accept: bool = True, day: datetime.date = ON) -> None:
    sent = wallet.transfer(
        sender=scene.daughter.member,
        receiver=scene.father.member,
        amount=yuan(amount),
        at=moment(day),
        key=f"f{next(_keys)}",
    )
    if accept:
        wallet.accept(transfer=sent, at=moment(day))


def held(scene: Scene) -> Decimal:
    return balance_of(Wallet.objects.get(member=scene.father.member), moment(ON + 400 * DAY))


def care_for(scene: Scene, amount: str = "100.00", **more) -> Settlement:
    """Below the deductible, so that all of it is the father's to pay."""
    return settle_bill(scene, in_scope=amount, self_paid="0.00", **more)


def parts(bill: Settlement) -> tuple[str, ...]:
    return tuple(str(amount) for amount in (bill.own_historical, bill.wallet, bill.shared, bill.cash))


@pytest.fixture
def scene(db) -> Scene:
    return make_world()


def test_after_the_own_account_before_the_daughter(scene):
    assert parts(care_for(scene)) == ("40.00", "60.00", "0.00", "0.00")
    second = care_for(scene, "300.00")
    assert parts(second) == ("0.00", "240.00", "60.00", "0.00")
    assert held(scene) == 0
    entry = WalletEntry.objects.get(transaction=second.transaction)
    assert (entry.kind, entry.delta, entry.after, entry.transfer_id) == ("care", yuan("-240.00"), 0, None)
    assert [step["key"] for step in second.steps if step["key"].startswith("pay.")] == ["pay.wallet", "pay.shared"]
    assert faults(ON) == []


def test_a_quote_and_an_estimate_say_the_same_and_write_nothing(scene):
    asked = Bill(kind="outpatient", level="tertiary", in_scope=yuan("390.00"))
    with clock.standing(moment()):
        quoted = care.quote(patient=scene.father.member, institution=scene.institution, bill=asked, on=ON)
        tried = try_bill(scene.father.member, asked, ON)
    made = care_for(scene, "390.00")
    assert (quoted.wallet, quoted.shared, quoted.cash) == (made.wallet, made.shared, made.cash) == (300, 50, 0)
    assert (tried.wallet, tried.family, tried.total) == (300, 50, 390)
    assert quoted.steps == made.steps


def test_what_nobody_has_accepted_pays_nothing(scene):
    care_for(scene, "340.00")
    fill(scene, "50.00", accept=False)
    assert parts(care_for(scene)) == ("0.00", "0.00", "100.00", "0.00")
    assert faults(ON) == []


def test_what_came_back_overnight_pays_and_is_brought_back_first(scene):
    """The father had sent it on out of his wallet; nobody took it."""
    wallet.transfer(
        sender=scene.father.member, receiver=scene.daughter.member, amount=yuan("300.00"), at=moment(), key="on",
        source="wallet",
    )  # fmt: skip
    assert parts(care_for(scene)) == ("40.00", "0.00", "60.00", "0.00")
    with clock.standing(moment(ON + DAY)):
        assert parts(care_for(scene, on=ON + DAY)) == ("0.00", "100.00", "0.00", "0.00")
    kinds = [entry.kind for entry in Wallet.objects.get(member=scene.father.member).entries.order_by("version")]
    assert kinds == ["received", "sent", "returned", "care"]
    assert faults(ON + DAY) == []


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        ("switched off", ("40.00", "0.00", "60.00", "0.00")),
        ("region out", ("40.00", "0.00", "60.00", "0.00")),
        ("no own money", ("0.00", "0.00", "100.00", "0.00")),
        ("frozen", ("0.00", "0.00", "0.00", "100.00")),
        # Whose contributions have stopped keeps the use of his own money; sharing rests.
        ("suspended", ("40.00", "60.00", "0.00", "0.00")),
    ],
)
def test_when_it_pays_and_when_not(scene, spoil, expected):
    father, more = scene.father.member, {}
    match spoil:
        case "switched off":
            wallet.let_pay(member=father, pays=False, by=scene.father, at=moment())
        case "region out":
            Region.objects.filter(pk=scene.region.pk).update(data={**scene.region.data, "wallet": []})
        case "no own money":
            more = {"use_account": False}
        case _:
            father.enrolments.update(status=spoil)
    assert parts(care_for(scene, **more)) == expected
    assert faults(ON) == []


def test_a_bill_paid_in_cash_takes_nothing_out_of_it(scene):
    """It would come back as money: out of the wallet into a bank account."""
    made = care.settle(
        patient=scene.father.member,
        institution=scene.institution,
        bill=Bill(kind="outpatient", level="tertiary", in_scope=yuan("100.00")),
        on=ON,
        key="claim",
        kind="claim",
    )
    assert parts(made) == ("40.00", "0.00", "60.00", "0.00")


def test_switched_off_and_on_again_is_written_down_once_each(scene):
    father = scene.father.member
    for pays in (False, False, True, True):
        assert wallet.let_pay(member=father, pays=pays, by=scene.father, at=moment()).pays_care is pays
    told = AuditEvent.objects.filter(action__startswith="wallet_pays").order_by("id").values_list("action", flat=True)
    assert list(told) == ["wallet_pays_not", "wallet_pays"]
    with pytest.raises(PermissionDenied):
        wallet.let_pay(member=father, pays=False, by=scene.stranger, at=moment())
    with pytest.raises(Refused) as refused:
        wallet.let_pay(member=scene.stranger.member, pays=False, by=scene.stranger, at=moment())
    assert refused.value.code == "wallet_not_open"


def test_reversed_it_is_back_in_the_wallet_also_when_that_no_longer_pays(scene):
    first = care_for(scene, "200.00")
    assert parts(first) == ("40.00", "160.00", "0.00", "0.00")
    wallet.let_pay(member=scene.father.member, pays=False, by=None, at=moment())
    # Into the next benefit year, which is nothing to a wallet.
    undo(scene, first, datetime.date(2026, 7, 2))
    assert held(scene) == yuan("300.00")
    back = WalletEntry.objects.filter(wallet__member=scene.father.member).latest("version")
    assert (back.kind, back.delta, back.transaction.reverses_id) == ("reversal", yuan("160.00"), first.transaction_id)
    with pytest.raises(Refused):
        care.reverse(settlement=first, on=ON, key="again")
    assert faults(datetime.date(2026, 7, 2)) == []


def test_the_same_bill_again_takes_nothing_twice(scene):
    told = {
        "patient": scene.father.member,
        "institution": scene.institution,
        "bill": Bill(kind="outpatient", level="tertiary", in_scope=yuan("100.00")),
        "on": ON,
        "key": "twice",
    }
    first = care.settle(**told)
    wallet.let_pay(member=scene.father.member, pays=False, by=None, at=moment())
    assert care.settle(**told).pk == first.pk
    assert care.settle(**told).wallet == yuan("60.00")
    with pytest.raises(KeyReused):
        care.settle(**{**told, "use_account": False})
    assert held(scene) == yuan("240.00")


def test_settled_anew_the_wallet_gets_back_what_the_fund_takes_over(scene):
    # Their desk: a clerk asks, a supervisor grants.
    from tests.settlements.test_bills_settled_anew_go_back import go_back
    from tests.settlements.test_recalculation import post

    first = settle_bill(scene, in_scope="340.00", self_paid="0.00", use_family=False)
    second = settle_bill(scene, in_scope="400.00", self_paid="0.00")
    assert first.wallet == yuan("300.00") and second.wallet == 0 and second.shared > 0
    assert recalculation.preview(member=scene.father.member, region_id=scene.region.pk, year=2025, on=ON).changed == []
    # An earlier bill on paper bears the deductible: now the fund takes over a part of the first.
    care.settle(
        patient=scene.father.member,
        institution=scene.institution,
        bill=Bill(kind="outpatient", level="tertiary", in_scope=yuan("400.00"), service_on=ON - 9 * DAY),
        on=ON,
        key="paper",
        use_account=False,
        use_family=False,
    )
    post(scene, ON + 2 * DAY, bank="示例银行", bank_account="6222020200012345678")
    first.refresh_from_db()
    anew = first.replaced_by.new
    assert 0 < anew.wallet < first.wallet and anew.cash == 0
    assert held(scene) == first.wallet - anew.wallet
    assert faults(ON + 2 * DAY) == []
    go_back(scene, first, ON + 4 * DAY)
    assert held(scene) == first.wallet, "undone at the window, the wallet has all of it back"
    assert faults(ON + 4 * DAY) == []


def loosen() -> None:
    """Without the triggers, to see what still holds."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("settlement", "walletentry"):
            cursor.execute(f"ALTER TABLE settlements_{table} DISABLE TRIGGER USER")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE settlements_settlement SET wallet = wallet - 0.01, cash = cash + 0.01",
        "UPDATE settlements_walletentry SET transaction_id = (SELECT min(id) FROM settlements_ledgertransaction)"
        " WHERE kind = 'care'",
        "UPDATE settlements_walletentry SET delta = delta - 0.01 WHERE kind = 'care'",
    ],
)
def test_check_ledger_finds_one_fen(scene, statement):
    care_for(scene)
    check = [one for one in CHECKS if one.name == "what wallets paid of bills is their movements"]
    assert [found.count for found in run_checks(ON, check)] == [0]
    loosen()
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert [found.count for found in run_checks(ON, check)] != [0]


def test_the_database_holds_the_sum(scene):
    made = care_for(scene)
    loosen()
    for wrong in ("wallet = wallet + 1", "wallet = -1, cash = cash + wallet + 1"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE settlements_settlement SET {wrong} WHERE id = %s", [made.pk])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(3))
def test_bills_at_once_on_the_last_fen_of_a_wallet(turn):
    scene = make_world("0.01")
    care_for(scene, "40.00")

    def settle(key):
        made = care.settle(
            patient=scene.father.member,
            institution=scene.institution,
            bill=Bill(kind="outpatient", level="tertiary", in_scope=yuan("0.01")),
            on=ON,
            key=key,
            use_family=False,
        )
        return f"{made.wallet} wallet, {made.cash} cash"

    outcomes = at_once(*(partial(settle, f"w{n}") for n in range(4)))
    assert outcomes == ["0.00 wallet, 0.01 cash"] * 3 + ["0.01 wallet, 0.00 cash"]
    assert held(scene) == 0
    assert faults(ON) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(3))
def test_a_bill_and_a_transfer_at_once_on_the_same_money(turn):
    scene = make_world("100.00")
    care_for(scene, "40.00")

    def settle():
        made = care_for(scene, "100.00", use_family=False)
        return f"bill {made.wallet}"

    def send():
        sent = wallet.transfer(
            sender=scene.father.member, receiver=scene.daughter.member, amount=yuan("60.00"), at=moment(), key="race",
            source="wallet",
        )  # fmt: skip
        return f"sent {sent.amount}"

    outcomes = at_once(settle, send)
    assert outcomes in (["bill 100.00", "insufficient_balance"], ["bill 40.00", "sent 60.00"])
    assert faults(ON) == []
