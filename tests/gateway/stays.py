"""What a hospital sends for a stay."""

import datetime
from decimal import Decimal
from typing import Any

from accounts.clock import today
from accounts.models import Member
from gateway.queries.people import psn_no
from tests.gateway.world import Hospital, credential
from tests.gateway.world import line as outpatient_line


def ago(days: int) -> datetime.date:
    return today() - datetime.timedelta(days=days)


def admission(patient: Member, begun: datetime.date | str | None = None, **changed: Any) -> dict[str, Any]:
    """The input of 2401, ten days ago."""
    return {
        "mdtrtinfo": {
            "psn_no": psn_no(patient),
            "insutype": "310",
            "coner_name": "方某",
            "tel": "13800000000",
            "begntime": f"{begun or ago(10)} 09:30:00" if not isinstance(begun, str) else begun,
            **credential(patient),
            "med_type": "21",
            "ipt_no": "ZY0001",
            "medrcdno": "BA0001",
            "atddr_no": "D1",
            "chfpdr_name": "某医生",
            "adm_diag_dscr": "肺部感染",
            "adm_dept_codg": "A03",
            "adm_dept_name": "内科",
            "adm_bed": "12",
            "dscg_maindiag_code": "J18.900",
            "dscg_maindiag_name": "肺炎",
        }
        | changed,
        "diseinfo": [
            diagnosis(patient),
            diagnosis(patient, maindiag_flag="0", diag_srt_no="2", diag_code="I10.x00", diag_name="高血压"),
        ],
    }


def diagnosis(patient: Member, **changed: Any) -> dict[str, Any]:
    return {
        "psn_no": psn_no(patient),
        "diag_type": "1",
        "maindiag_flag": "1",
        "diag_srt_no": "1",
        "diag_code": "J18.900",
        "diag_name": "肺炎",
        "adm_cond": "一般",
        "diag_dept": "内科",
        "dise_dor_no": "D1",
        "dise_dor_name": "某医生",
        "diag_time": f"{ago(10)} 10:00:00",
    } | changed


def leaving(patient: Member, mdtrt_id: str, ended: datetime.date | None = None, **changed: Any) -> dict[str, Any]:
    """The input of 2402, three days ago."""
    named = {"mdtrt_id": mdtrt_id, "psn_no": psn_no(patient)}
    return {
        "dscginfo": {
            **named,
            "insutype": "310",
            "endtime": f"{ended or ago(3)} 15:00:00",
            "dscg_dept_codg": "A03",
            "dscg_dept_name": "内科",
            "dscg_way": "1",
        }
        | changed,
        "diseinfo": [diagnosis(patient, mdtrt_id=mdtrt_id, diag_code="J15.900", diag_name="细菌性肺炎")],
    }


def fee(
    patient: Member,
    mdtrt_id: str,
    sn: str,
    code: str,
    cnt: str,
    pric: str,
    day: datetime.date | None = None,
    **changed: Any,
) -> dict[str, Any]:
    """A row of 2301, five days ago."""
    row = outpatient_line(patient, mdtrt_id, sn, code, cnt, pric)
    row |= {"med_type": "21", "fee_ocur_time": f"{day or ago(5)} 09:00:00"}
    return {name: value for name, value in row.items() if name not in ("chrg_bchno", "rx_circ_flag")} | changed


def bill(patient: Member, mdtrt_id: str, total: Decimal | str, **changed: Any) -> dict[str, Any]:
    """The input of 2303 and 2304."""
    return {
        "data": {
            "psn_no": psn_no(patient),
            **credential(patient),
            "medfee_sumamt": str(total),
            "psn_setlway": "01",
            "mdtrt_id": mdtrt_id,
            "acct_used_flag": "1",
            "insutype": "310",
            "mid_setl_flag": "0",
        }
        | changed
    }


def named(patient: Member, mdtrt_id: str, **more: Any) -> dict[str, Any]:
    return {"data": {"mdtrt_id": mdtrt_id, "psn_no": psn_no(patient), **more}}


def admit(hospital: Hospital, patient: Member, begun: datetime.date | None = None, **changed: Any) -> str:
    return hospital.ok("2401", admission(patient, begun, **changed))["result"]["mdtrt_id"]


def refused(hospital: Hospital, infno: str, given: Any) -> str:
    """The code of a refusal."""
    answer = hospital.call(infno, given)
    assert answer["infcode"] == -1, answer
    assert answer["output"] is None
    return answer["err_msg"].rpartition("[")[2].rstrip("]")
