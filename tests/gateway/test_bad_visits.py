"""What is wrong with a visit is answered in the envelope with the field named, and nothing is written."""

import datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.clock import now, today
from accounts.models import Member
from gateway.actions.visits import MOST_LINES
from gateway.models import FeeLine, InstitutionSettings, Visit
from gateway.queries.people import psn_no
from settlements.models import Settlement
from tests.gateway.world import DRUG, World, bill_input, line, make_hospital, visit_input
from tests.people import make_institution, make_member, make_region


def err_msg(world: World, infno: str, given: dict[str, Any], **envelope: str) -> str:
    before = (Visit.objects.count(), FeeLine.objects.count(), Settlement.objects.count())
    answer = world.hospital.call(infno, given, **envelope)
    assert (answer["infcode"], answer["output"]) == (-1, None)
    assert (Visit.objects.count(), FeeLine.objects.count(), Settlement.objects.count()) == before
    return answer["err_msg"]


@pytest.mark.parametrize(
    ("changed", "code", "named"),
    [
        ({"cnt": "-1"}, "field_format", "feedetail[0].cnt"),
        ({"pric": "-5.00"}, "field_format", "feedetail[0].pric"),
        ({"det_item_fee_sumamt": "10.01"}, "line_amount", "det_item_fee_sumamt"),
        ({"det_item_fee_sumamt": "9.99"}, "line_amount", "det_item_fee_sumamt"),
        ({"cnt": "0", "det_item_fee_sumamt": "0"}, "line_quantity", "cnt"),
        ({"fee_ocur_time": f"{today() + datetime.timedelta(days=1)} 12:00:00"}, "line_later", "fee_ocur_time"),
        ({"fee_ocur_time": "2009-03-01 09:00:00"}, "line_early", "fee_ocur_time"),
        ({"fee_ocur_time": f"{today() - datetime.timedelta(days=2)} 23:59:59"}, "line_early", f"{today()}"),
        ({"rx_circ_flag": "7"}, "field_code", "rx_circ_flag"),
        ({"hosp_appr_flag": "9"}, "field_code", "hosp_appr_flag"),
        ({"fee_ocur_time": "2026-13-01 00:00:00"}, "field_format", "fee_ocur_time"),
    ],
)
def test_a_line(world: World, changed: dict[str, str], code: str, named: str) -> None:
    mdtrt_id = world.hospital.register(world.patient)
    bad = line(world.patient, mdtrt_id, "1", DRUG, "2", "5.00") | changed
    text = err_msg(world, "2204", {"feedetail": [bad]})
    assert text.endswith(f"[{code}]")
    assert named in text


def test_a_night_that_is_registered_after_midnight(world: World) -> None:
    mdtrt_id = world.hospital.register(world.patient)
    evening = f"{today() - datetime.timedelta(days=1)} 23:40:00"
    given = line(world.patient, mdtrt_id, "1", DRUG, "2", "5.00", fee_ocur_time=evening)
    assert len(world.hospital.ok("2204", {"feedetail": [given]})["result"]) == 1


def test_too_many_lines_are_sent_back_at_once(world: World) -> None:
    mdtrt_id = world.hospital.register(world.patient)
    rows = [line(world.patient, mdtrt_id, str(n), DRUG, "1", "1.00") for n in range(5000)]
    assert err_msg(world, "2204", {"feedetail": rows}).endswith("[body_too_large]")
    text = err_msg(world, "2204", {"feedetail": rows[: MOST_LINES + 1]})
    assert text.endswith("[lines_too_many]")
    assert "feedetail" in text
    assert str(MOST_LINES) in text
    assert len(world.hospital.ok("2204", {"feedetail": rows[:MOST_LINES]})["result"]) == MOST_LINES


def test_another_hospitals_visit_in_every_transaction_that_names_one(world: World) -> None:
    mdtrt_id = make_hospital(world.region, "另一医院").register(world.patient)
    who = {"mdtrt_id": mdtrt_id, "psn_no": psn_no(world.patient)}
    diagnosis = {
        "diag_type": "1", "diag_srt_no": "1", "diag_code": "R05", "diag_name": "咳嗽", "diag_dept": "A03",
        "dise_dor_no": "D1", "dise_dor_name": "某医生", "diag_time": f"{today()} 00:00:01", "vali_flag": "1",
    }  # fmt: skip
    seen = who | {"med_type": "11", "begntime": f"{today()} 00:00:01", "dise_codg": "R05", "dise_name": "咳嗽"}
    for infno, given in {
        "2202": {"data": who | {"ipt_otp_no": "M1"}},
        "2203": {"mdtrtinfo": seen, "diseinfo": [diagnosis]},
        "2204": {"feedetail": line(world.patient, mdtrt_id, "1", DRUG, "1", "1.00")},
        "2205": {"data": who | {"chrg_bchno": "0000"}},
        "2206": {"data": bill_input(world.patient, mdtrt_id, "1.00")},
        "2207": {"data": bill_input(world.patient, mdtrt_id, "1.00")},
        "2208": {"data": who | {"setl_id": "1"}},
        "2103": {"data": who | {"setl_id": "1"}},
    }.items():
        assert err_msg(world, infno, given).endswith("[visit_unknown]"), infno


