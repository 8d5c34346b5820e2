"""b. Visits by chance: any region, patient, institution, lines, flags, reversals; the identities on every answer."""

import os
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conformance import answers, messages, sequences, steps, world
from conformance.manners import X_CA, Manner, every
from conformance.messages import CODES, Patient
from conformance.program import Program, total
from conformance.stand import Job, Stand
from conformance.world import INPATIENT, OUTPATIENT, PHARMACY

EXAMPLES = int(os.environ.get("CONFORMANCE_EXAMPLES", "240"))
# Examples are shared out among jobs, so that lanes have something to share.
JOBS = 8
QUANTITIES = st.decimals("0.0001", "60", places=4) | st.sampled_from(list(map(Decimal, ("1", "2", "10", "0.5"))))
PRICES = st.decimals("0", "3000", places=6) | st.decimals("0.01", "900", places=2)
LINES = st.lists(st.tuples(st.sampled_from(CODES), QUANTITIES, PRICES, st.sampled_from("0012")), min_size=1, max_size=6)


@dataclass(frozen=True)
class Story:
    """What happens. `elsewhere`: the region of the institution, where it is not the patient's; `again`: further bills;
    `back`: each is reversed."""

    region: str
    elsewhere: str
    kind: str
    insurance: str
    status: str
    retired: bool
    number: int
    manner: Manner
    lines: list[tuple[str, Decimal, Decimal, str]]
    flag: str
    own: tuple[str, str]
    shared: str | None
    again: int
    back: bool


def stories(regions: list[str] | None = None) -> st.SearchStrategy[Story]:
    """Any of them, the regions that assess such care more often than those that refuse it."""
    places = st.sampled_from(regions or sorted(world.files()))
    return st.builds(
        Story,
        region=st.sampled_from(regions or ["310000", "330100"]) | places,
        elsewhere=st.just("") | st.just("") | places,
        kind=st.sampled_from([OUTPATIENT, OUTPATIENT, PHARMACY, INPATIENT]),
        insurance=st.sampled_from(["employee", "employee", "employee", "resident"]),
        status=st.sampled_from(["normal", "normal", "normal", "suspended", "frozen"]),
        retired=st.booleans(),
        number=st.integers(0, 2),
        # x-ca would wait for the next second before each repetition.
        manner=st.sampled_from([manner for manner in every() if manner.variant != X_CA]),
        lines=LINES,
        flag=st.sampled_from(["0", "1", "1", "2"]),
        own=st.sampled_from([("0.00", "0.00"), ("0.01", "0.00"), ("35.17", "120.40"), ("900.00", "7800.03")]),
        shared=st.sampled_from([None, "0.00", "12.34", "5000.00"]),
        again=st.integers(0, 2),
        back=st.booleans(),
    )


def tell(stand: Stand, story: Story) -> None:
    """One patient at one institution, one bill after another; every answer is checked, and every refusal is one that
    there must be."""
    # An institution of another region: the benefits are those of the place of insurance.
    place = story.elsewhere or story.region
    program = stand.program(place, story.kind, story.manner, number=story.number)
    program.insuplc = story.region if story.elsewhere else ""
    person = world.person(
        story.region, insurance=story.insurance, status=story.status, retired=story.retired, own=story.own,
        shared=story.shared,
    )  # fmt: skip
    patient = steps.look_up(program, person)
    known = world.assesses(story.region, story.kind, story.insurance)
    for at in range(story.again + 1):
        settled = PLAYED[story.kind](program, patient, story, known, at)
        stand.enter(program, story.region, person.insutype, sequences.MED_TYPE[story.kind], settled)
        patient = steps.look_up(program, person)
        if not settled:
            break


def _outpatient(program: Program, patient: Patient, story: Story, known: bool, at: int) -> list[Any]:
    mdtrt_id = steps.register(program, patient, f"M{at}")
    rows = [
        messages.line(patient, mdtrt_id, str(sn), code, cnt, pric, hosp_appr_flag=approved)
        for sn, (code, cnt, pric, approved) in enumerate(story.lines, 1)
    ]
    lines = steps.charge(program, "2204", rows)
    asked = messages.bill(patient, mdtrt_id, total(rows), acct_used_flag=story.flag)
    return _settled(program, patient, story, known, ("2206", "2207"), asked, lines)


def _pharmacy(program: Program, patient: Patient, story: Story, known: bool, at: int) -> list[Any]:
    bought = [(code, cnt, pric) for code, cnt, pric, _ in story.lines]
    asked = messages.purchase(patient, bought, acct_used_flag=story.flag)
    return _settled(program, patient, story, known, ("2101", "2102"), asked, [])


