"""f. What a program may get wrong about people, visits and amounts: refused with the right words, and nothing written."""

from collections.abc import Callable
from typing import Any

from conformance import answers, messages, scenes, sequences, steps, world
from conformance.messages import DRUG, Patient, Row
from conformance.program import Program, new_msgid, total
from conformance.stand import Job, Stand
from conformance.world import INPATIENT, OUTPATIENT

MOST_LINES = 1000


def refused(program: Program, infno: str, given: Row, code: str, *named: str, **changed: Any) -> None:
    """Refused with a code and a text that names this; nothing is written."""
    before = world.written()
    answer = program.say(infno, given, **changed)
    said, what = answer["err_msg"] or "", f"{infno} wanted [{code}] {' '.join(named)}"
    told = program.told
    told.hold(what, answers.code(answer) == code and all(name in said for name in named), said or "it was done")
    after = world.written()
    told.hold(f"{what}: nothing is written", after == before, {name for name in after if after[name] != before[name]})


def lines(stand: Stand) -> None:
    """Quantities, prices, sums, days, numbers; in 2204, and as far as they can be in 2102 and 2301."""
    program, chemist = scenes.hospital(stand), scenes.pharmacy(stand)
    who = scenes.patient(program)
    mdtrt_id, stay = steps.register(program, who), _admitted(program)
    buyer = scenes.patient(chemist)
    tomorrow = messages.moment(1, "12:00:00")
    for changed, code, named in (
        ({"cnt": "-1", "det_item_fee_sumamt": "-5.00"}, "field_format", "det_item_fee_sumamt"),
        ({"cnt": "-1"}, "field_format", "cnt"),
        ({"pric": "-5.00"}, "field_format", "pric"),
        ({"det_item_fee_sumamt": "10.01"}, "line_amount", "det_item_fee_sumamt"),
        ({"det_item_fee_sumamt": "9.99"}, "line_amount", "det_item_fee_sumamt"),
        ({"det_item_fee_sumamt": "10.001"}, "field_format", "det_item_fee_sumamt"),
        ({"cnt": "0", "det_item_fee_sumamt": "0"}, "line_quantity", "cnt"),
        ({"cnt": "1.00001"}, "field_format", "cnt"),
        ({"cnt": "999999999999", "pric": "9999999999"}, "amount_too_large", "det_item_fee_sumamt"),
        ({"fee_ocur_time": tomorrow}, "line_later", "fee_ocur_time"),
        ({"fee_ocur_time": "2009-03-01 09:00:00"}, "line_early", "fee_ocur_time"),
    ):
        row = messages.line(who, mdtrt_id, "1", DRUG, "2", "5.00") | changed
        refused(program, "2204", {"feedetail": [row]}, code, named)
        bought = messages.purchase(buyer, [(DRUG, "2", "5.00")])
        bought["drugdetail"][0] |= changed
        refused(chemist, "2102", bought, code, named)
        if code != "line_early" and not (changed.get("cnt") or "").startswith("-"):
            row = messages.stay_line(*stay, "1", DRUG, "2", "5.00") | changed
            refused(program, "2301", {"feedetail": [row]}, code, named)
    _many_lines(program, who, mdtrt_id)


def _many_lines(program: Program, who: Patient, mdtrt_id: str) -> None:
    rows = [messages.line(who, mdtrt_id, str(sn), DRUG, "1", "1.00") for sn in range(5000)]
    refused(program, "2204", {"feedetail": rows}, "body_too_large", "MB")
    short = [{name: value for name, value in row.items() if value != ""} for row in rows]
    refused(program, "2204", {"feedetail": short[: MOST_LINES + 1]}, "lines_too_many", "feedetail", str(MOST_LINES))
    found = program.ok("2204", {"feedetail": rows[:MOST_LINES]})["result"]
    program.told.hold("a thousand lines are taken", len(found) == MOST_LINES, len(found))
    refused(program, "2204", {"feedetail": [rows[7]]}, "line_repeated", "feedetl_sn")
    refused(program, "2204", {"feedetail": [rows[1001], rows[1001]]}, "line_repeated", "feedetl_sn")


