"""2: the first instant of the new year. Nothing has been rolled; how long until one right balance, one right bill?"""

import datetime
import time
from collections.abc import Iterator
from decimal import Decimal

from accounts.models import Institution
from benchmarks import measure, world
from benchmarks.measure import Line
from settlements import ledger
from settlements.actions import care
from settlements.models import PersonalAccount, RolloverRun

BILL = Decimal("86.00")


def measure_switch() -> Iterator[Line]:
    """Few accounts, then many: the same milliseconds."""
    found: dict[int, tuple[list[float], list[float]]] = {}
    for _round in range(measure.ROUNDS):
        for size in dict.fromkeys([measure.FEW, measure.MANY]):
            reads, bills = _at(size)
            known = found.setdefault(size, ([], []))
            known[0].extend(reads)
            known[1].extend(bills)
    for size, (reads, bills) in found.items():
        yield Line("switch", f"first right balance, {size:,} accounts", measure.median(reads), "ms")
        yield Line("switch", f"first right settlement, {size:,} accounts", measure.median(bills), "ms")
    few, many = found[measure.FEW], found[measure.MANY]
    yield measure.flat("switch", "first right balance", measure.median(few[0]), measure.median(many[0]))
    yield measure.flat("switch", "first right settlement", measure.median(few[1]), measure.median(many[1]))


def _at(size: int) -> tuple[list[float], list[float]]:
    """Milliseconds of the first read and the first bill of several accounts that nobody has touched."""
    world.fresh(size)
    run, on = world.run(), world.boundary()
    institution = Institution.objects.filter(region=world.REGION, kind="hospital", level="tertiary").first()
    # The connection is open, the region's rules are known: what is measured is the switch, not the start of a program.
    known, *accounts = world.some_accounts(measure.SAMPLES + 1)
    _bill(known, institution, on)
    reads, bills = [], []
    for account in accounts:
        expected = by_hand(account, run, on)
        begun = time.perf_counter()
        shown = ledger.balances([account.pk], on)[account.pk]
        reads.append((time.perf_counter() - begun) * 1000)
        begun = time.perf_counter()
        settled = _bill(account, institution, on)
        bills.append((time.perf_counter() - begun) * 1000)
        account.refresh_from_db()
        paid = settled.own_current + settled.own_historical
        if (shown.current, shown.historical) != (0, expected) or account.historical != expected - paid:
            raise RuntimeError(f"account {account.pk}: {shown}, {account.historical} instead of {expected} - {paid}")
    return reads, bills


def _bill(account: PersonalAccount, institution: Institution, on: datetime.date) -> care.Quote:
    bill = care.Bill(kind="outpatient", level=institution.level, in_scope=BILL)
    return care.settle(patient=account.member, institution=institution, bill=bill, on=on, key=f"switch-{account.pk}")


def by_hand(account: PersonalAccount, run: RolloverRun, on: datetime.date) -> Decimal:
    """What an account that nobody has touched holds once rolled: yuan, all of it in historical."""
    days = (on - account.products_on).days
    gain = days * (account.current * run.current_rate + account.historical * run.historical_rate) / 36000
    return account.historical + account.current + gain.quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