def _inpatient(program: Program, patient: Patient, story: Story, known: bool, at: int) -> list[Any]:
    # One stay after another: later ones lie later, and none overlap.
    begun, ended = 20 - 6 * at, 16 - 6 * at
    admitted = messages.admission(patient, begntime=messages.moment(-begun, "08:00:00"))
    if not known:
        program.refused("2401", admitted, sequences.NOT_KNOWN, text=sequences.NOT_KNOWN_TEXT)
        return []
    mdtrt_id = program.ok("2401", admitted)["result"]["mdtrt_id"]
    day = messages.moment(-begun + 1, "09:00:00")
    rows = [
        messages.stay_line(patient, mdtrt_id, str(sn), code, cnt, pric, hosp_appr_flag=approved, fee_ocur_time=day)
        for sn, (code, cnt, pric, approved) in enumerate(story.lines, 1)
    ]
    if len(rows) > 1:
        code, cnt, pric, _ = story.lines[0]
        back = messages.stay_line(patient, mdtrt_id, "R1", code, -cnt, pric, init_feedetl_sn="1", fee_ocur_time=day)
        rows.append(back)
    lines = steps.charge(program, "2301", rows)
    program.ok("2402", messages.discharge(patient, mdtrt_id, endtime=messages.moment(-ended, "15:00:00")))
    asked = messages.stay_bill(patient, mdtrt_id, total(rows), acct_used_flag=story.flag)
    return _settled(program, patient, story, known, ("2303", "2304"), asked, lines)


PLAYED = {OUTPATIENT: _outpatient, PHARMACY: _pharmacy, INPATIENT: _inpatient}
BACK = {"2207": "2208", "2102": "2103", "2304": "2305"}


def _settled(
    program: Program,
    patient: Patient,
    story: Story,
    known: bool,
    numbers: tuple[str, str],
    asked: Any,
    lines: list[Any],
) -> list[Any]:
    """Paid and perhaps given back; what was answered."""
    if not known:
        for infno in numbers:
            program.refused(infno, asked, sequences.NOT_KNOWN, text=sequences.NOT_KNOWN_TEXT)
        return []
    # A kind of hospital that the patient's region does not know: paid, or refused for that reason and no other.
    unheard = not world.has_level(story.region, program.signer.code)
    if unheard and not answers.succeeded(program.say(numbers[0], asked)):
        program.refused(numbers[1], asked, "not_covered", text="没有这一级医疗机构")
        return []
    settled = steps.pay(program, numbers, asked, lines, patient.balance)
    _flag_faults(program, story, settled)
    if not story.back:
        return [settled]
    return [settled, steps.reverse(program, BACK[numbers[1]], patient, settled, patient.balance)]


def _flag_faults(program: Program, story: Story, settled: Any) -> None:
    """Who may pay is what acct_used_flag says: 0 nobody's account, 2 the relatives' alone; a suspended insurance pays
    nothing from the funds; a frozen account pays nothing."""
    info, told = settled["setlinfo"], program.told
    own = info["acct_pay"] - info["acct_mulaid_pay"]
    told.hold("flag 0 uses no account", story.flag != "0" or info["acct_pay"] == 0, info["acct_pay"])
    told.hold("flag 2 uses relatives alone", story.flag != "2" or own == 0, own)
    told.hold(
        "nobody shares", story.shared not in (None, "0.00") or info["acct_mulaid_pay"] == 0, info["acct_mulaid_pay"]
    )
    paused = story.status in ("suspended", "frozen")
    told.hold("a paused insurance pays nothing", not paused or info["fund_pay_sumamt"] == 0, info["fund_pay_sumamt"])
    told.hold("the account has what it pays", own <= sum(map(Decimal, story.own)), (own, story.own))


def by_chance(stand: Stand, *, examples: int, repeatable: bool = False, regions: list[str] | None = None) -> None:
    """So many stories, and the books reconciled at the end. A story that does not hold is told in its shortest form."""

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=repeatable, report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(stories(regions=regions))
    def each(story: Story) -> None:
        before = len(stand.told.findings)
        tell(stand, story)
        assert len(stand.told.findings) == before, stand.told.findings[before:]

    each()
    _reconciled(stand)


def _reconciled(stand: Stand) -> None:
    """What the programs have in their books is what the gateway has, institution by institution."""
    for (code, region, insutype, clr_type), settled in stand.books.items():
        kind = PHARMACY if code.startswith("P") else OUTPATIENT
        place = next(region for region, known in world.institutions.by_region().items() if code in dict(known))
        number = world.number_of(place, kind, code)
        program = stand.program(place, kind, number=number)
        sequences.totals(program, region, settled, insutype, clr_type)


def jobs() -> list[Job]:
    """The examples that CONFORMANCE_EXAMPLES asks for."""
    each = max(1, EXAMPLES // JOBS)
    return [Job("visits", f"{number + 1}", partial(by_chance, examples=each)) for number in range(JOBS)]