def _admitted(program: Program) -> tuple[Patient, str]:
    who = scenes.patient(program)
    return who, program.ok("2401", messages.admission(who))["result"]["mdtrt_id"]


def another_institutions(stand: Stand) -> None:
    """A visit, stay, settlement, file and sign-in of another institution is like one that there is not; so is one of
    another person."""
    mine, theirs = stand.program(scenes.REGION, OUTPATIENT, number=1), scenes.hospital(stand)
    other = scenes.patient(theirs)
    for number in ("2202", "2203", "2203A", "2204", "2205", "2206", "2207", "2208", "2301", "2302", "2303", "2304", "2305",
                   "2402", "2403", "2404", "2405", "5202", "5203", "5204"):  # fmt: skip
        given = scenes.scene(stand, number).given
        refused(mine, number, given, "visit_unknown", "mdtrt_id", "psn_no")
        refused(theirs, number, _replaced(given, "psn_no", other.psn_no), "visit_unknown", "mdtrt_id", "psn_no")
        refused(theirs, number, _replaced(given, "mdtrt_id", "999"), "visit_unknown", "mdtrt_id")
    bought = scenes.scene(stand, "2103")
    refused(mine, "2103", bought.given, "visit_unknown", "mdtrt_id", "psn_no")
    refused(mine, "3202", scenes.scene(stand, "3202").given, "file_unknown", "file_qury_no")
    refused(mine, "9002", scenes.scene(stand, "9002").given, "sign_no_unknown", "sign_no")
    # Of what another institution sent under a msgid there is nothing to undo, and its settlement stands.
    given = scenes.scene(stand, "2601").given
    answer = mine.say("2601", given)
    stand.told.hold("2601 of another's message undoes nothing", bool(answer["warn_msg"]), answer)
    theirs.ok("2601", given)
    refused(
        theirs, "2601", _replaced(scenes.scene(stand, "2601").given, "psn_no", other.psn_no), "visit_unknown", "psn_no"
    )


def _replaced(given: Any, name: str, value: str) -> Any:
    if isinstance(given, dict):
        return {key: value if key == name else _replaced(inner, name, value) for key, inner in given.items()}
    return [_replaced(one, name, value) for one in given] if isinstance(given, list) else given


def twice(stand: Stand) -> None:
    """Settled twice, charged after the settlement, reversed twice, a msgid used for another request."""
    program = scenes.hospital(stand)
    who = scenes.patient(program)
    mdtrt_id = steps.register(program, who)
    rows = messages.lines(who, mdtrt_id)
    program.ok("2204", {"feedetail": rows})
    asked, msgid = messages.bill(who, mdtrt_id, total(rows)), new_msgid(program.signer.code)
    info = program.ok("2207", asked, msgid=msgid)["setlinfo"]
    refused(program, "2207", asked, "batch_settled", "2208")
    refused(program, "2206", asked, "batch_settled", "2208")
    refused(program, "2204", {"feedetail": [messages.line(who, mdtrt_id, "99", DRUG, "1", "1.00")]}, "batch_settled")
    refused(program, "2205", messages.visit(who, mdtrt_id, chrg_bchno="B1"), "batch_settled")
    refused(program, "2202", messages.visit(who, mdtrt_id, ipt_otp_no="M0001"), "batch_settled")
    other = messages.bill(who, mdtrt_id, total(rows), acct_used_flag="0")
    refused(program, "2207", other, "msgid_reused", msgid=msgid)
    back = messages.visit(who, mdtrt_id, setl_id=info["setl_id"])
    refused(program, "2208", back | {"data": back["data"] | {"setl_id": "999"}}, "settlement_unknown", "setl_id")
    program.ok("2208", back)
    refused(program, "2208", back, "duplicate")
    answer = program.say("2207", asked, msgid=msgid)
    stand.told.hold(
        "the first msgid still has its answer", answer["output"]["setlinfo"]["setl_id"] == info["setl_id"], answer
    )
    refused(program, "2601", messages.correction(who, msgid, "2207"), "already_reversed")
    refused(program, "2601", messages.correction(who, msgid, "2208"), "correction_unsupported", "2208")
    # Never came, then undone, then it comes after all.
    late = new_msgid(program.signer.code)
    program.ok("2601", messages.correction(who, late, "2207"))
    refused(program, "2207", asked, "msgid_corrected", "2601", msgid=late)


