"""G4: the year ends while patients are at the till: registered and quoted before midnight, settled after it; a stay from one
year into the next; the batch at work. Every answer is held against the model (model.py) on the day the portal says it is."""

import copy
import datetime
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from faults import clients, killed, model, places, reckoning, tills, told, web, world
from faults.outcome import Outcome
from faults.told import Line
from faults.unanswered import accounts, crew
from settlements.actions import rollover

TILLS, BEFORE, AFTER = 4, 6.0, 8.0
CROWD, CHUNK, WORKERS = 3000, 20, 2
AMOUNTS = ["8.13", "39.99", "120.07", "361.55"]
SUMS = ["fund_pay_sumamt", "acct_pay", "acct_mulaid_pay", "psn_cash_pay", "balc"]
MOMENT = "%Y-%m-%d %H:%M:%S"


def modelled(family: Sequence[world.Insured]) -> model.Model:
    """The same family in the model: everybody shares with everybody, in the order in which it was bound."""
    made = model.Model(world.OPENED, {world.YEAR: world.RATES}, world.BASE)
    made.accounts = [
        model.Account(world.OPENED, one.account.current, one.account.historical, one.account.debt) for one in family
    ]
    places_ = range(len(family))
    made.grants = [model.Grant(one, other) for one in places_ for other in places_ if one != other]
    return made


def day_of(answer: Line) -> datetime.date:
    """The portal's day when the call came in."""
    return datetime.datetime.strptime(answer["refmsg_time"][:8], "%Y%m%d").date()


@dataclass
class Desk:
    """A till with a family of its own, and what the model says of it."""

    till: tills.Till
    people: list[tills.Patient]
    model: model.Model
    found: list[str] = field(default_factory=list)
    bills: list[tuple[Line, model.Bill]] = field(default_factory=list)
    over_midnight: int = 0
    back_after: int = 0

    def turn_to(self, answer: Line) -> None:
        """The model's day is the answer's."""
        self.model.pass_days((day_of(answer) - self.model.today).days)

    def compare(self, what: str, answer: Line, bill: model.Bill, now: model.Model, sign: int = 1) -> None:
        """The sums of an answer with the model's, and the balance after it."""
        said = answer["output"]["setlinfo"]
        own = now.accounts[bill.patient]
        account = sum((current + historical for _number, current, historical in bill.legs), Decimal(0))
        shared = sum((amount for _grant, amount in bill.shared), Decimal(0))
        expected = [sign * bill.fund, sign * account, sign * shared, sign * bill.cash, own.current + own.historical]
        if [said[name] for name in SUMS] != expected:
            self.found.append(f"{what} on {now.today}: {[said[name] for name in SUMS]}, the model says {expected}")

    def quote(self, infno: str, given: Any, number: int, amount: str) -> Line:
        """2206 or 2303 against a copy of the model, for nothing is paid."""
        answer = self.got(infno, given)
        self.turn_to(answer)
        now = copy.deepcopy(self.model)
        bill = now.settle(number, "tertiary", Decimal(amount), model.ZERO, model.ZERO, True, True)
        self.compare(infno, answer, bill, now)
        return answer

    def settle(self, infno: str, given: Any, number: int, amount: str) -> tuple[Line, model.Bill]:
        """2207 or 2304."""
        answer = self.got(infno, given)
        self.turn_to(answer)
        bill = self.model.settle(number, "tertiary", Decimal(amount), model.ZERO, model.ZERO, True, True)
        self.compare(infno, answer, bill, self.model)
        return answer, bill

    def got(self, infno: str, given: Any) -> Line:
        """The answer, which must be none of refusal."""
        answer = self.till.ask(infno, given)
        if answer is None or answer["infcode"]:
            raise tills.Stranded(f"{infno}: {answer and answer['err_msg']}")
        return answer

    def visit(self, chance: random.Random) -> None:
        """Registered and quoted; some time later quoted again and settled; and perhaps an older bill is reversed."""
        number, amount = chance.randrange(len(self.people)), chance.choice(AMOUNTS)
        visit = self.till.visit(self.people[number], amount)
        first = self.quote("2206", visit.bill, number, amount)
        time.sleep(chance.choice([0.0, 0.3, 1.0]))
        answer, bill = self.settle("2207", visit.bill, number, amount)
        self.over_midnight += day_of(first) < day_of(answer)
        self.bills.append((answer, bill))
        self.balance(number)
        if chance.random() < 0.35:
            self.reverse(*self.bills.pop(chance.randrange(len(self.bills))))

    def reverse(self, settled: Line, bill: model.Bill) -> None:
        """2208; of a bill of the closed year what came from current is historical now."""
        answer = self.got("2208", tills.reversal(settled))
        self.turn_to(answer)
        self.model.reverse(bill)
        self.compare("2208", answer, bill, self.model, sign=-1)
        self.back_after += model.year_of(self.model.today) > bill.year

    def balance(self, number: int) -> None:
        """1101: what is on the own account."""
        shown = {name: value for name, value in self.people[number].shown.items() if name.startswith("mdtrt")}
        answer = self.got("1101", {"data": shown})
        self.turn_to(answer)
        held, own = answer["output"]["insuinfo"][0]["balc"], self.model.accounts[number]
        if held != own.current + own.historical:
            self.found.append(f"1101 on {self.model.today}: {held}, the model says {own.current + own.historical}")


