"""a. Whole sequences of messages as institutions play them in a day (interface.md 1.6), and back again."""

import io
import zipfile
from decimal import Decimal
from functools import partial
from typing import Any

from conformance import identities, messages, steps, world
from conformance.carrier import Http
from conformance.manners import SERVICE, Manner, every
from conformance.messages import DEAR_DRUG, DRUG, LUXURY, PART_DRUG, Patient, Row
from conformance.program import Program, new_msgid, total
from conformance.stand import Job, Stand
from conformance.steps import Output
from conformance.world import INPATIENT, OUTPATIENT, PHARMACY, Person

INSUTYPES = tuple(world.INSUTYPE.values())
BOUGHT = [(DRUG, "1", "45.00"), (PART_DRUG, "3", "15.05"), (DEAR_DRUG, "2", "440.00"), (LUXURY, "1", "99.90")]
# What an institution is told where the region's figures are not known, or where its file says nothing of such care.
# The day of the programs' books, also when midnight passes.
BEGUN = messages.moment()[:10]
NOT_KNOWN, NOT_KNOWN_TEXT = "not_covered", "没有可靠来源|规则还没有录入"


def sign_in(program: Program) -> None:
    """9001: the number goes into every message from now on."""
    found = program.ok("9001", {"signIn": {"opter_no": "01", "mac": "00-00-5E-00-53-01", "ip": "192.0.2.10"}})
    program.sign_no = found["signinoutb"]["sign_no"]


def sign_out(program: Program) -> None:
    """9002; the number is good for nothing afterwards."""
    asked = {"signOut": {"sign_no": program.sign_no, "opter_no": "01"}}
    program.ok("9002", asked)
    program.refused("9002", asked, "sign_no_unknown", text="sign_no")
    program.sign_no = ""


def outpatient(program: Program, person: Person, *, known: bool = True, variant: bool = False) -> list[Output]:
    """From the sign-in to the sign-out; `variant`: the numbers with an A (Zhejiang). What was settled and reversed."""
    letter = "A" if variant else ""
    sign_in(program)
    patient = steps.look_up(program, person)
    _entitled(program, patient, "11", known)
    mdtrt_id = steps.register(program, patient)
    program.ok("2203A" if variant else "2203", messages.seen(patient, mdtrt_id))
    program.ok("2203A", messages.seen(patient, mdtrt_id))
    rows = messages.lines(patient, mdtrt_id)
    steps.charge(program, "2204", rows)
    program.refused("2204", {"feedetail": rows}, "line_repeated", text="feedetl_sn")
    program.ok("2205", messages.visit(patient, mdtrt_id, chrg_bchno="0000"))
    lines = steps.charge(program, "2204", rows)
    asked = messages.bill(patient, mdtrt_id, total(rows))
    if not known:
        for infno in ("2206", "2207"):
            program.refused(infno, asked, NOT_KNOWN, text=NOT_KNOWN_TEXT)
        settled = []
    else:
        settled = _paid(program, patient, (f"2206{letter}", f"2207{letter}"), asked, lines)
    program.ok("2205", messages.visit(patient, mdtrt_id, chrg_bchno="B1"))
    program.ok("2202", messages.visit(patient, mdtrt_id, ipt_otp_no="M0001"))
    program.refused("2206", asked, "visit_cancelled", text="2201")
    sign_out(program)
    return settled


def _paid(
    program: Program, patient: Patient, numbers: tuple[str, str], asked: Row, lines: list[Output]
) -> list[Output]:
    """Settled, asked about, reversed, settled again, corrected (2601)."""
    before, mdtrt_id = patient.balance, asked["data"]["mdtrt_id"]
    settled = steps.pay(program, numbers, asked, lines, before)
    info = settled["setlinfo"]
    program.told.hold("1101 after the settlement", steps.balance(program, patient) == info["balc"], info["balc"])
    steps.queries(program, patient, settled, lines)
    program.refused("2207", asked, "batch_settled", text="2208")
    program.refused("2205", messages.visit(patient, mdtrt_id, chrg_bchno="B1"), "batch_settled", text="2208")
    program.refused("2202", messages.visit(patient, mdtrt_id, ipt_otp_no="M0001"), "batch_settled")
    back = steps.reverse(program, "2208", patient, settled, before)
    program.refused("2202", messages.visit(patient, mdtrt_id, ipt_otp_no="M0001"), "lines_uploaded", text="2205")
    again = corrected(program, patient, numbers[1], asked, before)
    return [settled, back, *again]