def sums(stand: Stand) -> None:
    """A bill that is not what the lines come to, of no lines, of another insurance, category, person or flag."""
    program, chemist = scenes.hospital(stand), scenes.pharmacy(stand)
    who, stranger = scenes.patient(program), scenes.patient(program)
    mdtrt_id = steps.register(program, who)
    asked = messages.bill(who, mdtrt_id, "10.00")
    refused(program, "2207", asked, "batch_empty", "2204")
    program.ok("2204", {"feedetail": [messages.line(who, mdtrt_id, "1", DRUG, "2", "5.00")]})
    for changed, code, named in (
        ({"medfee_sumamt": "10.01"}, "total_other", "medfee_sumamt"),
        ({"medfee_sumamt": "9.99"}, "total_other", "medfee_sumamt"),
        ({"medfee_sumamt": "0"}, "total_other", "medfee_sumamt"),
        ({"medfee_sumamt": "-10.00"}, "field_format", "medfee_sumamt"),
        ({"insutype": "390"}, "insutype_other", "insutype"),
        ({"insutype": "999"}, "field_code", "insutype"),
        ({"med_type": "14"}, "med_type_unsupported", "med_type"),
        ({"med_type": "41"}, "med_type_unsupported", "med_type"),
        ({"med_type": "21"}, "med_type_unsupported", "med_type"),
        ({"acct_used_flag": "3"}, "field_code", "acct_used_flag"),
        ({"chrg_bchno": "B2"}, "batch_empty", "B2"),
        ({"mdtrt_cert_type": "01"}, "credential_unsupported", ""),
        (messages.card(stranger.person), "person_unknown", "mdtrt_cert_no"),
    ):
        for infno in ("2206", "2207"):
            refused(program, infno, messages.bill(who, mdtrt_id, "10.00", **changed), code, named)
    bought = messages.purchase(scenes.patient(chemist), sequences.BOUGHT)
    for name, value, code in (
        ("medfee_sumamt", "1.00", "total_other"),
        ("med_type", "11", "med_type_unsupported"),
        ("insutype", "390", "insutype_not_his"),
        ("begntime", messages.moment(2), "begun_later"),
    ):
        for infno in ("2101", "2102"):
            refused(chemist, infno, bought | {"druginfo": bought["druginfo"] | {name: value}}, code)
    refused(program, "2102", bought, "not_a_pharmacy")
    refused(chemist, "2401", messages.admission(scenes.patient(chemist)), "med_type_unsupported")


def people(stand: Stand) -> None:
    """The dead, the insured no more, the paused, the unknown; and where somebody is insured."""
    program = scenes.hospital(stand)

    def asked(**state: Any) -> Row:
        who = scenes.patient(program)
        given = messages.registration(who)
        world.change(who.person, **state)
        return given

    yesterday = world.today() - world.DAY
    refused(program, "2201", asked(died_on=yesterday), "not_insured")
    refused(program, "2201", asked(status="closed"), "insurance_ended")
    refused(program, "2201", asked(valid_to=yesterday), "not_insured")
    refused(program, "2201", asked(valid_from=world.today() + world.DAY), "not_insured")
    program.ok("2201", asked(died_on=world.today()))
    for status in ("suspended", "frozen"):
        _paused(program, status)
    who = scenes.patient(program)
    given = messages.registration(who)["data"]
    for changed, code, named in (
        ({"psn_no": "0"}, "person_unknown", "psn_no"),
        ({"psn_no": "Z" * 30}, "person_unknown", "psn_no"),
        ({"mdtrt_cert_no": "310101199001011234"}, "person_unknown", "mdtrt_cert_no"),
        ({"mdtrt_cert_type": "03"}, "person_unknown", "mdtrt_cert_type"),
        ({"insutype": "390"}, "insutype_not_his", "insutype"),
        ({"begntime": messages.moment(1)}, "begun_later", "begntime"),
        ({"begntime": "1900-01-01 00:00:00"}, "not_insured", ""),
    ):
        refused(program, "2201", {"data": given | changed}, code, named)
    refused(program, "2201", {"data": given}, "insuplc_other", "insuplc_admdvs", insuplc_admdvs="330100")
    refused(program, "2201", {"data": given}, "insuplc_not_held", "insuplc_admdvs", "460100", insuplc_admdvs="460100")
    for place in ("", "310000", "310115"):
        program.ok("2201", {"data": given}, insuplc_admdvs=place)
    _dead_after_the_registration(program)


