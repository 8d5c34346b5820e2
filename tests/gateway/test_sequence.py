"""The outpatient sequence as an institution plays it, from the look-up to the reversal."""

import datetime
from decimal import Decimal

from accounts.clock import today
from accounts.models import AuditEvent, Message
from gateway import answers
from gateway.enums import VisitState
from gateway.models import GatewayMessage, Visit
from gateway.queries.people import account_id_of, psn_no
from settlements.ledger import balances
from settlements.models import Settlement
from tests.gateway.identities import check_bill, check_line
from tests.gateway.world import DEAR_DRUG, DRUG, LUXURY, PART_DRUG, World, bill_input, credential, line, visit_input


def held(world: World) -> dict[str, Decimal]:
    ids = {name: account_id_of(getattr(world, name), world.region.code) for name in ("patient", "husband")}
    shown = balances(ids.values(), today())
    return {name: shown[account_id].total for name, account_id in ids.items()}


def test_a_bucket_that_the_year_end_emptied_is_told_to_the_fen() -> None:
    assert answers.buckets(Decimal(0), Decimal("12.5")) == '{"crtYearBalc":0.00,"calYearBalc":12.50}'


def test_from_look_up_to_reversal_with_the_familys_share(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    before = held(world)

    found = hospital.ok("1101", {"data": credential(patient)})
    assert found["baseinfo"]["psn_no"] == psn_no(patient)
    assert found["baseinfo"]["psn_name"] == "沈某宁"
    assert found["insuinfo"][0] | {"emp_name": ""} == {
        "balc": Decimal("150.00"), "insutype": "310", "psn_type": "11", "psn_insu_stas": "1",
        "psn_insu_date": "2020-01-01", "paus_insu_date": None, "cvlserv_flag": "0", "insuplc_admdvs": "310000",
        "emp_name": "",
    }  # fmt: skip
    assert found["baseinfo"]["exp_content"] == '{"crtYearBalc":100.00,"calYearBalc":50.00}'

    mdtrt_id = hospital.register(patient)
    assert Visit.objects.get().state == VisitState.REGISTERED
    lines = [
        line(patient, mdtrt_id, "1", DRUG, "10", "78.50"),
        line(patient, mdtrt_id, "2", PART_DRUG, "3", "15.05"),
        line(patient, mdtrt_id, "yp3", DEAR_DRUG, "2", "40.00"),
        line(patient, mdtrt_id, "4", LUXURY, "1", "99.90"),
        line(patient, mdtrt_id, "5", "NOBODY-KNOWS", "1", "10.00"),
    ]
    classified = hospital.ok("2204", {"feedetail": lines})["result"]
    for row in classified:
        check_line(row)
    assert [row["chrgitm_lv"] for row in classified] == ["01", "02", "02", "03", "03"]
    # 45.15 at 10 % up front; 80.00 with a limit of 30.00 a piece, then 20 % up front.
    assert [classified[1]["preselfpay_amt"], classified[1]["inscp_scp_amt"]] == [Decimal("4.52"), Decimal("40.63")]
    assert [classified[2]["overlmt_amt"], classified[2]["preselfpay_amt"]] == [Decimal("20.00"), Decimal("12.00")]
    assert classified[3]["fulamt_ownpay_amt"] == Decimal("99.90")

    total = Decimal("1020.05")
    quoted = hospital.ok("2206", {"data": bill_input(patient, mdtrt_id, total)})
    check_bill(quoted)
    assert Settlement.objects.count() == 0
    assert held(world) == before
    assert quoted["setlinfo"]["setl_time"] is None
    assert "setl_id" not in quoted["setlinfo"]

    settled = hospital.settle(patient, mdtrt_id, total, msgid="H0000000000120261121120000abcd")["output"]
    check_bill(settled)
    info = settled["setlinfo"]
    changing = {"setl_id", "setl_time", "medins_setl_id", "clr_way", "clr_optins"}
    assert {k: v for k, v in info.items() if k not in changing} == {
        k: v for k, v in quoted["setlinfo"].items() if k not in changing
    }
    assert info["medins_setl_id"] == "H0000000000120261121120000abcd"
    assert info["acct_mulaid_pay"] > 0
    assert info["pool_prop_selfpay"] == Decimal("0.7")
    working = {row["fund_pay_type"]: row["setl_proc_info"] for row in settled["setldetail"]}
    assert working.keys() == {"310100", "310200"}
    assert all(working.values())
    assert world.husband.name not in working["310200"]
    after = held(world)
    assert info["acct_mulaid_pay"] == before["husband"] - after["husband"]
    assert info["acct_pay"] - info["acct_mulaid_pay"] == before["patient"] - after["patient"]
    assert info["balc"] == after["patient"]
    assert info["exp_content"] == '{"crtYearBalc":0.00,"calYearBalc":0.00}'
    assert Visit.objects.get().state == VisitState.SETTLED
    assert Message.objects.filter(member=world.husband, kind="shared_use").exists()

    given = {"data": {"setl_id": info["setl_id"], "mdtrt_id": mdtrt_id, "psn_no": psn_no(patient)}}
    taken_back = hospital.ok("2208", given)
    check_bill(taken_back, sign=-1)
    back = taken_back["setlinfo"]
    assert back["setl_id"] != info["setl_id"]
    assert back["pdn_cash_pay"] == back["psn_cash_pay"] == -info["psn_cash_pay"]
    assert back["acct_mulaid_pay"] == -info["acct_mulaid_pay"]
    assert back["balc"] == before["patient"]
    assert held(world) == before
    assert Visit.objects.get().state == VisitState.REVERSED

    again = hospital.call("2208", given)
    assert again["infcode"] == -1
    assert again["err_msg"] == "FSI-该结算此前已撤销，无需再次撤销[duplicate]"
    # What was reversed can be settled anew.
    assert hospital.settle(patient, mdtrt_id, total)["infcode"] == 0
    assert set(GatewayMessage.objects.values_list("outcome", flat=True)) == {"ok", "duplicate"}


def test_the_member_can_see_that_an_institution_looked_him_up(world: World) -> None:
    world.hospital.ok("1101", {"data": credential(world.patient)})
    event = AuditEvent.objects.get(action="institution_look_up")
    assert event.member_id == world.patient.pk
    assert event.details["institution"] == "示例医院"


def test_account_use_flags(world: World) -> None:
    """0: cash; 1: own account and relatives; 2: relatives only."""
    patient, hospital = world.patient, world.hospital
    mdtrt_id = hospital.register(patient)
    hospital.ok("2204", {"feedetail": line(patient, mdtrt_id, "1", DRUG, "1", "400.00")})
    given = bill_input(patient, mdtrt_id, "400.00")
    paid = {
        flag: hospital.ok("2206", {"data": given | {"acct_used_flag": flag}})["setlinfo"] for flag in ("0", "1", "2")
    }
    assert paid["0"]["acct_pay"] == 0
    assert paid["0"]["psn_cash_pay"] == paid["0"]["psn_part_amt"]
    assert paid["1"]["acct_pay"] == 400
    assert paid["1"]["acct_mulaid_pay"] == 250
    assert paid["2"]["acct_pay"] == paid["2"]["acct_mulaid_pay"] == 400
    assert paid["2"]["balc"] == 150


def test_care_of_the_last_day_is_settled_and_nothing_after_it(world: World) -> None:
    world.patient.died_on = today()
    world.patient.save()
    mdtrt_id = world.hospital.register(world.patient)
    world.hospital.ok("2204", {"feedetail": [line(world.patient, mdtrt_id, "1", DRUG, "1", "40.00")]})
    assert world.hospital.settle(world.patient, mdtrt_id, Decimal("40.00"))["infcode"] == 0

    world.patient.died_on = today() - datetime.timedelta(days=1)
    world.patient.save()
    refused = world.hospital.call("2201", {"data": visit_input(world.patient)})
    assert refused["infcode"] != 0


def test_past_insurance_is_told_on_request(world: World) -> None:
    since = {"begntime": "2019-01-01 00:00:00"}
    rows = world.hospital.ok("1101", {"data": credential(world.patient) | since})["insuinfo"]
    assert [row["psn_insu_stas"] for row in rows] == ["1"]


def test_refusals_name_what_is_wrong(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = hospital.register(patient)

    def refused(infno: str, given: dict) -> str:
        answer = hospital.call(infno, given)
        assert answer["infcode"] == -1
        assert answer["output"] is None
        assert answer["inf_refmsgid"] is None
        return answer["err_msg"].rpartition("[")[2].rstrip("]")

    bill = bill_input(patient, mdtrt_id, "10.00")
    assert refused("2206", {"data": bill}) == "batch_empty"
    wrong = line(patient, mdtrt_id, "1", DRUG, "2", "5.00", det_item_fee_sumamt="10.01")
    assert refused("2204", {"feedetail": [wrong]}) == "line_amount"
    soon = f"{today() + datetime.timedelta(days=2)} 09:00:00"
    early = line(patient, mdtrt_id, "1", DRUG, "2", "5.00", fee_ocur_time=soon)
    assert refused("2204", {"feedetail": [early]}) == "line_later"
    good = line(patient, mdtrt_id, "1", DRUG, "2", "5.00")
    assert refused("2204", {"feedetail": [good, good]}) == "line_repeated"
    hospital.ok("2204", {"feedetail": [good]})
    assert refused("2204", {"feedetail": [good]}) == "line_repeated"
    assert refused("2206", {"data": bill | {"medfee_sumamt": "11.00"}}) == "total_other"
    assert refused("2206", {"data": bill | {"med_type": "14"}}) == "med_type_unsupported"
    assert refused("2206", {"data": bill | {"med_type": "41"}}) == "med_type_unsupported"
    assert refused("2206", {"data": bill | {"insutype": "390"}}) == "insutype_other"
    assert refused("2206", {"data": bill | credential(world.husband)}) == "person_unknown"
    assert refused("2206", {"data": bill | {"psn_no": psn_no(world.husband)}}) == "visit_unknown"
    assert refused("2206", {"data": bill | {"mdtrt_id": "999"}}) == "visit_unknown"
    assert refused("2208", {"data": bill | {"setl_id": "999"}}) == "settlement_unknown"
    assert refused("1101", {"data": credential(patient) | {"psn_name": "别人"}}) == "person_unknown"
    assert refused("1101", {"data": {"mdtrt_cert_type": "01", "mdtrt_cert_no": "token"}}) == "credential_unsupported"
    assert hospital.settle(patient, mdtrt_id, Decimal("10.00"))["infcode"] == 0
    assert refused("2207", {"data": bill}) == "batch_settled"
    assert refused("2204", {"feedetail": [good | {"feedetl_sn": "2"}]}) == "batch_settled"


def test_a_line_that_the_hospital_refused_is_the_patients_own(world: World) -> None:
    mdtrt_id = world.hospital.register(world.patient)
    given = line(world.patient, mdtrt_id, "1", DRUG, "1", "20.00", hosp_appr_flag="2")
    row = world.hospital.ok("2204", {"feedetail": given})["result"][0]
    assert row["fulamt_ownpay_amt"] == Decimal("20.00")
    assert row["chrgitm_lv"] == "03"
