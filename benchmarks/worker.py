"""5: the memory of a web worker, one process, over a day's calls of institutions: what it holds after a tenth of them it
holds after all."""

from collections.abc import Iterator, Sequence
from typing import Any

import psutil

from accounts.models import Institution
from benchmarks import measure, processes, settling, world
from benchmarks.calling import Caller
from benchmarks.measure import Line
from gateway.actions import keys
from portal.services import web

CLIENTS, STEPS, THREADS = 2, 10, 2
PATIENTS = 400
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
    patients = [account.member_id for account in world.some_accounts(PATIENTS)]
    visits = measure.CALLS // len(MIX) // STEPS // CLIENTS
    calls, held = visits * CLIENTS * len(MIX), list[float]()
    with web.served(1, THREADS, log=processes.LOGS / "web.log") as (address, gunicorn):
        for step in range(1, STEPS + 1):
            parts = [
                settling.register(patients, institution, settling.SETTLE_ONE, visits) for _client in range(CLIENTS)
            ]
            processes.at_once(_call, parts, address, institution.code, key.key_id, secret)
            (worker,) = psutil.Process(gunicorn.pid).children()
            held.append(worker.memory_info().rss / MB)
            print(f"  {step * calls:,} calls: {held[-1]:.1f} MB", flush=True)
    yield Line("worker", f"memory of a web worker after {calls:,} calls", held[0], "MB")
    yield Line("worker", f"memory of a web worker after {calls * STEPS:,} calls", held[-1], "MB")
    yield Line("worker", "memory of a web worker, all calls / a tenth", held[-1] / held[0], "", most=MOST)


def _call(
    bills: Sequence[dict[str, Any]], start: float, address: str, code: str, key_id: str, secret: str
) -> None:  # fmt: skip
    """One client with a kept connection; a call that is not served ends the measurement."""
    caller = Caller(address, code, key_id, secret)
    for bill in bills:
        for infno in MIX:
            caller.served(caller.made(infno, {"data": settling.who(bill) if infno == "1101" else bill}))
    caller.close()
