"""What a pharmacy and a clinic do at a till, one function a button: which transactions follow each other, and their input."""

import json
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts import clock
from accounts.enums import InstitutionKind
from accounts.models import Institution, Member
from accounts.money import plain
from gateway.client import new_msgid
from portal.till.calling import Declined, Line, amount, visit_number
from portal.till.visit import Paid, Visit

PHARMACY_PURCHASE, GENERAL_OUTPATIENT = "41", "11"
# One charge batch; "0000" would mean every one of a visit.
BATCH = "1"
# Invented, like the doctor: the least that a visit needs.
DOCTOR = {"code": "D000000000001", "name": "某医生"}
DEPARTMENT = {"code": "A03", "name": "内科"}
DIAGNOSIS = {"code": "J06.900", "name": "急性上呼吸道感染"}


def begin(institution: Institution, member: Member) -> Visit:
    """A visit in which nothing has been said yet."""
    now = timezone.localtime(clock.now())
    return Visit(
        institution=institution.code,
        pharmacy=institution.kind == InstitutionKind.PHARMACY,
        member=str(member.public_id),
        begun=f"{now:%Y-%m-%d %H:%M:%S}",
        number=visit_number(),
    )


def look_up(line: Line) -> None:
    """1101: who the person with this ID card is, and what his account holds."""
    visit = line.visit
    output = line.call("1101", {"data": _credential(visit)})
    base, insured = output["baseinfo"], output["insuinfo"][0]
    visit.person = {name: base[name] for name in ("psn_no", "psn_name", "certno")}
    visit.person |= {name: insured[name] for name in ("insutype", "psn_type", "balc")}
    visit.person |= _buckets(base, insured["balc"])


def quote(line: Line) -> None:
    """2101 at a pharmacy. A clinic registers the visit first (2201), says what it is for (2203), uploads the lines (2204,
    after taking older ones back: 2205), and asks then (2206)."""
    visit = line.visit
    if visit.pharmacy:
        output = line.call("2101", _purchase(visit))
        _classified(visit, output["detlcutinfo"])
    else:
        _bring_in(line)
        output = line.call("2206", {"data": _bill(visit)})
    visit.quote = Paid(output["setlinfo"], shares(output["setlinfo"], visit.person))
    visit.settle_msgid = new_msgid(visit.institution)


def settle(line: Line) -> None:
    """2102 or 2207: the money moves."""
    visit = line.visit
    number, given = ("2102", _purchase(visit)) if visit.pharmacy else ("2207", {"data": _bill(visit)})
    try:
        info = line.call(number, given, msgid=visit.settle_msgid)["setlinfo"]
    except Declined:
        # The same msgid would get the same refusal.
        visit.settle_msgid = new_msgid(visit.institution)
        raise
    visit.settled = Paid(info, shares(info, visit.person))
    visit.mdtrt_id = info["mdtrt_id"]
    visit.person |= {"balc": info["balc"]} | _buckets(info, info["balc"])


def reverse(line: Line) -> None:
    """2103, or 2208 and then lines and registration back (2205, 2202): nothing of the visit stays open."""
    visit = line.visit
    if visit.settled is None:
        return
    if visit.reversed is None:
        back = {"setl_id": visit.settled.info["setl_id"], "mdtrt_id": visit.mdtrt_id, "psn_no": visit.person["psn_no"]}
        info = line.call("2103" if visit.pharmacy else "2208", {"data": back})["setlinfo"]
        visit.reversed = Paid(info, visit.settled.shares)
        visit.person |= {"balc": info["balc"]} | _buckets(info, info["balc"])
    if not visit.pharmacy:
        give_up(line)


def give_up(line: Line) -> None:
    """Lines and registration of a clinic's visit back, as far as there are any."""
    visit = line.visit
    if visit.uploaded:
        _take_lines_back(line)
    if visit.mdtrt_id:
        who = {"psn_no": visit.person["psn_no"], "mdtrt_id": visit.mdtrt_id, "ipt_otp_no": visit.number}
        line.call("2202", {"data": who})
        visit.mdtrt_id = ""


def repeat(line: Line, message: dict[str, Any]) -> None:
    """The same message once more, signed anew. Raises NoAnswer."""
    line.send(message["infno"], message["msgid"], message["body"], repeats=message["number"])


def shares(info: dict[str, Any], before: dict[str, Any]) -> dict[str, str]:
    """Payer -> yuan of an answer. The interface names only the sum of what own account and wallet pay. Which of the own
    balances paid shows by what is left of each; "own" is the rest, or all of it if the account has moved meanwhile."""
    family = amount(info, "acct_mulaid_pay")
    own = amount(info, "acct_pay") - family
    left = _buckets(info, info["balc"])
    current, historical = (Decimal(before[name]) - Decimal(left[name]) for name in ("current", "historical"))
    if min(current, historical) < 0 or current + historical > own:
        current = historical = Decimal(0)
    fund = amount(info, "hifp_pay")
    found = {
        "fund": fund,
        "supplement": amount(info, "fund_pay_sumamt") - fund,
        "current": current,
        "historical": historical,
        "own": own - current - historical,
        "family": family,
        "cash": amount(info, "psn_cash_pay"),
    }
    return {payer: plain(paid) for payer, paid in found.items() if paid}


def _buckets(node: dict[str, Any], balance: Any) -> dict[str, str]:
    """Current and historical balance out of the extension field; without one everything is historical."""
    text = node.get("exp_content")
    held = json.loads(text, parse_float=str) if text else {"crtYearBalc": "0", "calYearBalc": str(balance or 0)}
    return {"current": str(held["crtYearBalc"]), "historical": str(held["calYearBalc"])}


