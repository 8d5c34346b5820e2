"""What must have happened before a message is taken: each transaction's scene, and the input that then succeeds."""

from collections.abc import Callable
from typing import NamedTuple

from conformance import messages, sequences, steps, world
from conformance.messages import DRUG, Patient, Row
from conformance.program import Program, new_msgid, total
from conformance.stand import Stand
from conformance.world import OUTPATIENT, PHARMACY

REGION = "310000"


class Scene(NamedTuple):
    """Who sends what."""

    program: Program
    given: Row


def hospital(stand: Stand) -> Program:
    """The hospital of the scenes, whose books nobody reconciles."""
    return stand.program(REGION, OUTPATIENT, number=None)


def pharmacy(stand: Stand) -> Program:
    """The pharmacy of the scenes."""
    return stand.program(REGION, PHARMACY, number=None)


def patient(program: Program) -> Patient:
    """Somebody new, looked up."""
    return steps.look_up(program, world.person(REGION))


def _visit(program: Program) -> tuple[Patient, str]:
    who = patient(program)
    return who, steps.register(program, who)


def _charged(program: Program) -> tuple[Patient, str, Row]:
    who, mdtrt_id = _visit(program)
    rows = messages.lines(who, mdtrt_id)
    program.ok("2204", {"feedetail": rows})
    return who, mdtrt_id, messages.bill(who, mdtrt_id, total(rows))


def _settled(program: Program) -> tuple[Patient, Row, str]:
    who, _, bill = _charged(program)
    msgid = new_msgid(program.signer.code)
    return who, program.ok("2207", bill, msgid=msgid)["setlinfo"], msgid


def _admitted(program: Program) -> tuple[Patient, str]:
    who = patient(program)
    return who, program.ok("2401", messages.admission(who))["result"]["mdtrt_id"]


def _stay(program: Program, *, discharged: bool = False) -> tuple[Patient, str, Row]:
    who, mdtrt_id = _admitted(program)
    rows = [messages.stay_line(who, mdtrt_id, "1", DRUG, "40", "178.50")]
    program.ok("2301", {"feedetail": rows})
    if discharged:
        program.ok("2402", messages.discharge(who, mdtrt_id))
    return who, mdtrt_id, messages.stay_bill(who, mdtrt_id, total(rows))


def _named(who: Patient, info: Row) -> Row:
    return messages.visit(who, info["mdtrt_id"], setl_id=info["setl_id"])


def _details(program: Program) -> Row:
    day = messages.moment()[:10]
    number = sequences.upload(program, sequences.packed([]), in_form=False)
    return {
        "data": {
            "setl_optins": REGION, "file_qury_no": number, "stmt_begndate": day, "stmt_enddate": day,
            "medfee_sumamt": "0", "fund_pay_sumamt": "0", "cash_payamt": "0", "fixmedins_setl_cnt": "0",
            "clr_type": "11", "refd_setl_flag": "", "fixmedins_refd_setl_flag": "",
        }
    }  # fmt: skip


def _file(program: Program) -> Row:
    number = sequences.upload(program, sequences.packed([]), in_form=False)
    return {"fsDownloadIn": {"file_qury_no": number, "filename": "details.zip", "fixmedins_code": program.signer.code}}


def _of_visit(make: Callable[[Patient, str], Row]) -> Callable[[Program], Row]:
    return lambda program: make(*_visit(program))


def _of_stay(make: Callable[[Patient, str], Row], *, discharged: bool = False) -> Callable[[Program], Row]:
    return lambda program: make(*_stay(program, discharged=discharged)[:2])


def _of_settled(make: Callable[[Patient, Row, str], Row]) -> Callable[[Program], Row]:
    return lambda program: make(*_settled(program))


def _stay_settled(program: Program) -> Row:
    who, _, bill = _stay(program, discharged=True)
    return _named(who, program.ok("2304", bill)["setlinfo"])


def _bought(program: Program) -> Row:
    who = patient(program)
    return _named(who, program.ok("2102", messages.purchase(who, sequences.BOUGHT))["setlinfo"])


def _signed_in(program: Program) -> Row:
    found = program.ok("9001", SIGN_IN)["signinoutb"]
    return {"signOut": {"sign_no": found["sign_no"], "opter_no": "01"}}


def _sums(program: Program) -> Row:
    given = {
        name: value for name, value in _details(program)["data"].items() if name not in ("file_qury_no", "cash_payamt")
    }
    return {"data": given | {"insutype": "310", "acct_pay": "0"}}


