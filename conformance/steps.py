"""The steps that sequences share: each plays a message, checks what comes back, and gives what the next one needs."""

import time
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from conformance import answers, identities, messages
from conformance.manners import X_CA
from conformance.messages import Patient, Row
from conformance.program import Answer, Program, new_msgid
from conformance.told import Broken
from conformance.world import Person

Output = dict[str, Any]


def look_up(program: Program, person: Person, cert_type: str = "02") -> Patient:
    """1101: who he is, and what his account holds."""
    found = program.ok("1101", messages.look_up(person, cert_type))
    base, insured = found["baseinfo"], found["insuinfo"]
    told = program.told
    told.hold("1101 name", base["psn_name"] == person.name and base["certno"] == person.id_number, base)
    told.hold("1101 rows", len(insured) > 0 and insured[0]["insutype"] == person.insutype, insured)
    told.hold("1101 account row", sum(row["balc"] > 0 for row in insured) <= 1, insured)
    return Patient(person, base["psn_no"], insured[0]["balc"], insured[0]["insuplc_admdvs"])


def balance(program: Program, patient: Patient) -> Decimal:
    """1101 again."""
    return look_up(program, patient.person).balance


def register(program: Program, patient: Patient, number: str = "M0001", **changed: Any) -> str:
    """2201: the number of the visit."""
    found = program.ok("2201", messages.registration(patient, number, **changed))["data"]
    program.told.hold(
        "2201 says what was sent", (found["psn_no"], found["ipt_otp_no"]) == (patient.psn_no, number), found
    )
    return str(found["mdtrt_id"])


def charge(program: Program, infno: str, rows: list[Row]) -> list[Output]:
    """2204 or 2301: the lines as the catalogue classifies them, in the order in which they were sent."""
    found = program.ok(infno, {"feedetail": rows})["result"]
    check_lines(program, rows, found)
    return found


def check_lines(program: Program, rows: list[Row], found: list[Output]) -> None:
    """F6 to F8, and that each line comes back as it was sent."""
    sent = [
        (row["feedetl_sn"], Decimal(row["det_item_fee_sumamt"]), Decimal(row["cnt"]), Decimal(row["pric"]))
        for row in rows
    ]
    told = [(row["feedetl_sn"], row["det_item_fee_sumamt"], row["cnt"], row["pric"]) for row in found]
    program.told.hold("lines come back as sent", sent == told, (sent, told))
    for row in found:
        program.told.none("line", identities.line_faults(row))


def pay(program: Program, numbers: tuple[str, str], asked: Row, lines: Iterable[Output], before: Decimal) -> Output:
    """Quote (twice: nothing is written by it), settle, settle the same message again: one answer, byte for byte."""
    quote, settle = numbers
    told, lines = program.told, list(lines)
    quoted = program.ok(quote, asked)
    told.none(f"{quote}", [*identities.bill_faults(quoted), *identities.balance_faults(before, quoted)])
    again = program.ok(quote, asked)
    told.none(f"{quote} twice", identities.quote_faults(quoted, again))
    msgid = new_msgid(program.signer.code)
    body = program.message(settle, asked, msgid=msgid)
    replies = [program.post(settle, body)]
    if program.manner.variant == X_CA:
        # Its signature changes by the second, and the same call twice is a replay.
        time.sleep(1 - time.time() % 1)
    replies.append(program.post(settle, body))
    told.hold(f"{settle} again is the same answer", replies[0].body == replies[1].body, replies[1].body[:200])
    settled = output(program.read(settle, replies[0]), program, settle)
    info = settled["setlinfo"]
    told.none(f"{settle}", [*identities.bill_faults(settled), *identities.balance_faults(before, settled)])
    told.none(f"{quote} and {settle}", identities.quote_faults(quoted, settled))
    told.none(f"{settle} and its lines", identities.classified_faults(lines or settled.get("detlcutinfo", []), settled))
    told.hold(f"{settle} medins_setl_id is the msgid", info["medins_setl_id"] == msgid, info["medins_setl_id"])
    told.hold(f"{settle} total", info["medfee_sumamt"] == _asked_total(asked), info["medfee_sumamt"])
    return settled


def _asked_total(asked: Row) -> Decimal:
    node = asked.get("data") or asked["druginfo"]
    return Decimal(node["medfee_sumamt"])


def output(answer: Answer, program: Program, infno: str) -> Output:
    """Of an answer that must be a success."""
    if not answers.succeeded(answer):
        raise Broken(f"{infno} ({program.manner.told}) was refused: {answer['err_msg']}")
    found: Output = answer["output"]
    return found


def reverse(program: Program, infno: str, patient: Patient, settled: Output, before: Decimal) -> Output:
    """2208, 2103 or 2305: everything back, `before` is the balance before the settlement. A second time is refused."""
    info, msgid = settled["setlinfo"], new_msgid(program.signer.code)
    asked = messages.visit(patient, info["mdtrt_id"], setl_id=info["setl_id"])
    back = program.ok(infno, asked, msgid=msgid)
    told = program.told
    told.none(infno, [*identities.bill_faults(back, -1), *identities.reversal_faults(settled, back, msgid)])
    if back["setlinfo"].get("balc") is not None:
        told.hold(f"{infno} balance", back["setlinfo"]["balc"] == before, (back["setlinfo"]["balc"], before))
    program.refused(infno, asked, "duplicate")
    # The answer to a reversal does not say whose it was; the program knows.
    return back | {"setlinfo": {"psn_no": patient.psn_no, **back["setlinfo"]}}


def queries(program: Program, patient: Patient, settled: Output, lines: list[Output]) -> None:
    """5201 to 5206 about one settled visit."""
    info, told = settled["setlinfo"], program.told
    named = {"psn_no": patient.psn_no, "mdtrt_id": info["mdtrt_id"]}
    visits = program.ok("5201", messages.query(patient, info["med_type"], mdtrt_id=info["mdtrt_id"]))["mdtrtinfo"]
    told.hold("5201 tells the visit", [row["mdtrt_id"] for row in visits] == [info["mdtrt_id"]], visits)
    program.ok("5202", {"data": named})
    found = program.ok("5203", {"data": named | {"setl_id": info["setl_id"]}})
    told.none("5203", identities.query_faults(settled, found))
    rows = program.ok("5204", {"data": named | {"setl_id": info["setl_id"]}})
    sent = sorted((row["feedetl_sn"], row["det_item_fee_sumamt"]) for row in lines)
    got = sorted((row["feedetl_sn"], row["det_item_fee_sumamt"]) for row in rows)
    told.hold("5204 tells the lines", sent == got, (sent, got))
    for row in rows:
        told.none("5204", identities.line_faults(row))
    days = {"begntime": messages.moment(-30, "00:00:00"), "endtime": messages.moment(at="23:59:59")}
    program.ok("5205", {"data": {"psn_no": patient.psn_no, **days}})
    cumulated = program.ok(
        "5206", {"data": {"psn_no": patient.psn_no, "cum_ym": f"{messages.moment():.7}".replace("-", "")}}
    )
    told.hold("5206 is a list of sums", all(row["cum"] >= 0 for row in cumulated["cuminfo"]), cumulated)


def summed(settled: Iterable[Output]) -> dict[str, Decimal]:
    """What a program has in its own books."""
    bills = [one["setlinfo"] for one in settled]
    names = ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")
    found = {name: sum((info[name] for info in bills), Decimal(0)) for name in names}
    return found | {"cash_payamt": sum((info["psn_cash_pay"] for info in bills), Decimal(0))}