def _bring_in(line: Line) -> None:
    """Registration, diagnosis and lines of a clinic, each unless the gateway has it already."""
    visit = line.visit
    if not visit.mdtrt_id:
        visit.mdtrt_id = line.call("2201", {"data": _registration(visit)})["data"]["mdtrt_id"]
    if not visit.diagnosed:
        line.call("2203", _diagnosis(visit))
        visit.diagnosed = True
    wanted = [item.sent for item in visit.items]
    if visit.uploaded and visit.uploaded != wanted:
        _take_lines_back(line)
    if not visit.uploaded:
        _classified(visit, line.call("2204", {"feedetail": [_uploaded(visit, row) for row in _rows(visit)]})["result"])
        visit.uploaded = wanted


def _take_lines_back(line: Line) -> None:
    visit = line.visit
    which = {"mdtrt_id": visit.mdtrt_id, "chrg_bchno": BATCH, "psn_no": visit.person["psn_no"]}
    line.call("2205", {"data": which})
    visit.uploaded = []


def _classified(visit: Visit, rows: list[dict[str, Any]]) -> None:
    """How the gateway cut each line."""
    by_number = {str(row["feedetl_sn"]): row for row in rows}
    for number, item in enumerate(visit.items, start=1):
        item.cut = by_number.get(str(number))


def _credential(visit: Visit) -> dict[str, str]:
    """The ID card that is shown."""
    number = Member.objects.get(public_id=visit.member).id_number
    return {"mdtrt_cert_type": "02", "mdtrt_cert_no": number}


def _person(visit: Visit) -> dict[str, str]:
    person = visit.person
    return _credential(visit) | {
        "psn_no": person["psn_no"],
        "psn_cert_type": "01",
        "certno": person["certno"],
        "psn_type": person["psn_type"],
        "psn_name": person["psn_name"],
        "insutype": person["insutype"],
    }


def _rows(visit: Visit) -> list[dict[str, str]]:
    """What a line says at a pharmacy and at a clinic alike."""
    return [
        {
            "feedetl_sn": str(number),
            "rx_circ_flag": "0",
            "fee_ocur_time": visit.begun,
            "med_list_codg": item.code,
            "medins_list_codg": f"T{item.code}",
            "det_item_fee_sumamt": plain(item.amount),
            "cnt": item.quantity,
            "pric": item.price,
        }
        for number, item in enumerate(visit.items, start=1)
    ]


def _uploaded(visit: Visit, row: dict[str, str]) -> dict[str, str]:
    return row | {
        "mdtrt_id": visit.mdtrt_id,
        "psn_no": visit.person["psn_no"],
        "chrg_bchno": BATCH,
        "bilg_dept_codg": DEPARTMENT["code"],
        "bilg_dept_name": DEPARTMENT["name"],
        "bilg_dr_codg": DOCTOR["code"],
        "bilg_dr_name": DOCTOR["name"],
        "hosp_appr_flag": "0",
    }


def _purchase(visit: Visit) -> dict[str, Any]:
    how = {"begntime": visit.begun, "medfee_sumamt": plain(visit.total), "acct_used_flag": visit.flag}
    return {"druginfo": _person(visit) | how | {"med_type": PHARMACY_PURCHASE}, "drugdetail": _rows(visit)}


def _registration(visit: Visit) -> dict[str, str]:
    return _person(visit) | {
        "begntime": visit.begun,
        "ipt_otp_no": visit.number,
        "atddr_no": DOCTOR["code"],
        "dr_name": DOCTOR["name"],
        "dept_code": DEPARTMENT["code"],
        "dept_name": DEPARTMENT["name"],
        "caty": DEPARTMENT["code"],
    }


def _diagnosis(visit: Visit) -> dict[str, Any]:
    about = {"mdtrt_id": visit.mdtrt_id, "psn_no": visit.person["psn_no"], "med_type": GENERAL_OUTPATIENT}
    row = {
        "diag_type": "1",
        "diag_srt_no": "1",
        "diag_code": DIAGNOSIS["code"],
        "diag_name": DIAGNOSIS["name"],
        "diag_dept": DEPARTMENT["name"],
        "dise_dor_no": DOCTOR["code"],
        "dise_dor_name": DOCTOR["name"],
        "diag_time": visit.begun,
        "vali_flag": "1",
    }
    return {"mdtrtinfo": about | {"begntime": visit.begun}, "diseinfo": [row]}


def _bill(visit: Visit) -> dict[str, str]:
    """The four split amounts are not looked at by the gateway, whose own classification decides; a clinic sends what
    that said."""
    cuts = [item.cut for item in visit.items if item.cut]
    split = {"fulamt_ownpay_amt": "fulamt_ownpay_amt", "overlmt_selfpay": "overlmt_amt"}
    split |= {name: name for name in ("preselfpay_amt", "inscp_scp_amt")}
    sums = {name: plain(sum((amount(cut, of) for cut in cuts), Decimal("0.00"))) for name, of in split.items()}
    how = {
        "med_type": GENERAL_OUTPATIENT,
        "medfee_sumamt": plain(visit.total),
        "psn_setlway": "01",
        "mdtrt_id": visit.mdtrt_id,
        "chrg_bchno": BATCH,
        "acct_used_flag": visit.flag,
    }
    return _person(visit) | how | sums
