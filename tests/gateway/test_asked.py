"""What institutions ask: their own visits, bills and beds; and what a person has used, of which he hears."""

import datetime
from decimal import Decimal

from accounts.clock import today
from accounts.models import AuditEvent
from gateway.actions.bodies import delete_old
from gateway.models import VisitSettlement
from gateway.queries.people import psn_no
from tests.gateway.stays import admission, admit, ago, bill, diagnosis, fee, leaving, named, refused
from tests.gateway.world import DRUG, LUXURY, PART_DRUG, World, bill_input, line, make_hospital
from tests.people import make_member


def settled_visit(world: World, total: str = "400.00", msgid: str = "") -> tuple[str, dict]:
    """An outpatient bill; its visit and its setlinfo."""
    hospital, patient = world.hospital, world.patient
    mdtrt_id = hospital.register(patient)
    hospital.ok("2204", {"feedetail": line(patient, mdtrt_id, "1", DRUG, "1", total)})
    given = {"data": bill_input(patient, mdtrt_id, total)}
    return mdtrt_id, hospital.ok("2207", given, msgid=msgid)["setlinfo"]


def asked(world: World, **changed) -> dict:
    """The input of 5201."""
    period = {"begntime": f"{ago(30)} 00:00:00", "endtime": f"{today()}", "med_type": "11"}
    return {"data": {"psn_no": psn_no(world.patient), **period} | changed}