def corrected(program: Program, patient: Patient, infno: str, asked: Row, before: Decimal) -> list[Output]:
    """2601 undoes what a lost answer did: once, and a second time there is nothing more to undo."""
    msgid = new_msgid(program.signer.code)
    settled = program.ok(infno, asked, msgid=msgid)
    undo = messages.correction(patient, msgid, infno)
    program.ok("2601", undo)
    program.told.hold("2601 gives everything back", steps.balance(program, patient) == before, before)
    answer = program.say("2601", undo)
    program.told.hold("2601 again says so", bool(answer["warn_msg"]), answer)
    return [settled, _negative(settled)]


def _negative(settled: Output) -> Output:
    """What a correction does to a program's books: its answer names no amounts."""
    info = settled["setlinfo"]
    return settled | {
        "setlinfo": {name: -value if isinstance(value, Decimal) else value for name, value in info.items()}
    }


def pharmacy(program: Program, person: Person, *, known: bool = True) -> list[Output]:
    """2101, 2102, 2103, and 2601 of a 2102. What was settled and reversed."""
    patient = steps.look_up(program, person)
    _entitled(program, patient, "41", known)
    asked = messages.purchase(patient, BOUGHT)
    if not known:
        for infno in ("2101", "2102"):
            program.refused(infno, asked, NOT_KNOWN, text=NOT_KNOWN_TEXT)
        return []
    before = patient.balance
    settled = steps.pay(program, ("2101", "2102"), asked, [], before)
    steps.check_lines(program, asked["drugdetail"], settled["detlcutinfo"])
    back = steps.reverse(program, "2103", patient, settled, before)
    return [settled, back, *corrected(program, patient, "2102", messages.purchase(patient, BOUGHT), before)]


def inpatient(program: Program, person: Person, *, known: bool = True) -> list[Output]:
    """From the admission to the settlement and all the way back. What was settled and reversed."""
    patient = steps.look_up(program, person)
    _entitled(program, patient, "21", known)
    if not known:
        program.refused("2401", messages.admission(patient), NOT_KNOWN, text=NOT_KNOWN_TEXT)
        return []
    lost = new_msgid(program.signer.code)
    program.ok("2401", messages.admission(patient), msgid=lost)
    program.ok("2601", messages.correction(patient, lost, "2401"))
    mdtrt_id = program.ok("2401", messages.admission(patient))["result"]["mdtrt_id"]
    program.refused("2401", messages.admission(patient), "stay_open")
    program.ok("2403", messages.change(patient, mdtrt_id))
    rows = messages.stay_lines(patient, mdtrt_id)
    steps.charge(program, "2301", rows)
    program.ok("2302", {"data": [messages.visit(patient, mdtrt_id, feedetl_sn="0000")["data"]]})
    lines = steps.charge(program, "2301", rows)
    found = program.ok(
        "5303",
        {
            "data": {
                "psn_no": patient.psn_no,
                "begntime": messages.moment(-30, "00:00:00"),
                "endtime": messages.moment(at="23:59:59"),
            }
        },
    )["data"]
    program.told.hold("5303 tells who is in hospital", [row["mdtrt_id"] for row in found] == [mdtrt_id], found)
    asked = messages.stay_bill(patient, mdtrt_id, total(rows))
    quoted = program.ok("2303", asked | {"data": asked["data"] | {"dscgTime": messages.moment(-3)[:10]}})
    program.told.none("2303 before the discharge", identities.bill_faults(quoted))
    program.refused("2304", asked, "not_discharged", text="2402")
    program.ok("2402", messages.discharge(patient, mdtrt_id))
    settled = steps.pay(program, ("2303", "2304"), asked, lines, patient.balance)
    steps.queries(program, patient, settled, lines)
    program.refused("2405", messages.visit(patient, mdtrt_id), "stay_settled", text="2305")
    back = steps.reverse(program, "2305", patient, settled, patient.balance)
    again = corrected(program, patient, "2304", asked, patient.balance)
    program.ok("2405", messages.visit(patient, mdtrt_id))
    program.ok("2404", messages.visit(patient, mdtrt_id))
    program.refused("2404", messages.visit(patient, mdtrt_id), "stay_cancelled")
    return [settled, back, *again]