STAY = {"dept": "内科", "admitted": world.at(world.LAST_DAY - 2 * world.DAY, 9)}
STAY_AMOUNT = "640.00"


def admit(desk: Desk, number: int) -> str:
    """2401 and 2301 of a stay that began two days before the year's end; quoted as far as it has come. Its number."""
    patient, doctor = desk.people[number], {"dise_dor_no": "D1", "dise_dor_name": "某医生", "diag_dept": STAY["dept"]}
    begun = f"{STAY['admitted']:{MOMENT}}"
    illness = {"diag_type": "1", "maindiag_flag": "1", "diag_srt_no": "1", "diag_code": "J18.900", "diag_name": "肺炎"}
    said = desk.till.ok("2401", {
        "mdtrtinfo": {
            **patient.shown, "begntime": begun, "med_type": "21", "ipt_no": f"ZY{number}", "atddr_no": "D1",
            "chfpdr_name": "某医生", "adm_diag_dscr": "肺部感染", "adm_dept_codg": "A03", "adm_dept_name": STAY["dept"],
            "adm_bed": "12", "dscg_maindiag_code": "J18.900", "dscg_maindiag_name": "肺炎",
        },
        "diseinfo": [{"psn_no": patient.psn_no, **illness, **doctor, "diag_time": begun}],
    })  # fmt: skip
    mdtrt_id: str = said["result"]["mdtrt_id"]
    desk.till.ok("2301", {"feedetail": [{
        "feedetl_sn": "1", "mdtrt_id": mdtrt_id, "psn_no": patient.psn_no, "med_type": "21", "fee_ocur_time": begun,
        "med_list_codg": tills.DRUG, "medins_list_codg": "1", "det_item_fee_sumamt": STAY_AMOUNT, "cnt": "1",
        "pric": STAY_AMOUNT, "bilg_dept_codg": "A03", "bilg_dept_name": STAY["dept"], "bilg_dr_codg": "D1",
        "bilg_dr_name": "某医生", "hosp_appr_flag": "0",
    }]})  # fmt: skip
    desk.quote("2303", stay_bill(patient, mdtrt_id), number, STAY_AMOUNT)
    return mdtrt_id


def stay_bill(patient: tills.Patient, mdtrt_id: str) -> dict[str, Any]:
    """The input of 2303 and 2304."""
    return {"data": {
        **patient.shown, "medfee_sumamt": STAY_AMOUNT, "psn_setlway": "01", "mdtrt_id": mdtrt_id, "acct_used_flag": "1",
        "mid_setl_flag": "0",
    }}  # fmt: skip