def test_visits_and_stays_of_a_person_here(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    assert hospital.ok("5201", asked(world)) == {"mdtrtinfo": []}
    visit, _ = settled_visit(world)
    hospital.register(patient)
    stay = admit(hospital, patient)
    hospital.ok("2402", leaving(patient, stay))
    rows = hospital.ok("5201", asked(world))["mdtrtinfo"]
    assert len(rows) == 2
    assert [row["mdtrt_id"] for row in rows if row["endtime"]] == [visit]
    (row,) = hospital.ok("5201", asked(world, med_type="21"))["mdtrtinfo"]
    assert row["mdtrt_id"] == stay
    assert row["begntime"] == f"{ago(10)} 09:30:00"
    assert row["endtime"] == f"{ago(3)} 15:00:00"
    assert (row["inhosp_stas"], row["ipt_days"], row["adm_bed"], row["dscg_way"]) == ("0", 7, "12", "1")
    assert (row["coner_name"], row["psn_type"], row["insutype"]) == ("方某", "11", "310")
    (row,) = hospital.ok("5201", asked(world, mdtrt_id=visit))["mdtrtinfo"]
    assert row["inhosp_stas"] is None
    # A day as the end of a time is meant whole.
    assert hospital.ok("5201", asked(world, med_type="21", endtime=f"{ago(10)}"))["mdtrtinfo"]
    assert not hospital.ok("5201", asked(world, med_type="21", endtime=f"{ago(11)}"))["mdtrtinfo"]
    assert refused(hospital, "5201", asked(world, endtime=f"{ago(31)}")) == "range_backwards"
    assert refused(hospital, "5201", asked(world, psn_no="0" * 25)) == "person_unknown"
    assert make_hospital(world.region, "另一医院").ok("5201", asked(world)) == {"mdtrtinfo": []}


def test_what_a_stay_was_for_is_what_the_discharge_said(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    stay = admit(hospital, patient, dise_codg="D1", dise_name="待查", main_cond_dscr="发热")
    hospital.ok("2402", leaving(patient, stay, dise_codg="D2", dise_name="肺炎"))
    (row,) = hospital.ok("5201", asked(world, med_type="21"))["mdtrtinfo"]
    assert (row["dise_codg"], row["dise_name"], row["main_cond_dscr"]) == ("D2", "肺炎", "发热")
    hospital.ok("2405", named(patient, stay))
    (row,) = hospital.ok("5201", asked(world, med_type="21"))["mdtrtinfo"]
    assert row["dise_codg"] == "D1"


def test_a_settlement_is_told_with_its_invoice_and_what_it_was_for(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    stay = admit(hospital, patient, dise_codg="D1", dise_name="待查")
    hospital.ok("2301", {"feedetail": [fee(patient, stay, "1", DRUG, "1", "60.00")]})
    hospital.ok("2402", leaving(patient, stay, dise_codg="D2", dise_name="肺炎"))
    setl_id = hospital.ok("2304", bill(patient, stay, "60.00", invono="FP0001"))["setlinfo"]["setl_id"]
    found = hospital.ok("5203", named(patient, stay, setl_id=setl_id))["setlinfo"]
    assert (found["invono"], found["dise_codg"], found["dise_name"]) == ("FP0001", "D2", "肺炎")
    back = hospital.ok("2305", named(patient, stay, setl_id=setl_id))["setlinfo"]["setl_id"]
    assert hospital.ok("5203", named(patient, stay, setl_id=back))["setlinfo"]["invono"] == "FP0001"
    delete_old(days=-1)
    assert hospital.ok("5203", named(patient, stay, setl_id=setl_id))["setlinfo"]["invono"] is None


def test_a_stay_over_the_end_of_the_benefit_year_is_said_to_be_one(world: World) -> None:
    """Shanghai's begins on 1 July."""
    hospital, patient = world.hospital, world.patient
    year = today().year if today() > datetime.date(today().year, 7, 1) else today().year - 1
    for number, (begun, ended) in enumerate([((6, 20), (6, 29)), ((6, 30), (7, 1))]):
        first, last = (datetime.date(year, *day) for day in (begun, ended))
        at_the_time = {"diag_time": f"{first} 10:00:00"}
        given = admission(patient, first, ipt_no=f"ZY{number}")
        given["diseinfo"] = [diagnosis(patient, **at_the_time)]
        stay = hospital.ok("2401", given)["result"]["mdtrt_id"]
        hospital.ok("2402", leaving(patient, stay, last) | {"diseinfo": []})
    period = {"begntime": f"{year}-06-01", "endtime": f"{year}-07-31", "med_type": "21"}
    rows = hospital.ok("5201", asked(world, **period))["mdtrtinfo"]
    assert [row["ars_year_ipt_flag"] for row in rows] == ["0", "1"]


def test_more_rows_than_an_answer_holds_are_asked_for_in_pieces(world: World, monkeypatch) -> None:
    monkeypatch.setattr("gateway.actions.asked_visits.MOST_ROWS", 1)
    world.hospital.register(world.patient)
    assert len(world.hospital.ok("5201", asked(world))["mdtrtinfo"]) == 1
    world.hospital.register(world.patient)
    assert refused(world.hospital, "5201", asked(world)) == "too_many_rows"


def test_diagnoses_of_a_stay(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = admit(hospital, patient)
    hospital.ok("2402", leaving(patient, mdtrt_id))
    rows = hospital.ok("5202", named(patient, mdtrt_id))["diseinfo"]
    told = [(row["inout_diag_type"], row["diag_code"], row["maindiag_flag"]) for row in rows]
    assert told == [("1", "J18.900", "1"), ("1", "I10.x00", "0"), ("2", "J15.900", "1")]
    assert rows[0]["adm_cond"] == "一般"
    assert hospital.ok("5202", named(patient, hospital.register(patient))) == {"diseinfo": []}
    other = make_hospital(world.region, "另一医院")
    assert refused(other, "5202", named(patient, mdtrt_id)) == "visit_unknown"


def test_a_settlement_is_told_as_it_was_and_its_reversal_too(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id, info = settled_visit(world)
    settled_visit(world)
    asked_for = named(patient, mdtrt_id, setl_id=info["setl_id"])
    told = hospital.ok("5203", asked_for)
    row = told["setlinfo"]
    same = ("medfee_sumamt", "hifp_pay", "acct_pay", "acct_mulaid_pay", "balc", "inscp_scp_amt", "act_pay_dedc")
    assert {name: row[name] for name in same} == {name: info[name] for name in same}
    assert row["psn_pay"] == info["psn_part_amt"] == row["acct_pay"] + row["cash_payamt"]
    assert row["medfee_sumamt"] == row["fund_pay_sumamt"] + row["psn_pay"]
    assert (row["refd_setl_flag"], row["medins_setl_id"]) == ("0", info["medins_setl_id"])
    assert row["fixmedins_code"] == hospital.institution.code
    assert sum(one["fund_payamt"] for one in told["setldetail"]) == row["medfee_sumamt"] - row["cash_payamt"]

    back = hospital.ok("2208", asked_for)["setlinfo"]
    assert hospital.ok("5203", asked_for)["setlinfo"] | {"refd_setl_flag": "0"} == row
    again = hospital.ok("5203", named(patient, mdtrt_id, setl_id=back["setl_id"]))["setlinfo"]
    assert {name: again[name] for name in same} == {name: back[name] for name in same}
    assert again["refd_setl_flag"] == "1"
    assert refused(hospital, "5203", named(patient, mdtrt_id, setl_id="999")) == "settlement_unknown"
    other = make_hospital(world.region, "另一医院")
    assert refused(other, "5203", asked_for) == "visit_unknown"


def test_parts_of_a_settlement_whose_lines_were_taken_back_since_still_add_up(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = admit(hospital, patient)
    hospital.ok("2301", {"feedetail": fee(patient, mdtrt_id, "1", LUXURY, "1", "99.90")})
    hospital.ok("2402", leaving(patient, mdtrt_id))
    info = hospital.ok("2304", bill(patient, mdtrt_id, "99.90"))["setlinfo"]
    asked_for = named(patient, mdtrt_id, setl_id=info["setl_id"])
    hospital.ok("2305", asked_for)
    hospital.ok("2302", {"data": named(patient, mdtrt_id, feedetl_sn="0000")["data"]})
    hospital.ok("2301", {"feedetail": fee(patient, mdtrt_id, "2", DRUG, "1", "5.00")})
    row = hospital.ok("5203", asked_for)["setlinfo"]
    split = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
    assert sum(row[name] for name in split) == row["medfee_sumamt"] == Decimal("99.90")


def test_lines_of_a_settlement_are_a_bare_list(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = admit(hospital, patient)
    rows = [
        fee(patient, mdtrt_id, "1", PART_DRUG, "2", "10.00"),
        fee(patient, mdtrt_id, "2", "NOBODY-KNOWS", "1", "5.00"),
    ]
    hospital.ok("2301", {"feedetail": rows})
    hospital.ok("2402", leaving(patient, mdtrt_id))
    setl_id = hospital.ok("2304", bill(patient, mdtrt_id, "25.00"))["setlinfo"]["setl_id"]
    told = hospital.ok("5204", named(patient, mdtrt_id, setl_id=setl_id))
    assert [(row["feedetl_sn"], row["setl_id"], row["med_type"]) for row in told] == [
        ("1", setl_id, "21"),
        ("2", setl_id, "21"),
    ]
    assert [(row["hilist_name"], row["list_type"], row["chrgitm_lv"]) for row in told] == [
        (PART_DRUG, "101", "02"),
        ("NOBODY-KNOWS", "201", "03"),
    ]
    assert told[0]["preselfpay_amt"] == 2
    # The text wants a value; nothing is no value, but null would be none either.
    assert {row["dosform_name"] for row in told} == {""}
    assert {row["spec"] for row in told} == {None}


def test_what_a_person_has_used_of_the_year(world: World) -> None:
    hospital = world.hospital
    who = {"data": {"psn_no": psn_no(world.patient)}}
    assert hospital.ok("5206", who) == {"cuminfo": []}
    _, info = settled_visit(world, "900.00")
    rows = {row["cum_type_code"]: row for row in hospital.ok("5206", who)["cuminfo"]}
    assert rows["FUND"]["cum"] == info["hifp_pay"] > 0
    assert rows["OTP_DEDC"]["cum"] == info["act_pay_dedc"] == 500
    assert rows["FUND"]["cum_ym"] == f"{today():%Y%m}"
    assert rows.keys() == {"FUND", "OTP_DEDC"}, "what the husband's account paid is told to nobody"
    last_year = today().replace(day=1) - datetime.timedelta(days=400)
    assert hospital.ok("5206", {"data": who["data"] | {"cum_ym": f"{last_year:%Y%m}"}}) == {"cuminfo": []}
    for month, code in (("299912", "field_format"), ("209901", "time_later"), ("202613", "field_format")):
        assert refused(hospital, "5206", {"data": who["data"] | {"cum_ym": month}}) == code
    assert AuditEvent.objects.filter(action="institution_look_up", member_id=world.patient.pk).count() == 3


def test_filings_and_the_signed_institution(world: World) -> None:
    hospital, who = world.hospital, {"psn_no": psn_no(world.patient)}
    assert hospital.ok("5301", {"data": who}) == {"feedetail": []}
    assert hospital.ok("5302", {"data": who | {"biz_appy_type": "03"}}) == {"psnfixmedin": []}
    world.patient.enrolments.update(signed_institution=hospital.institution)
    (row,) = hospital.ok("5302", {"data": who | {"biz_appy_type": "03"}})["psnfixmedin"]
    assert (row["fixmedins_code"], row["begndate"], row["enddate"]) == (hospital.institution.code, "2020-01-01", None)
    assert refused(hospital, "5301", {"data": {"psn_no": "X"}}) == "person_unknown"


def test_medicines_for_a_chronic_disease_wherever_they_were_settled(world: World) -> None:
    other = make_hospital(world.region, "另一医院")
    # To the day's end: the line is of nine o'clock, whenever this runs.
    given = {"data": {"psn_no": psn_no(world.patient), "begntime": f"{ago(30)}", "endtime": f"{today()}"}}
    settled_visit(world)
    assert other.ok("5205", given) == {"feedetail": []}
    # Bills of this category are refused today; those that were settled under it once are told.
    VisitSettlement.objects.update(med_type="14")
    (row,) = other.ok("5205", given)["feedetail"]
    assert (row["fixmedins_code"], row["med_list_codg"]) == (world.hospital.institution.code, DRUG)
    assert AuditEvent.objects.filter(action="institution_look_up", member_id=world.patient.pk).count() == 2


def test_who_is_in_hospital(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    period = {"begntime": f"{ago(30)} 00:00:00", "endtime": f"{today()} 23:59:59"}
    assert hospital.ok("5303", {"data": period | {"psn_no": ""}}) == {"data": []}
    mdtrt_id = admit(hospital, patient)
    neighbour = make_member("陆某川", region=world.region)
    second = admit(hospital, neighbour, ago(2))
    rows = hospital.ok("5303", {"data": period})["data"]
    assert [(row["mdtrt_id"], row["begndate"], row["out_flag"]) for row in rows] == [
        (mdtrt_id, f"{ago(10)}", "0"),
        (second, f"{ago(2)}", "0"),
    ]
    assert len(hospital.ok("5303", {"data": period | {"psn_no": psn_no(neighbour)}})["data"]) == 1
    hospital.ok("2402", leaving(patient, mdtrt_id))
    assert [row["mdtrt_id"] for row in hospital.ok("5303", {"data": period})["data"]] == [second]
    other = make_hospital(world.region, "另一医院")
    assert other.ok("5303", {"data": period | {"psn_no": psn_no(neighbour)}}) == {"data": []}