def _entitled(program: Program, patient: Patient, med_type: str, known: bool) -> None:
    """2001: a fund whose rules are not known is not promised, and the reason is told."""
    rows = program.ok("2001", messages.entitlement(patient, program.signer.code, med_type))["trtinfo"]
    pooled = next(row for row in rows if row["fund_pay_type"] in ("310100", "390100"))
    told = program.told
    told.hold("2001 says who asked about whom", all(row["psn_no"] == patient.psn_no for row in rows), rows)
    if not known:
        told.hold("2001 promises nothing", pooled["trt_enjymnt_flag"] == "0" and bool(pooled["trt_chk_rslt"]), pooled)


def other_queries(program: Program, person: Person) -> None:
    """1201, 1901, 5301 and 5302."""
    patient, told = steps.look_up(program, person, "03"), program.told
    kind = "2" if program.signer.code.startswith("P") else "1"
    asked = {"medinsinfo": {"fixmedins_type": kind, "fixmedins_name": "", "fixmedins_code": program.signer.code}}
    rows = program.ok("1201", asked)["medinsinfo"]
    told.hold("1201 tells the institution", [row["fixmedins_code"] for row in rows] == [program.signer.code], rows)
    wanted = {
        "type": "acct_used_flag",
        "parent_value": "",
        "admdvs": person.region,
        "date": messages.moment()[:10],
        "Vali_Flag": "1",
    }
    rows = program.ok("1901", {"data": wanted})["list"]
    told.hold("1901 tells the list", {"0", "1", "2"} <= {row["value"] for row in rows}, rows)
    program.ok("5301", {"data": {"psn_no": patient.psn_no}})
    program.ok("5302", {"data": {"psn_no": patient.psn_no, "biz_appy_type": "05"}})


def totals(program: Program, region: str, settled: list[Output], insutype: str, clr_type: str) -> dict[str, Any]:
    """3201 with the program's own books: they agree to the fen, and a fen off they do not. What was asked."""
    sums = steps.summed(settled)
    asked: dict[str, Any] = {
        "insutype": insutype, "clr_type": clr_type, "setl_optins": region, "stmt_begndate": BEGUN,
        "stmt_enddate": messages.moment(at="23:59:59"), "fixmedins_setl_cnt": str(len(settled)), "refd_setl_flag": "",
        "fixmedins_refd_setl_flag": "",
    } | {name: str(value) for name, value in sums.items() if name != "cash_payamt"}  # fmt: skip
    found = program.ok("3201", {"data": asked})["stmtinfo"]
    program.told.hold("3201 agrees", found["stmt_rslt"] == "0", (found, sums))
    off = asked | {"acct_pay": str(sums["acct_pay"] + Decimal("0.01"))}
    found = program.ok("3201", {"data": off})["stmtinfo"]
    program.told.hold("3201 sees a fen", found["stmt_rslt"] == "1" and bool(found["stmt_rslt_dscr"]), found)
    return asked


def reconcile(stand: Stand, program: Program, region: str, insutype: str, clr_type: str) -> None:
    """In sum, and then line by line, for which no insurance is named (3202)."""
    asked = totals(program, region, stand.entered(program, region, insutype, clr_type), insutype, clr_type)
    settled = [one for kind in INSUTYPES for one in stand.entered(program, region, kind, clr_type)]
    sums = steps.summed(settled)
    asked |= {name: str(value) for name, value in sums.items()} | {"fixmedins_setl_cnt": str(len(settled))}
    details = {name: value for name, value in asked.items() if name not in ("insutype", "acct_pay")}
    for in_form, off_by in ((True, Decimal(0)), (False, Decimal("0.01"))):
        _details(program, details, settled, in_form=in_form, off_by=off_by)


def _details(program: Program, details: Row, settled: list[Output], *, in_form: bool, off_by: Decimal) -> None:
    rows = [_row(one["setlinfo"]) for one in settled]
    if rows:
        rows[0][5] += off_by
    content = packed(rows)
    number = upload(program, content, in_form=in_form)
    made = program.ok("3202", {"data": details | {"file_qury_no": number}})["fileinfo"]
    asked = {
        "fsDownloadIn": {
            "file_qury_no": made["file_qury_no"],
            "filename": made["filename"],
            "fixmedins_code": program.signer.code,
        }
    }
    reply = program.post("9102", program.message("9102", asked))
    program.told.hold("9102 is a file", reply.content_type == "application/octet-stream", reply.content_type)
    with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    told = [line.split("\t") for line in text.splitlines()]
    program.told.hold("3202 tells each row", len(told) == len(rows), (len(told), len(rows)))
    program.told.hold("3202 rows have ten columns", all(len(row) == 10 for row in told), told[:1])
    wrong = [row for row in told if row[4] != "0"]
    program.told.hold("3202 finds what differs", len(wrong) == bool(off_by and rows), wrong)