def _paused(program: Program, status: str) -> None:
    """Whose insurance is paused pays out of his account; the funds pay nothing, and 2001 says so."""
    person = world.person(scenes.REGION, status=status)
    who = steps.look_up(program, person)
    rows = program.ok("2001", messages.entitlement(who, program.signer.code))["trtinfo"]
    flags = {row["fund_pay_type"]: (row["trt_enjymnt_flag"], bool(row["trt_chk_rslt"])) for row in rows}
    told = program.told
    told.hold(f"2001 of a {status} insurance", flags["310100"] == ("0", True), flags)
    mdtrt_id = steps.register(program, who)
    lines = steps.charge(program, "2204", messages.lines(who, mdtrt_id))
    asked = messages.bill(who, mdtrt_id, total(messages.lines(who, mdtrt_id)))
    settled = steps.pay(program, ("2206", "2207"), asked, lines, who.balance)["setlinfo"]
    told.hold(f"the funds of a {status} insurance", settled["fund_pay_sumamt"] == 0, settled)
    own = settled["acct_pay"] - settled["acct_mulaid_pay"]
    told.hold(f"2001 and the account of a {status} insurance", (own > 0) == (flags["310200"][0] == "1"), (own, flags))


def _dead_after_the_registration(program: Program) -> None:
    who = scenes.patient(program)
    mdtrt_id = steps.register(program, who)
    program.ok("2204", {"feedetail": [messages.line(who, mdtrt_id, "1", DRUG, "2", "5.00")]})
    world.change(who.person, died_on=world.today() - world.DAY)
    refused(program, "2207", messages.bill(who, mdtrt_id, "10.00"), "not_insured")


def stays(stand: Stand) -> None:
    """Days that do not fit, refunds of too much, parts, and what belongs to outpatients."""
    program = stand.program(scenes.REGION, INPATIENT, number=None)
    who, mdtrt_id = _admitted(program)
    refused(program, "2401", messages.admission(who), "stay_open")
    late = messages.admission(scenes.patient(program), begntime=messages.moment(1, "09:00:00"))
    refused(program, "2401", late, "time_later", "begntime")
    refused(
        program,
        "2401",
        messages.admission(scenes.patient(program), med_type="2102"),
        "med_type_unsupported",
        "med_type",
    )

    def line(sn: str, cnt: str, **changed: Any) -> Row:
        return {"feedetail": [messages.stay_line(who, mdtrt_id, sn, DRUG, cnt, "5.00", **changed)]}

    refused(program, "2301", line("1", "2", fee_ocur_time=messages.moment(-11)), "line_before_stay", "fee_ocur_time")
    refused(program, "2301", line("1", "-2"), "field_missing", "init_feedetl_sn")
    refused(program, "2301", line("1", "-2", init_feedetl_sn="9"), "line_unknown", "9")
    program.ok("2301", line("1", "2"))
    refused(program, "2301", line("R1", "-3", init_feedetl_sn="1"), "refund_more", "R1")
    refused(program, "2301", line("R1", "-1", init_feedetl_sn="1", det_item_fee_sumamt="-5.01"), "line_amount", "R1")
    refused(program, "2301", line("R1", "-1", init_feedetl_sn="1", med_list_codg="XA10BBG002"), "refund_other", "R1")
    refused(program, "2204", {"feedetail": [messages.line(who, mdtrt_id, "2", DRUG, "1", "1.00")]}, "is_a_stay", "23")
    refused(program, "2302", {"data": [messages.visit(who, mdtrt_id, feedetl_sn="7")["data"]]}, "line_unknown", "7")
    refused(
        program, "2402", messages.discharge(who, mdtrt_id, endtime=messages.moment(-11)), "discharge_early", "endtime"
    )
    refused(program, "2402", messages.discharge(who, mdtrt_id, endtime=messages.moment(1)), "time_later", "endtime")
    refused(program, "2402", messages.discharge(who, mdtrt_id, endtime=messages.moment(-9)), "line_outside_stay")
    refused(program, "2304", messages.stay_bill(who, mdtrt_id, "10.00"), "not_discharged", "2402")
    program.ok("2402", messages.discharge(who, mdtrt_id))
    refused(program, "2402", messages.discharge(who, mdtrt_id), "stay_discharged", "2405")
    refused(program, "2304", messages.stay_bill(who, mdtrt_id, "9.99"), "total_other", "medfee_sumamt")
    refused(
        program,
        "2304",
        messages.stay_bill(who, mdtrt_id, "10.00", mid_setl_flag="1"),
        "mid_after_discharge",
        "mid_setl_flag",
    )
    refused(program, "2404", messages.visit(who, mdtrt_id), "stay_discharged", "2405")
    program.ok("2304", messages.stay_bill(who, mdtrt_id, "10.00"))
    refused(program, "2304", messages.stay_bill(who, mdtrt_id, "10.00"), "stay_settled", "2305")
    refused(program, "2301", line("3", "1"), "stay_settled", "2305")
    outpatient, number = who, steps.register(program, who)
    refused(program, "2402", messages.discharge(outpatient, number), "not_a_stay", "22")


