"""What programs send: the inputs of each transaction, every value a text and what is empty an empty text, as they do."""

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from conformance.world import Person
from gateway.client import SHANGHAI

Row = dict[str, Any]
DRUG, PART_DRUG, DEAR_DRUG, LUXURY, UNHEARD = "XA10BAD001", "XC09CAX017", "XA10BJL016", "XV06DXP040", "NOBODY-KNOWS"
CODES = (DRUG, PART_DRUG, DEAR_DRUG, LUXURY, UNHEARD)
DEPARTMENT, DOCTOR = "内科", "某医生"


def json_of(given: Any) -> str:
    """As JSON in ASCII, so that what UTF-8 cannot write comes through too."""
    return json.dumps(given, default=str)


def moment(days: int = 0, at: str = "") -> str:
    """So many days from now, as the interface writes a moment."""
    day = datetime.datetime.now(SHANGHAI) + datetime.timedelta(days=days)
    return f"{day:%Y-%m-%d} {at or f'{day:%H:%M:%S}'}"


@dataclass(frozen=True)
class Patient:
    """A person whom 1101 has found, as programs keep him."""

    person: Person
    psn_no: str
    balance: Decimal
    place: str

    @property
    def named(self) -> Row:
        """His number and credential."""
        return {"psn_no": self.psn_no, **card(self.person)}


def card(person: Person, cert_type: str = "02") -> Row:
    """The ID card shown, or the social-security card (03)."""
    number = person.id_number if cert_type == "02" else person.card_number
    return {"mdtrt_cert_type": cert_type, "mdtrt_cert_no": number}


def look_up(person: Person, cert_type: str = "02") -> Row:
    """1101, with what the text calls required and programs leave empty."""
    empty = dict.fromkeys(("card_sn", "begntime", "psn_cert_type", "certno", "psn_name"), "")
    return {"data": empty | card(person, cert_type)}


def entitlement(patient: Patient, code: str, med_type: str = "11") -> Row:
    """2001."""
    empty = dict.fromkeys(("endtime", "dise_codg", "dise_name", "oprn_oprt_code", "matn_type", "birctrl_type"), "")
    known = {"psn_no": patient.psn_no, "insutype": patient.person.insutype, "fixmedins_code": code}
    return {"data": empty | known | {"med_type": med_type, "begntime": moment()}}


def registration(patient: Patient, number: str = "M0001", **changed: Any) -> Row:
    """2201."""
    empty = dict.fromkeys(("card_sn", "psn_cert_type", "certno", "atddr_no", "dr_name", "exp_content"), "")
    said = {"insutype": patient.person.insutype, "begntime": moment(), "ipt_otp_no": number}
    place = {"dept_code": "A03", "dept_name": DEPARTMENT, "caty": "A03"}
    return {"data": empty | patient.named | said | place | changed}


def visit(patient: Patient, mdtrt_id: str, **more: Any) -> Row:
    """The input of transactions that name a visit and little more."""
    return {"data": {"mdtrt_id": mdtrt_id, "psn_no": patient.psn_no, "exp_content": "", **more}}


def seen(patient: Patient, mdtrt_id: str, med_type: str = "11", **changed: Any) -> Row:
    """2203 and 2203A."""
    head = {
        "mdtrt_id": mdtrt_id, "psn_no": patient.psn_no, "med_type": med_type, "begntime": moment(),
        "main_cond_dscr": "咳嗽三天", "dise_codg": "", "dise_name": "", "birctrl_type": "", "birctrl_matn_date": "",
        "matn_type": "", "geso_val": "0",
    }  # fmt: skip
    row = {
        "diag_type": "1", "diag_srt_no": "1", "diag_code": "J06.900", "diag_name": "急性上呼吸道感染",
        "diag_dept": DEPARTMENT, "dise_dor_no": "D1", "dise_dor_name": DOCTOR, "diag_time": moment(), "vali_flag": "1",
    }  # fmt: skip
    return {"mdtrtinfo": head | changed, "diseinfo": [row]}


