"""A hospital with a key, a patient with a little money and a husband who shares his account; in Shanghai."""

import datetime
import json
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client

from accounts.clock import now, today
from accounts.models import Institution, Member, Region
from conformance.answers import output_faults
from family.models import SharingGrant
from gateway.actions import keys
from gateway.client import PATH, envelope, signed_headers
from gateway.queries.people import psn_no
from settlements.actions.opening import open_account
from settlements.actions.regions import load
from settlements.models import CatalogueItem
from tests.people import make_institution, make_member

DRUG, PART_DRUG, DEAR_DRUG, LUXURY = "XA10BAD001", "XC08CAA002", "XL01XCT003", "XV99ZZZ009"


@dataclass
class Hospital:
    """Calls the endpoint as an institution does, through the real URL, and says what came back."""

    institution: Institution
    key_id: str
    secret: str
    client: Client = field(default_factory=lambda: Client(raise_request_exception=True))

    def post(self, body: bytes, headers: dict[str, str] | None = None, path: str = PATH):
        """Raw bytes, signed unless other headers are given."""
        signed = signed_headers(self.key_id, self.secret) if headers is None else headers
        return self.client.post(path, body, content_type="text/plain", headers=signed)

    def call(self, infno: str, given: Any, *, msgid: str = "", **changed: Any) -> dict[str, Any]:
        """The answer envelope; numbers in it are Decimal."""
        sent = envelope(infno, given, self.institution.code, msgid=msgid) | changed
        response = self.post(json.dumps(sent, ensure_ascii=False, default=str).encode())
        assert response.status_code == 200
        answer = json.loads(response.content, parse_float=Decimal)
        # Every answer that any test sees is what the tables promise.
        assert answer["infcode"] not in (0, "0") or output_faults(infno, answer["output"]) == []
        return answer

    def ok(self, infno: str, given: Any, *, msgid: str = "") -> dict[str, Any]:
        """The output of a call that must succeed."""
        answer = self.call(infno, given, msgid=msgid)
        assert answer["infcode"] == 0, answer["err_msg"]
        return answer["output"]

    def register(self, patient: Member, **changed: Any) -> str:
        """A visit; its mdtrt_id."""
        return self.ok("2201", {"data": visit_input(patient) | changed})["data"]["mdtrt_id"]

    def settle(
        self, patient: Member, mdtrt_id: str, total: Decimal, *, msgid: str = "", **changed: Any
    ) -> dict[str, Any]:
        """The answer to 2207."""
        return self.call("2207", {"data": bill_input(patient, mdtrt_id, total) | changed}, msgid=msgid)


@dataclass
class World:
    region: Region
    hospital: Hospital
    patient: Member
    husband: Member


def make_hospital(region: Region, name: str = "示例医院", **more: Any) -> Hospital:
    institution = make_institution(name, region=region, **more)
    key, secret = keys.issue(institution=institution, by=None, at=now() - datetime.timedelta(days=1))
    return Hospital(institution, key.key_id, secret)


def make_world(current: str = "100.00", historical: str = "50.00", shared: str = "5000.00") -> World:
    load([Path(settings.BASE_DIR) / "regions" / "310000.toml"])
    region = Region.objects.get(code="310000")
    items = [
        (DRUG, "A", "0", None),
        (PART_DRUG, "B", "10", None),
        (DEAR_DRUG, "B", "20", "30.00"),
        (LUXURY, "C", "100", None),
    ]
    CatalogueItem.objects.bulk_create(
        CatalogueItem(
            region=region, code=code, name=code, item_class=item_class, self_pay_percent=percent, price_limit=limit,
            valid_from=datetime.date(2020, 1, 1),
        )
        for code, item_class, percent, limit in items
    )  # fmt: skip
    patient = make_member("沈某宁", datetime.date(1985, 3, 12), region=region)
    husband = make_member("方某", datetime.date(1984, 8, 2), sex="M", region=region)
    on = today()
    open_account(member=patient, region_id=region.code, on=on, current=Decimal(current), historical=Decimal(historical))
    open_account(member=husband, region_id=region.code, on=on, historical=Decimal(shared))
    SharingGrant.objects.create(
        grantor=husband, beneficiary=patient, region=region, relation="spouse", bound_at=now(), starts_on=on
    )
    return World(region, make_hospital(region), patient, husband)


def credential(patient: Member) -> dict[str, str]:
    return {"mdtrt_cert_type": "02", "mdtrt_cert_no": patient.id_number}


def visit_input(patient: Member) -> dict[str, Any]:
    begun = now().astimezone(datetime.timezone(datetime.timedelta(hours=8)))
    return {
        "psn_no": psn_no(patient),
        "insutype": "310",
        "begntime": f"{begun:%Y-%m-%d %H:%M:%S}",
        **credential(patient),
        "ipt_otp_no": f"M{time.monotonic_ns()}",
        "dept_code": "A03",
        "dept_name": "内科",
        "caty": "A03",
    }


def line(
    patient: Member, mdtrt_id: str, sn: str, code: str, cnt: str | Decimal, pric: str | Decimal, **changed: Any
) -> dict[str, Any]:
    amount = (Decimal(cnt) * Decimal(pric)).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
    return {
        "feedetl_sn": sn,
        "mdtrt_id": mdtrt_id,
        "psn_no": psn_no(patient),
        "chrg_bchno": "B1",
        "rx_circ_flag": "0",
        "fee_ocur_time": f"{today():%Y-%m-%d} 09:00:00",
        "med_list_codg": code,
        "medins_list_codg": f"own-{code}",
        "det_item_fee_sumamt": str(amount),
        "cnt": str(cnt),
        "pric": str(pric),
        "bilg_dept_codg": "A03",
        "bilg_dept_name": "内科",
        "bilg_dr_codg": "D1",
        "bilg_dr_name": "某医生",
        "hosp_appr_flag": "0",
    } | changed


def bill_input(patient: Member, mdtrt_id: str, total: Decimal | str) -> dict[str, Any]:
    return {
        "psn_no": psn_no(patient),
        **credential(patient),
        "med_type": "11",
        "medfee_sumamt": str(total),
        "psn_setlway": "01",
        "mdtrt_id": mdtrt_id,
        "chrg_bchno": "B1",
        "acct_used_flag": "1",
        "insutype": "310",
        "fulamt_ownpay_amt": "0",
        "overlmt_selfpay": "0",
        "preselfpay_amt": "0",
        "inscp_scp_amt": "0",
    }