def test_a_settled_batch_is_closed(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = hospital.register(patient)
    hospital.ok("2204", {"feedetail": line(patient, mdtrt_id, "1", DRUG, "1", "40.00")})
    assert hospital.settle(patient, mdtrt_id, Decimal("40.00"))["infcode"] == 0
    assert err_msg(world, "2207", {"data": bill_input(patient, mdtrt_id, "40.00")}).endswith("[batch_settled]")
    more = line(patient, mdtrt_id, "2", DRUG, "1", "1.00")
    assert err_msg(world, "2204", {"feedetail": more}).endswith("[batch_settled]")


def test_when_a_visit_begins(world: World) -> None:
    soon = f"{today() + datetime.timedelta(days=1)} 09:00:00"
    text = err_msg(world, "2201", {"data": visit_input(world.patient) | {"begntime": soon}})
    assert text.endswith("[begun_later]")
    assert "begntime" in text


def test_what_a_clock_that_runs_ahead_dates_after_midnight_is_care_of_today(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = hospital.register(patient)
    hospital.ok("2204", {"feedetail": line(patient, mdtrt_id, "1", DRUG, "1", "40.00")})
    Visit.objects.update(begun_at=now() + datetime.timedelta(days=1))
    hospital.ok("2206", {"data": bill_input(patient, mdtrt_id, "40.00")})
    assert hospital.settle(patient, mdtrt_id, Decimal("40.00"))["infcode"] == 0
    assert Settlement.objects.get().service_on == today()


def enrolled(member: Member, **changed: Any) -> None:
    member.enrolments.update(**changed)


def test_who_may_have_a_visit(world: World) -> None:
    patient, given = world.patient, {"data": visit_input(world.patient)}
    enrolled(patient, status="closed")
    assert err_msg(world, "2201", given).endswith("[insurance_ended]")
    enrolled(patient, status="normal")
    patient.died_on = today() - datetime.timedelta(days=1)
    patient.save()
    assert err_msg(world, "2201", given).endswith("[not_insured]")
    patient.died_on = None
    patient.save()
    wrong = err_msg(world, "2201", {"data": given["data"] | {"insutype": "390"}})
    assert wrong.endswith("[insutype_not_his]")
    assert "insutype" in wrong.partition("[")[0]
    assert err_msg(world, "2201", {"data": given["data"] | {"insutype": "999"}}).endswith("]")


def test_a_suspended_patient_is_paid_for_by_his_account_alone(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    enrolled(patient, status="suspended")
    rows = {row["fund_pay_type"]: row for row in checked(world)}
    assert rows["310100"]["trt_enjymnt_flag"] == "0"
    assert rows["310100"]["trt_chk_rslt"]
    assert rows["310200"]["trt_enjymnt_flag"] == "1"
    mdtrt_id = hospital.register(patient)
    hospital.ok("2204", {"feedetail": line(patient, mdtrt_id, "1", DRUG, "1", "900.00")})
    info = hospital.settle(patient, mdtrt_id, Decimal("900.00"))["output"]["setlinfo"]
    assert info["fund_pay_sumamt"] == 0


def checked(world: World, **changed: str) -> list[dict[str, Any]]:
    given = {
        "psn_no": psn_no(world.patient), "insutype": "310", "fixmedins_code": world.hospital.institution.code,
        "med_type": "11", "begntime": f"{today()} 08:00:00",
    }  # fmt: skip
    return world.hospital.ok("2001", {"data": given | changed})["trtinfo"]


def test_which_funds_would_pay(world: World) -> None:
    rows = {row["fund_pay_type"]: row for row in checked(world)}
    assert {fund: row["trt_enjymnt_flag"] for fund, row in rows.items()} == {"310100": "1", "310200": "1"} | (
        {"330100": "1"} if "330100" in rows else {}
    )
    assert rows["310100"]["begndate"] == "2020-01-01"
    assert {row["trt_enjymnt_flag"] for row in checked(world, insutype="390") if row["trt_chk_rslt"]} == {"0"}
    assert {row["trt_enjymnt_flag"] for row in checked(world, med_type="14") if row["fund_pay_type"] == "310100"} == {
        "0"
    }
    given = {
        "psn_no": "0", "insutype": "310", "fixmedins_code": world.hospital.institution.code, "med_type": "11",
        "begntime": f"{today()} 08:00:00",
    }  # fmt: skip
    assert err_msg(world, "2001", {"data": given}).endswith("[person_unknown]")


def test_institutions_are_found_by_code_or_name(world: World) -> None:
    make_institution("示例药店", region=world.region, kind="pharmacy")
    code = world.hospital.institution.code
    by_code = world.hospital.ok("1201", {"medinsinfo": {"fixmedins_type": "1", "fixmedins_code": code}})["medinsinfo"]
    assert [(row["fixmedins_code"], row["fixmedins_name"], row["hosp_lv"]) for row in by_code] == [
        (code, "示例医院", "3")
    ]
    by_name = world.hospital.ok("1201", {"medinsinfo": {"fixmedins_type": "2", "fixmedins_name": "示例"}})
    assert [(row["fixmedins_name"], row["hosp_lv"]) for row in by_name["medinsinfo"]] == [("示例药店", None)]
    assert world.hospital.ok("1201", {"medinsinfo": {"fixmedins_type": "2", "fixmedins_code": code}}) == {
        "medinsinfo": []
    }
    assert "fixmedins_code" in err_msg(world, "1201", {"medinsinfo": {"fixmedins_type": "1"}})
    # Programs send their own code with the name as they have it, which need not be ours.
    both = {"fixmedins_type": "1", "fixmedins_code": code, "fixmedins_name": "第一人民医院"}
    assert world.hospital.ok("1201", {"medinsinfo": both})["medinsinfo"] == by_code


def test_the_place_of_insurance_is_held_against_the_register(world: World) -> None:
    """Empty, the region or a district of it are the same; another region that is here is not his; others are not here."""
    hospital, patient = world.hospital, world.patient
    given = {"data": visit_input(patient)}
    make_region("110000")
    for place in ("", "310000", "310101"):
        assert hospital.call("2201", given, insuplc_admdvs=place)["infcode"] == 0
    assert err_msg(world, "2201", given, insuplc_admdvs="110101").endswith("[insuplc_other]")
    text = err_msg(world, "2201", given, insuplc_admdvs="460100")
    assert text.endswith("[insuplc_not_held]")
    assert "460100" in text
    # A part of a code, and what only begins like one, is no place.
    for place in ("31", "31000", "31ABCD"):
        assert err_msg(world, "2201", given, insuplc_admdvs=place).endswith("[insuplc_not_held]")
    mdtrt_id = hospital.register(patient)
    hospital.ok("2204", {"feedetail": line(patient, mdtrt_id, "1", DRUG, "1", "40.00")})
    bill = {"data": bill_input(patient, mdtrt_id, "40.00")}
    assert err_msg(world, "2207", bill, insuplc_admdvs="110000").endswith("[insuplc_other]")
    assert hospital.call("2207", bill, insuplc_admdvs="310115")["infcode"] == 0


def test_somebody_insured_in_another_region_is_settled_by_its_rules(world: World) -> None:
    """The place of treatment is here, the benefits are those of the place of insurance: one without a scheme refuses."""
    elsewhere = make_member("乔某", datetime.date(1980, 1, 1), region=make_region("110000"))
    mdtrt_id = world.hospital.ok("2201", {"data": visit_input(elsewhere)})["data"]["mdtrt_id"]
    assert Visit.objects.get(mdtrt_id=mdtrt_id).region_id == "110000"
    world.hospital.ok("2204", {"feedetail": line(elsewhere, mdtrt_id, "1", DRUG, "1", "40.00")})
    text = world.hospital.settle(elsewhere, mdtrt_id, Decimal("40.00"))["err_msg"]
    assert text.endswith("[not_covered]")
    assert "请按自费收费，并请患者保留票据" in text


def test_a_resident_whose_benefits_are_not_known_is_told_what_to_do(world: World) -> None:
    clinic = make_hospital(world.region, "某诊所", level="primary")
    neighbour = make_member(region=world.region, insurance="resident")
    mdtrt_id = clinic.ok("2201", {"data": visit_input(neighbour) | {"insutype": "390"}})["data"]["mdtrt_id"]
    clinic.ok("2204", {"feedetail": line(neighbour, mdtrt_id, "1", DRUG, "1", "40.00")})
    for infno in ("2206", "2207"):
        text = clinic.call(infno, {"data": bill_input(neighbour, mdtrt_id, "40.00") | {"insutype": "390"}})["err_msg"]
        assert "请按自费收费，并请患者保留票据" in text
        assert text.endswith("[not_covered]")


def test_what_the_account_flag_means_is_set_for_an_institution(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = hospital.register(patient)
    hospital.ok("2204", {"feedetail": line(patient, mdtrt_id, "1", DRUG, "1", "400.00")})
    InstitutionSettings.objects.create(institution=hospital.institution, one_is_own=True)
    given = bill_input(patient, mdtrt_id, "400.00")
    paid = {
        flag: hospital.ok("2206", {"data": given | {"acct_used_flag": flag}})["setlinfo"] for flag in ("0", "1", "2")
    }
    assert {flag: (info["acct_pay"], info["acct_mulaid_pay"]) for flag, info in paid.items()} == {
        "0": (0, 0), "1": (150, 0), "2": (400, 250)
    }  # fmt: skip