def _row(info: Output) -> list[Any]:
    back = "1" if info["medfee_sumamt"] < 0 else "0"
    amounts = [info["medfee_sumamt"], info["fund_pay_sumamt"], info["acct_pay"]]
    return [info["setl_id"], info["mdtrt_id"], info["psn_no"], *amounts, back]


def packed(rows: list[list[Any]]) -> bytes:
    """The file of 3202: TXT, tabs, in a ZIP."""
    text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("details.txt", text.encode())
    return made.getvalue()


def upload(program: Program, content: bytes, *, in_form: bool) -> str:
    """9101, as a form with two parts or as bytes in the message; the number of the file."""
    given: dict[str, Any] = {"filename": "details.zip", "fixmedins_code": program.signer.code}
    if not in_form:
        given["in"] = list(content)
        return str(program.ok("9101", {"fsUploadIn": given})["file_qury_no"])
    message, mark = program.message("9101", {"fsUploadIn": given}), b"----conformance7f3a"
    body = b"".join([
        b"--", mark, b'\r\nContent-Disposition: form-data; name="jsonStr"\r\n\r\n', message,
        b"\r\n--", mark, b'\r\nContent-Disposition: form-data; name="file"; filename="details.zip"\r\n',
        b"Content-Type: application/octet-stream\r\n\r\n", content, b"\r\n--", mark, b"--\r\n",
    ])  # fmt: skip
    kind = {"Content-Type": f"multipart/form-data; boundary={mark.decode()}"}
    return str(
        steps.output(program.read("9101", program.post("9101", body, headers=kind)), program, "9101")["file_qury_no"]
    )


SEQUENCES = {OUTPATIENT: outpatient, PHARMACY: pharmacy, INPATIENT: inpatient}
MED_TYPE = {OUTPATIENT: "11", PHARMACY: "41", INPATIENT: "21"}


def day(stand: Stand, region: str, manner: Manner, insurance: str = "employee") -> None:
    """A day at a hospital and a pharmacy of a region, which is reconciled at its end."""
    variant = manner.address == SERVICE
    for kind, play in SEQUENCES.items():
        program, person = stand.program(region, kind, manner), world.person(region, insurance=insurance)
        more = {"variant": variant} if kind == OUTPATIENT else {}
        settled = play(program, person, known=world.assesses(region, kind, insurance), **more)
        book = (region, person.insutype, MED_TYPE[kind])
        stand.enter(program, *book, settled)
        other_queries(program, person)
        if settled:
            reconcile(stand, program, *book)


def jobs() -> list[Job]:
    """Every region, employees and residents, each time in another manner."""
    known, found = list(every()), []
    for at, region in enumerate(sorted(world.files())):
        for insurance in world.INSUTYPE:
            manner = known[(at * 7 + len(insurance)) % len(known)]
            played = partial(day, region=region, manner=manner, insurance=insurance)
            found.append(Job("sequences", f"{region} {insurance}", played))
    return found


def manners() -> list[Job]:
    """Each manner once, where all three kinds of care are assessed; and what a connection has to bear."""
    played = [Job("manners", manner.told, partial(day, region="310000", manner=manner)) for manner in every()]
    return [*played, Job("manners", "line", line_kept)]


def line_kept(stand: Stand) -> None:
    """One connection for many messages, also for what is refused, also for a body in chunks without a length."""
    program, carrier = stand.program("310000", OUTPATIENT), stand.carrier
    if not isinstance(carrier, Http):
        return
    person = world.person("310000")
    opened = carrier.opened
    for _ in range(20):
        steps.look_up(program, person)
        program.say("2206", {"data": {}})
    program.told.hold("the connection is kept", carrier.opened <= max(opened, 1), carrier.opened - opened)
    body = program.message("1101", messages.look_up(person))
    headers = program.manner.headers(program.signer, "1101", body)
    program.told.messages += 1
    reply = carrier.post_in_chunks(program.manner.path("1101"), body, headers)
    steps.output(program.read("1101", reply), program, "1101")