def reconciliation(stand: Stand) -> None:
    """Periods that are none, agencies and files that there are not, files that are not what they say."""
    program = scenes.hospital(stand)
    sums, details = scenes.scene(stand, "3201").given["data"], scenes.scene(stand, "3202").given["data"]
    today, yesterday, long_ago = (messages.moment(days)[:10] for days in (0, -1, -400))
    for infno, given in (("3201", sums), ("3202", details)):
        refused(
            program, infno, {"data": given | {"stmt_begndate": today, "stmt_enddate": yesterday}}, "period_backwards"
        )
        refused(program, infno, {"data": given | {"stmt_begndate": long_ago}}, "period_long")
        refused(program, infno, {"data": given | {"setl_optins": "999999"}}, "agency_unknown", "setl_optins", "999999")
    scenes.scene(stand, "5203")  # Something is settled now that the empty file lacks.
    refused(program, "3202", {"data": details | {"medfee_sumamt": "1.00"}}, "file_total_other", "medfee_sumamt")
    refused(program, "3202", {"data": details | {"file_qury_no": "F1"}}, "file_unknown", "file_qury_no")
    for content, code in (
        (b"PK\x03\x04 no archive", "file_broken"),
        (sequences.packed([["1", "2"]]), "line_columns"),
        (sequences.packed([["1", "2", "3", "x", "0", "0", "0"]]), "field_format"),
        ("张三\t1\t1\t0\t0\t0\t0".encode("gbk"), "file_not_utf8"),
    ):
        number = sequences.upload(program, content, in_form=True)
        refused(program, "3202", {"data": details | {"file_qury_no": number}}, code)


def of_the_key(stand: Stand) -> None:
    """An institution that the key is not of; one that is suspended; a key that signs in another way."""
    program, other = scenes.hospital(stand), scenes.pharmacy(stand)
    given = messages.look_up(world.person(scenes.REGION))
    refused(program, "1101", given, "institution_unknown", "fixmedins_code", fixmedins_code=other.signer.code)
    refused(program, "9101", _replaced(scenes.scene(stand, "9101").given, "fixmedins_code", other.signer.code),
            "institution_unknown", "fixmedins_code")  # fmt: skip
    with world.suspended(program.signer.code):
        refused(program, "1101", given, "institution_suspended")
    program.ok("1101", given)


PLAYS: dict[str, Callable[[Stand], None]] = {
    "lines": lines,
    "another institution's": another_institutions,
    "twice": twice,
    "sums": sums,
    "people": people,
    "stays": stays,
    "reconciliation": reconciliation,
    "keys": of_the_key,
}


def jobs() -> list[Job]:
    """A job a kind of wrong."""
    return [Job("wrongs", what, play) for what, play in PLAYS.items()]