def discharge(desk: Desk, number: int, mdtrt_id: str) -> None:
    """2402 in the new year, 2303 and 2304."""
    patient = desk.people[number]
    desk.till.ok("2402", {
        "dscginfo": {
            "mdtrt_id": mdtrt_id, "psn_no": patient.psn_no, "insutype": "310", "endtime": desk.till.now(),
            "dscg_dept_codg": "A03", "dscg_dept_name": STAY["dept"], "dscg_way": "1",
        },
        "diseinfo": [{
            "mdtrt_id": mdtrt_id, "psn_no": patient.psn_no, "diag_type": "1", "maindiag_flag": "1", "diag_srt_no": "1",
            "diag_code": "J15.900", "diag_name": "细菌性肺炎", "diag_dept": STAY["dept"], "dise_dor_no": "D1",
            "dise_dor_name": "某医生", "diag_time": desk.till.now(), "adm_cond": "一般",
        }],
    })  # fmt: skip
    desk.quote("2303", stay_bill(patient, mdtrt_id), number, STAY_AMOUNT)
    answer, _bill = desk.settle("2304", stay_bill(patient, mdtrt_id), number, STAY_AMOUNT)
    if day_of(answer) < world.BOUNDARY:
        desk.found.append("the stay was over too early")


def day(desk: Desk, chance: random.Random, midnight: float, seconds: float) -> None:
    """A stay, and visits before, over and after midnight, until so many seconds after it."""
    mdtrt_id = admit(desk, 2)
    while time.time() < midnight:
        desk.visit(chance)
    discharge(desk, 2, mdtrt_id)
    while time.time() < midnight + seconds:
        desk.visit(chance)


def _client(
    number: int, site: web.Site, shop: tills.Shop, desks: list[Any], folder: Path, midnight: float, out: Any
) -> None:
    people, known = desks[number]
    log = told.Log(folder / f"till-{number}.log")
    desk = Desk(tills.Till(shop, tills.Wire(site.address), log, lambda: site.ahead), people, known)
    try:
        day(desk, random.Random(number), midnight, AFTER)
    except tills.Stranded as error:
        desk.found.append(str(error))
    out.put((desk.found, desk.till.answers, desk.over_midnight, desk.back_after, desk.till.errors))


def year_turns() -> Outcome:
    """Whoever is asked on the last day answers for the old year, a moment later for the new one; nobody loses a fen."""
    from django.conf import settings

    settings.ROLLOVER_CHUNK_SIZE = CHUNK
    places.fresh()
    families = world.families(TILLS)
    desks = [(tills.patients(family), modelled(family)) for family in families]
    shop, folder, run = tills.open_shop(), places.scratch("turning"), world.release_run()
    world.crowd(CROWD)
    with web.serve(places.scratch("turning-web"), world.at(world.LAST_DAY, 23)) as site:
        site.set_clock(world.at(world.BOUNDARY, 0) - datetime.timedelta(seconds=BEFORE))
        midnight = time.time() + BEFORE
        processes, out = crew(TILLS, _client, site, shop, desks, folder, midnight)
        time.sleep(max(midnight - time.time(), 0))
        run = rollover.begin(run=run, at=world.at(world.BOUNDARY, 0))
        batch = clients.side_by_side([partial(killed.roll_until_done, run.pk, 60, pause=0.05)] * WORKERS)
        counted = [out.get(timeout=120) for _ in processes]
        for process in [*processes, *batch]:
            process.join(60)
    killed.roll_until_done(run.pk, 30, pause=0)
    run = rollover.finish(run=run, at=world.at(world.BOUNDARY))
    answers, over, back, errors = (sum(one[place] for one in counted) for place in (1, 2, 3, 4))
    outcome = Outcome(
        f"{answers} answers, {over} visits quoted before midnight and settled after, {TILLS} stays over it, {back}"
        f" reversals of bills of the closed year, {run.chunks.count()} chunks meanwhile",
        [finding for found, *_rest in counted for finding in found],
    )
    outcome.findings += reckoning.check(told.read(folder), accounts(families), world.BOUNDARY)
    outcome.require("no visit went over midnight", over > 0)
    outcome.require(f"{errors} times the portal failed", errors == 0)
    outcome.require("a till died", all(process.exitcode == 0 for process in processes))
    outcome.require(f"the run is {run.state}: {run.totals.get('lines')}", run.state == "reconciled")
    return outcome