def _question(program: Program) -> Row:
    return {
        "data": {
            "type": "acct_used_flag", "parent_value": "", "admdvs": REGION, "date": messages.moment()[:10], "Vali_Flag": "1"
        }
    }  # fmt: skip


SIGN_IN = {"signIn": {"opter_no": "01", "mac": "00-00-5E-00-53-01", "ip": "192.0.2.10"}}
STAY = messages.visit
MAKE: dict[str, Callable[[Program], Row]] = {
    "1101": lambda program: messages.look_up(world.person(REGION)),
    "1201": lambda program: {
        "medinsinfo": {"fixmedins_type": "1", "fixmedins_name": "", "fixmedins_code": program.signer.code}
    },
    "1901": _question,
    "2001": lambda program: messages.entitlement(patient(program), program.signer.code),
    "2201": lambda program: messages.registration(patient(program)),
    "2202": _of_visit(lambda who, number: messages.visit(who, number, ipt_otp_no="M0001")),
    "2203": _of_visit(messages.seen),
    "2203A": _of_visit(messages.seen),
    "2204": _of_visit(lambda who, number: {"feedetail": [messages.line(who, number, "1", DRUG, "2", "38.50")]}),
    "2205": lambda program: messages.visit(*_charged(program)[:2], chrg_bchno="B1"),
    "2206": lambda program: _charged(program)[2],
    "2206A": lambda program: _charged(program)[2],
    "2207": lambda program: _charged(program)[2],
    "2207A": lambda program: _charged(program)[2],
    "2208": _of_settled(lambda who, info, msgid: _named(who, info)),
    "2101": lambda program: messages.purchase(patient(program), sequences.BOUGHT),
    "2102": lambda program: messages.purchase(patient(program), sequences.BOUGHT),
    "2103": _bought,
    "2401": lambda program: messages.admission(patient(program)),
    "2403": _of_stay(messages.change),
    "2301": lambda program: _line_of(*_admitted(program)),
    "2302": _of_stay(lambda who, number: {"data": [messages.visit(who, number, feedetl_sn="1")["data"]]}),
    "2303": lambda program: _stay(program, discharged=True)[2],
    "2304": lambda program: _stay(program, discharged=True)[2],
    "2305": _stay_settled,
    "2402": _of_stay(messages.discharge),
    "2405": _of_stay(STAY, discharged=True),
    "2404": _of_stay(STAY),
    "2601": _of_settled(lambda who, info, msgid: messages.correction(who, msgid, "2207")),
    "3201": _sums,
    "3202": _details,
    "5201": _of_settled(lambda who, info, msgid: messages.query(who, mdtrt_id=info["mdtrt_id"])),
    "5202": _of_settled(lambda who, info, msgid: {"data": {"psn_no": who.psn_no, "mdtrt_id": info["mdtrt_id"]}}),
    "5203": _of_settled(lambda who, info, msgid: _named(who, info)),
    "5204": _of_settled(lambda who, info, msgid: _named(who, info)),
    "5205": lambda program: messages.query(patient(program)),
    "5206": lambda program: {
        "data": {"psn_no": patient(program).psn_no, "cum_ym": messages.moment()[:7].replace("-", "")}
    },
    "5301": lambda program: {"data": {"psn_no": patient(program).psn_no}},
    "5302": lambda program: {"data": {"psn_no": patient(program).psn_no, "biz_appy_type": "05"}},
    "5303": lambda program: {"data": messages.query(_admitted(program)[0])["data"]},
    "9001": lambda program: SIGN_IN,
    "9002": _signed_in,
    "9101": lambda program: {
        "fsUploadIn": {
            "in": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==",
            "filename": "details.zip",
            "fixmedins_code": program.signer.code,
        }
    },
    "9102": _file,
}
OF_PHARMACY = {"2101", "2102", "2103"}
# What may be sent again with the same input in the same scene; after the others it is another one.
REPEATABLE = {
    "2001",
    "2101",
    "2201",
    "2203",
    "2203A",
    "2206",
    "2206A",
    "2303",
    "2403",
    "3201",
    "3202",
    "9001",
    "9101",
    "9102",
} | {number for number in MAKE if number[0] in "15"}


def _line_of(who: Patient, mdtrt_id: str) -> Row:
    return {"feedetail": [messages.stay_line(who, mdtrt_id, "1", DRUG, "2", "38.50")]}


def scene(stand: Stand, number: str) -> Scene:
    """A new one: the input succeeds if it is sent as it is."""
    program = pharmacy(stand) if number in OF_PHARMACY else hospital(stand)
    return Scene(program, MAKE[number](program))


def numbers() -> list[str]:
    """The transactions that have a scene: all that there are."""
    return sorted(MAKE)