def line(
    patient: Patient, mdtrt_id: str, sn: str, code: str, cnt: str | Decimal, pric: str | Decimal, **changed: Any
) -> Row:
    """A row of 2204."""
    return {
        "feedetl_sn": sn, "mdtrt_id": mdtrt_id, "psn_no": patient.psn_no, "chrg_bchno": "B1", "dise_codg": "",
        "rxno": "", "rx_circ_flag": "0", "fee_ocur_time": moment(at="00:00:01"), "med_list_codg": code,
        "medins_list_codg": f"own-{code}", "det_item_fee_sumamt": f"{amount(cnt, pric)}", "cnt": f"{cnt}",
        "pric": f"{pric}", "bilg_dept_codg": "A03", "bilg_dept_name": DEPARTMENT, "bilg_dr_codg": "D1",
        "bilg_dr_name": DOCTOR, "acord_dept_codg": "", "orders_dr_code": "", "hosp_appr_flag": "0",
        "tcmdrug_used_way": "", "etip_flag": "0", "exp_content": "",
    } | changed  # fmt: skip


def lines(patient: Patient, mdtrt_id: str) -> list[Row]:
    """A usual bill: each class of the catalogue, one over its limit, one that nobody knows."""
    bought = [(DRUG, "10", "78.50"), (PART_DRUG, "3", "15.05"), (DEAR_DRUG, "2", "440.00")]
    bought += [(LUXURY, "1", "99.90"), (UNHEARD, "0.5", "20.01")]
    return [line(patient, mdtrt_id, str(at), *one) for at, one in enumerate(bought, 1)]


