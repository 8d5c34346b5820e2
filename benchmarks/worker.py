"""5: the memory of a web worker, one process, over a day's calls of institutions: what it holds after a tenth of them it
holds after all."""

import json
import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import psutil

from accounts.clock import now
from accounts.models import Institution, Member
from benchmarks import measure, processes, world
from benchmarks.calling import Caller
from benchmarks.measure import Line
from gateway.actions import keys
from gateway.models import FeeLine, Visit
from gateway.queries import psn_no
from portal.services import web

CLIENTS, STEPS, THREADS = 2, 10, 2
PATIENTS = 400
CODE, PRICE = "XA10BAD001", Decimal("126.00")
# Of a visit: who is it, what would it cost, who pays.
MIX = ("1101", "2206", "2207")
MOST = 1.1
MB = 2**20


def measure_worker() -> Iterator[Line]:
    """Resident memory after each tenth of the calls."""
    world.fresh(measure.FEW)
    world.roll_all()
    institution = Institution.objects.get(code="H31010100001")
    key, secret = keys.issue(institution=institution, by=None)
    patients = [Member.objects.get(pk=account.member_id) for account in world.some_accounts(PATIENTS)]
    visits = measure.CALLS // len(MIX) // STEPS // CLIENTS
    held: list[float] = []
    with web.served(1, THREADS, log=processes.LOGS / "web.log") as (address, gunicorn):
        for step in range(STEPS):
            parts = [_bills(institution, patients, visits) for _client in range(CLIENTS)]
            processes.at_once(_call, parts, address, institution.code, key.key_id, secret)
            (worker,) = psutil.Process(gunicorn.pid).children()
            held.append(worker.memory_info().rss / MB)
            print(f"  {(step + 1) * visits * CLIENTS * len(MIX):,} calls: {held[-1]:.1f} MB", flush=True)
    calls = visits * CLIENTS * len(MIX)
    yield Line("worker", f"memory of a web worker after {calls:,} calls", held[0], "MB")
    yield Line("worker", f"memory of a web worker after {calls * STEPS:,} calls", held[-1], "MB")
    yield Line("worker", "memory of a web worker, all calls / a tenth", held[-1] / held[0], "", most=MOST)


def _bills(institution: Institution, patients: Sequence[Member], count: int) -> list[dict[str, Any]]:
    """Inputs of 2206 and 2207 for visits that are registered and uploaded."""
    at = now()
    made = Visit.objects.bulk_create(
        Visit(
            mdtrt_id=f"{uuid.uuid4().int % 10**30:030d}", institution=institution, member=patients[n % len(patients)],
            region_id=world.REGION, insurance="employee", kind="outpatient", ipt_otp_no=f"B{n}", begun_at=at,
            registered_at=at,
        )
        for n in range(count)
    )  # fmt: skip
    FeeLine.objects.bulk_create(
        FeeLine(
            visit=visit, sn="1", batch="B1", code=CODE, own_code="1", occurred_at=at, quantity=1, price=PRICE,
            amount=PRICE, item_class="A", self_pay_percent=0, in_scope=PRICE, pre_self_pay=0, over_limit=0,
            off_catalogue=0,
        )
        for visit in made
    )  # fmt: skip
    return [
        {
            "psn_no": psn_no(visit.member), "mdtrt_cert_type": "02", "mdtrt_cert_no": visit.member.id_number,
            "med_type": "11", "medfee_sumamt": str(PRICE), "psn_setlway": "01", "mdtrt_id": visit.mdtrt_id,
            "chrg_bchno": "B1", "acct_used_flag": "1", "insutype": "310", "fulamt_ownpay_amt": "0",
            "overlmt_selfpay": "0", "preselfpay_amt": "0", "inscp_scp_amt": "0",
        }
        for visit in made
    ]  # fmt: skip


def _call(
    bills: Sequence[dict[str, Any]], start: float, address: str, code: str, key_id: str, secret: str
) -> None:  # fmt: skip
    """One client with a kept connection; a call that is not answered as it should be ends the measurement."""
    caller = Caller(address, code, key_id, secret)
    for bill in bills:
        who = {name: bill[name] for name in ("mdtrt_cert_type", "mdtrt_cert_no")}
        for infno in MIX:
            answer = json.loads(caller.served(caller.made(infno, {"data": who if infno == "1101" else bill})))
            assert answer["infcode"] == 0, answer["err_msg"]
    caller.close()