def amount(cnt: str | Decimal, pric: str | Decimal) -> Decimal:
    """Quantity times price, to the fen."""
    return (Decimal(cnt) * Decimal(pric)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def bill(patient: Patient, mdtrt_id: str, total: Decimal | str, **changed: Any) -> Row:
    """2206 and 2207: the split amounts, too, which the hospital believes to know."""
    given = patient.named | {
        "med_type": "11", "medfee_sumamt": f"{total}", "psn_setlway": "01", "mdtrt_id": mdtrt_id, "chrg_bchno": "B1",
        "acct_used_flag": "1", "insutype": patient.person.insutype, "invono": "", "fulamt_ownpay_amt": "0",
        "overlmt_selfpay": "0", "preselfpay_amt": "0", "inscp_scp_amt": f"{total}", "exp_content": "",
    }  # fmt: skip
    return {"data": given | changed}


def purchase(patient: Patient, bought: Sequence[tuple[str, str | Decimal, str | Decimal]], **changed: Any) -> Row:
    """2101 and 2102."""
    drugs = [
        {
            "feedetl_sn": str(at), "rxno": "", "rx_circ_flag": "0", "fee_ocur_time": moment(at="00:00:01"),
            "med_list_codg": code, "medins_list_codg": f"own-{code}", "det_item_fee_sumamt": f"{amount(cnt, pric)}",
            "cnt": f"{cnt}", "pric": f"{pric}", "sin_dos_dscr": "", "used_frqu_dscr": "", "prd_days": "",
            "medc_way_dscr": "", "bilg_dr_codg": "", "tcmdrug_used_way": "", "exp_content": "",
        }
        for at, (code, cnt, pric) in enumerate(bought, 1)
    ]  # fmt: skip
    total = sum((Decimal(drug["det_item_fee_sumamt"]) for drug in drugs), Decimal(0))
    given = patient.named | {
        "begntime": moment(), "medfee_sumamt": f"{total}", "invono": "", "insutype": patient.person.insutype,
        "dise_codg": "", "dise_name": "", "acct_used_flag": "1", "med_type": "41", "exp_content": "",
    }  # fmt: skip
    return {"druginfo": given | changed, "drugdetail": drugs}


def diagnosis(patient: Patient, **changed: Any) -> Row:
    """A row of 2401, 2402 and 2403."""
    return {
        "psn_no": patient.psn_no, "diag_type": "1", "maindiag_flag": "1", "diag_srt_no": "1", "diag_code": "J18.900",
        "diag_name": "肺炎", "adm_cond": "一般", "diag_dept": DEPARTMENT, "dise_dor_no": "D1", "dise_dor_name": DOCTOR,
        "diag_time": moment(-10, "10:00:00"),
    } | changed  # fmt: skip


def _admitted(patient: Patient) -> Row:
    return {
        "coner_name": "方某", "tel": "13800000000", "begntime": moment(-10, "09:30:00"), "med_type": "21",
        "medrcdno": "BA0001", "atddr_no": "D1", "chfpdr_name": DOCTOR, "adm_diag_dscr": "肺部感染",
        "adm_dept_codg": "A03", "adm_dept_name": DEPARTMENT, "adm_bed": "12", "dscg_maindiag_code": "J18.900",
        "dscg_maindiag_name": "肺炎", "main_cond_dscr": "", "dise_codg": "", "matn_type": "", "geso_val": "0",
    }  # fmt: skip


def admission(patient: Patient, **changed: Any) -> Row:
    """2401, ten days ago."""
    head = _admitted(patient) | patient.named | {"insutype": patient.person.insutype, "ipt_no": "ZY0001"}
    return {"mdtrtinfo": head | changed, "diseinfo": [diagnosis(patient)]}


def change(patient: Patient, mdtrt_id: str, **changed: Any) -> Row:
    """2403."""
    named = {"mdtrt_id": mdtrt_id, "psn_no": patient.psn_no}
    head = (
        _admitted(patient) | named | {"mdtrt_cert_type": "02", "ipt_otp_no": "ZY0001", "adm_bed": "13", "endtime": ""}
    )
    return {"adminfo": head | changed, "diseinfo": [diagnosis(patient, **named)]}


def stay_line(
    patient: Patient, mdtrt_id: str, sn: str, code: str, cnt: str | Decimal, pric: str | Decimal, **changed: Any
) -> Row:
    """A row of 2301, five days ago."""
    row = line(patient, mdtrt_id, sn, code, cnt, pric)
    for name in ("chrg_bchno", "rxno", "rx_circ_flag", "dise_codg"):
        del row[name]
    more = {
        "init_feedetl_sn": "",
        "drord_no": "",
        "med_type": "21",
        "fee_ocur_time": moment(-5, "09:00:00"),
        "memo": "",
    }
    return row | more | changed


def stay_lines(patient: Patient, mdtrt_id: str) -> list[Row]:
    """A usual stay, with a refund of a part of a line."""
    bought = [(DRUG, "40", "178.50"), (PART_DRUG, "6", "15.05"), (DEAR_DRUG, "4", "440.00"), (LUXURY, "1", "99.90")]
    charged = [stay_line(patient, mdtrt_id, str(at), *one) for at, one in enumerate(bought, 1)]
    return [*charged, stay_line(patient, mdtrt_id, "R1", DRUG, "-5", "178.50", init_feedetl_sn="1")]


def discharge(patient: Patient, mdtrt_id: str, **changed: Any) -> Row:
    """2402, three days ago."""
    named = {"mdtrt_id": mdtrt_id, "psn_no": patient.psn_no}
    head = named | {
        "insutype": patient.person.insutype, "endtime": moment(-3, "15:00:00"), "dise_codg": "", "dise_name": "",
        "dscg_dept_codg": "A03", "dscg_dept_name": DEPARTMENT, "dscg_bed": "12", "dscg_way": "1", "die_date": "",
    }  # fmt: skip
    row = diagnosis(patient, **named)
    del row["adm_cond"]
    return {"dscginfo": head | changed, "diseinfo": [row]}


def stay_bill(patient: Patient, mdtrt_id: str, total: Decimal | str, **changed: Any) -> Row:
    """2303 and 2304."""
    given = patient.named | {
        "medfee_sumamt": f"{total}", "psn_setlway": "01", "mdtrt_id": mdtrt_id, "acct_used_flag": "1",
        "insutype": patient.person.insutype, "invono": "", "mid_setl_flag": "0", "fulamt_ownpay_amt": "0",
        "overlmt_selfpay": "0", "preselfpay_amt": "0", "inscp_scp_amt": "0", "dscgTime": "", "exp_content": "",
    }  # fmt: skip
    return {"data": given | changed}


def correction(patient: Patient, msgid: str, infno: str) -> Row:
    """2601."""
    return {"data": {"psn_no": patient.psn_no, "omsgid": msgid, "oinfno": infno}}


def query(patient: Patient, med_type: str = "11", **changed: Any) -> Row:
    """5201 and its like: of these days."""
    days = {"begntime": moment(-30, "00:00:00"), "endtime": moment(at="23:59:59")}
    return {"data": {"psn_no": patient.psn_no, **days, "med_type": med_type, "mdtrt_id": "", **changed}}
