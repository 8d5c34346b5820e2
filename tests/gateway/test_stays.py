"""Inpatient bills as an institution plays them: admission, lines, quote, discharge, settlement, and all the way back."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.clock import today
from accounts.models import Region
from gateway.domain.stating import stated
from gateway.domain.staying import Where
from gateway.models import FeeLine, Stay, Visit, VisitSettlement
from gateway.queries.people import account_id_of, psn_no
from settlements.actions.regions import load
from settlements.ledger import balances
from settlements.models import CatalogueItem, Settlement
from tests.gateway.identities import check_bill, check_line
from tests.gateway.stays import admission, admit, ago, bill, diagnosis, fee, leaving, named, refused
from tests.gateway.world import DEAR_DRUG, DRUG, LUXURY, PART_DRUG, World, bill_input, make_hospital
from tests.gateway.world import line as outpatient_line
from tests.people import make_member


def held(world: World) -> list[Decimal]:
    ids = [account_id_of(member, world.region.code) for member in (world.patient, world.husband)]
    shown = balances(ids, today())
    return [shown[account_id].total for account_id in ids]


def where() -> str:
    return Stay.objects.get().state


def test_a_stay_from_the_admission_to_the_settlement_and_back(world: World) -> None:
    hospital, patient, before = world.hospital, world.patient, held(world)
    mdtrt_id = admit(hospital, patient)
    lines = [
        fee(patient, mdtrt_id, "1", DRUG, "10", "785.00"),
        fee(patient, mdtrt_id, "2", PART_DRUG, "3", "15.05"),
        fee(patient, mdtrt_id, "3", DEAR_DRUG, "2", "40.00"),
        fee(patient, mdtrt_id, "4", LUXURY, "1", "99.90"),
    ]
    for row in hospital.ok("2301", {"feedetail": lines})["result"]:
        check_line(row)
    total = Decimal("8075.05")

    quoted = hospital.ok("2303", bill(patient, mdtrt_id, total))
    check_bill(quoted)
    assert Settlement.objects.count() == 0
    assert held(world) == before
    assert refused(hospital, "2304", bill(patient, mdtrt_id, total)) == "not_discharged"

    hospital.ok("2402", leaving(patient, mdtrt_id))
    assert where() == Where.DISCHARGED
    settled = hospital.ok("2304", bill(patient, mdtrt_id, total, dscgTime=f"{ago(3)}"))
    check_bill(settled)
    info = settled["setlinfo"]
    changing = {"setl_id", "setl_time", "medins_setl_id", "clr_way", "clr_optins"}
    assert {k: v for k, v in info.items() if k not in changing} == {
        k: v for k, v in quoted["setlinfo"].items() if k not in changing
    }
    # Once a benefit year 1,500 are borne, then the fund pays 85 percent of what is in scope.
    assert info["act_pay_dedc"] == 1500
    assert info["hifp_pay"] == ((info["inscp_scp_amt"] - 1500) * Decimal("0.85")).quantize(Decimal("0.01"))
    assert (info["clr_type"], info["med_type"]) == ("21", "21")
    assert info["acct_mulaid_pay"] == before[1] - held(world)[1] > 0
    assert info["balc"] == held(world)[0]
    assert Settlement.objects.get().service_on == ago(3)
    assert where() == Where.SETTLED

    for infno, given in (
        ("2402", leaving(patient, mdtrt_id)),
        ("2405", named(patient, mdtrt_id)),
        ("2404", named(patient, mdtrt_id)),
        ("2303", bill(patient, mdtrt_id, total)),
        ("2302", {"data": [named(patient, mdtrt_id, feedetl_sn="0000")["data"]]}),
    ):
        assert refused(hospital, infno, given) == "stay_settled", infno

    back = hospital.ok("2305", named(patient, mdtrt_id, setl_id=info["setl_id"]))
    check_bill(back, sign=-1)
    assert back["setlinfo"]["setl_id"] != info["setl_id"]
    assert back["setlinfo"]["begndate"] == f"{ago(10)}"
    assert back["setlinfo"]["enddate"] == f"{ago(3)}"
    for name in ("medfee_sumamt", "hifp_pay", "acct_pay", "acct_mulaid_pay", "psn_cash_pay", "act_pay_dedc"):
        assert back["setlinfo"][name] == -info[name]
    assert held(world) == before
    assert where() == Where.DISCHARGED
    assert refused(hospital, "2305", named(patient, mdtrt_id, setl_id=info["setl_id"])) == "duplicate"

    assert refused(hospital, "2404", named(patient, mdtrt_id)) == "stay_discharged"
    hospital.ok("2405", named(patient, mdtrt_id))
    assert where() == Where.ADMITTED
    assert refused(hospital, "2405", named(patient, mdtrt_id)) == "discharge_unknown"
    hospital.ok("2404", named(patient, mdtrt_id))
    assert where() == Where.CANCELLED
    assert Visit.objects.get().ended == "cancelled"
    assert refused(hospital, "2301", {"feedetail": lines}) == "stay_cancelled"
    admit(hospital, patient)


def test_the_same_msgid_settles_once(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = admit(hospital, patient)
    hospital.ok("2301", {"feedetail": fee(patient, mdtrt_id, "1", DRUG, "1", "100.00")})
    hospital.ok("2402", leaving(patient, mdtrt_id))
    first = hospital.call("2304", bill(patient, mdtrt_id, "100.00"), msgid="H0000000000120261122120000abcd")
    again = hospital.call("2304", bill(patient, mdtrt_id, "100.00"), msgid="H0000000000120261122120000abcd")
    assert first == again
    assert first["infcode"] == 0
    assert Settlement.objects.count() == 1


def test_a_stay_goes_back_though_the_patient_turned_out_not_to_have_been_insured(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = admit(hospital, patient)
    hospital.ok("2301", {"feedetail": fee(patient, mdtrt_id, "1", DRUG, "1", "100.00")})
    hospital.ok("2402", leaving(patient, mdtrt_id))
    setl_id = hospital.ok("2304", bill(patient, mdtrt_id, "100.00"))["setlinfo"]["setl_id"]
    patient.enrolments.update(valid_from=today())
    hospital.ok("2305", named(patient, mdtrt_id, setl_id=setl_id))
    assert Settlement.objects.get().reversed_on == today()


def test_year_and_rules_are_those_of_the_discharge(world: World) -> None:
    """Shanghai's year begins on 1 July; a stay over it counts in the year in which it ended."""
    hospital, patient = world.hospital, world.patient
    begun, ended = today().replace(month=6, day=20), today().replace(month=7, day=2)
    if ended > today():
        begun, ended = begun.replace(year=begun.year - 1), ended.replace(year=ended.year - 1)
    mdtrt_id = admit(hospital, patient, begun)
    given = fee(patient, mdtrt_id, "1", DRUG, "1", "100.00", begun)
    hospital.ok("2301", {"feedetail": given})
    hospital.ok("2402", leaving(patient, mdtrt_id, ended))
    hospital.ok("2304", bill(patient, mdtrt_id, "100.00"))
    settlement = Settlement.objects.get()
    assert (settlement.service_on, settlement.counted_year) == (ended, ended.year)


@pytest.mark.parametrize("nothing", [{}, {"diseinfo": []}, {"diseinfo": None}])
def test_an_admission_without_a_list_of_diagnoses(world: World, nothing: dict) -> None:
    """What it is for stands in mdtrtinfo too; the text says of the node only that it is a list, as of that of 2402."""
    hospital, patient = world.hospital, world.patient
    given = {"mdtrtinfo": admission(patient)["mdtrtinfo"]} | nothing
    mdtrt_id = hospital.ok("2401", given)["result"]["mdtrt_id"]
    assert hospital.ok("5202", named(patient, mdtrt_id)) == {"diseinfo": []}
    hospital.ok("2402", leaving(patient, mdtrt_id))
    (row,) = hospital.ok("5202", named(patient, mdtrt_id))["diseinfo"]
    assert row["inout_diag_type"] == "2"


def test_refusals_of_an_admission(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    soon = f"{ago(-2)} 09:00:00"
    assert refused(hospital, "2401", admission(patient, soon)) == "time_later"
    assert hospital.call("2401", admission(patient, soon))["err_msg"].startswith("FSI-mdtrtinfo.begntime")
    for other in ("11", "2102", "22", "52", "28"):
        assert refused(hospital, "2401", admission(patient, med_type=other)) == "med_type_unsupported"
    assert refused(hospital, "2401", admission(patient, insutype="390")) == "insutype_not_his"
    assert refused(hospital, "2401", admission(patient, psn_no=psn_no(world.husband))) == "person_unknown"
    nobody = admission(patient, mdtrt_cert_no="", certno="")
    assert refused(hospital, "2401", nobody) == "field_missing"
    wrong = admission(patient)
    wrong["diseinfo"][1]["psn_no"] = psn_no(world.husband)
    assert refused(hospital, "2401", wrong) == "other_person"
    chemist = make_hospital(world.region, "示例药房", kind="pharmacy")
    assert refused(chemist, "2401", admission(patient)) == "med_type_unsupported"
    assert Stay.objects.count() == 0
    # The ID number may stand for the number of the credential.
    admit(hospital, patient, mdtrt_cert_no="", certno=patient.id_number)


def test_a_region_whose_rules_for_stays_are_not_known_is_refused_at_the_door(world: World) -> None:
    resident = make_member("陆某川", insurance="resident", region=world.region)
    answer = world.hospital.call("2401", admission(resident, insutype="390"))
    assert answer["err_msg"].endswith("[not_covered]")
    assert Visit.objects.count() == 0


def test_nobody_lies_in_two_beds(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    other = make_hospital(world.region, "另一医院")
    mdtrt_id = admit(hospital, patient)
    for house in (hospital, other):
        assert refused(house, "2401", admission(patient, ago(2))) == "stay_open"
    hospital.ok("2402", leaving(patient, mdtrt_id, ago(4)))
    assert refused(other, "2401", admission(patient, ago(5))) == "stay_overlaps"
    admit(other, patient, ago(4), begntime=f"{ago(4)} 15:00:00")
    assert refused(hospital, "2405", named(patient, mdtrt_id)) == "stay_open"
    # And if a call came between the look and the entry, the database would say so.
    stay = Stay.objects.get(visit__mdtrt_id=mdtrt_id)
    with pytest.raises(IntegrityError, match="stay_no_overlap"), transaction.atomic():
        Stay.objects.filter(pk=stay.pk).update(discharged_at=timezone.now())


def test_refusals_of_a_discharge(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = admit(hospital, patient)
    assert refused(hospital, "2402", leaving(patient, mdtrt_id, ago(11))) == "discharge_early"
    assert refused(hospital, "2402", leaving(patient, mdtrt_id, ago(-2))) == "time_later"
    assert refused(hospital, "2402", leaving(patient, mdtrt_id, insutype="390")) == "insutype_other"
    assert refused(hospital, "2402", leaving(patient, mdtrt_id, die_date=f"{ago(-1)}")) == "time_later"
    hospital.ok("2301", {"feedetail": fee(patient, mdtrt_id, "1", DRUG, "1", "10.00", ago(2))})
    assert refused(hospital, "2402", leaving(patient, mdtrt_id, ago(3))) == "line_outside_stay"
    hospital.ok("2402", leaving(patient, mdtrt_id, ago(2)))
    assert refused(hospital, "2402", leaving(patient, mdtrt_id, ago(2))) == "stay_discharged"
    assert refused(hospital, "2304", bill(patient, mdtrt_id, "10.00", mid_setl_flag="1")) == "mid_after_discharge"


def test_a_discharge_on_the_day_of_admission_that_names_the_day_alone(world: World) -> None:
    mdtrt_id = admit(world.hospital, world.patient)
    world.hospital.ok("2402", leaving(world.patient, mdtrt_id, endtime=f"{ago(10)}"))
    stay = Stay.objects.get()
    assert stay.discharged_at == stay.admitted_at


def test_lines_lie_within_the_stay(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = admit(hospital, patient)

    def line_refused(day, **changed) -> str:
        return refused(hospital, "2301", {"feedetail": fee(patient, mdtrt_id, "1", DRUG, "1", "5.00", day, **changed)})

    assert line_refused(ago(11)) == "line_before_stay"
    assert line_refused(ago(-1)) == "line_later"
    assert line_refused(ago(5), med_type="11") == "med_type_unsupported"
    assert line_refused(ago(5), det_item_fee_sumamt="5.01") == "line_amount"
    assert line_refused(ago(5), feedetl_sn="0000") == "line_repeated"
    hospital.ok("2402", leaving(patient, mdtrt_id))
    assert line_refused(ago(2)) == "line_outside_stay"
    # Those that come in after the discharge are taken.
    for sn, day in (("1", ago(10)), ("2", ago(3))):
        hospital.ok("2301", {"feedetail": fee(patient, mdtrt_id, sn, DRUG, "1", "5.00", day)})
    assert line_refused(ago(5)) == "line_repeated"


def test_lines_are_taken_back(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = admit(hospital, patient)
    hospital.ok("2301", {"feedetail": [fee(patient, mdtrt_id, sn, DRUG, "1", "5.00") for sn in "1234"]})

    def cancel(*sns: str) -> dict:
        return {"data": [named(patient, mdtrt_id, feedetl_sn=sn)["data"] for sn in sns]}

    assert refused(hospital, "2302", cancel("1", "9")) == "line_unknown"
    hospital.ok("2302", cancel("1", "2"))
    assert refused(hospital, "2302", cancel("1")) == "line_unknown"
    assert refused(hospital, "2303", bill(patient, mdtrt_id, "20.00")) == "total_other"
    hospital.ok("2303", bill(patient, mdtrt_id, "10.00"))
    # A number that was taken back may come again.
    hospital.ok("2301", {"feedetail": fee(patient, mdtrt_id, "1", DRUG, "1", "7.00")})
    hospital.ok("2302", cancel("0000"))
    assert refused(hospital, "2303", bill(patient, mdtrt_id, "0")) == "stay_empty"
    assert FeeLine.objects.filter(cancelled_at=None).count() == 0


def test_a_line_is_refunded_by_the_terms_it_was_charged_under(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = admit(hospital, patient)
    hospital.ok("2301", {"feedetail": fee(patient, mdtrt_id, "1", DEAR_DRUG, "3", "40.05")})

    def back(sn: str, cnt: str, pric: str = "40.05", **changed) -> dict:
        return {"feedetail": fee(patient, mdtrt_id, sn, DEAR_DRUG, cnt, pric, **({"init_feedetl_sn": "1"} | changed))}

    assert refused(hospital, "2301", back("2", "-1", init_feedetl_sn="")) == "field_missing"
    assert refused(hospital, "2301", back("2", "-1", init_feedetl_sn="9")) == "line_unknown"
    assert refused(hospital, "2301", back("2", "-1", "40.00")) == "refund_other"
    assert refused(hospital, "2301", back("2", "-4")) == "refund_more"
    assert refused(hospital, "2301", back("2", "-1", det_item_fee_sumamt="40.05")) == "line_amount"
    row = hospital.ok("2301", back("2", "-1"))["result"][0]
    parts = ("fulamt_ownpay_amt", "overlmt_amt", "preselfpay_amt", "inscp_scp_amt")
    assert [row[name] for name in parts] == [0, Decimal("-10.05"), Decimal("-6.00"), Decimal("-24.00")]
    assert sum(row[name] for name in parts) == row["det_item_fee_sumamt"] == Decimal("-40.05")
    assert refused(hospital, "2301", back("3", "-2.5")) == "refund_more"
    assert refused(hospital, "2301", back("3", "-1", init_feedetl_sn="2")) == "refund_other"
    cancel_first = {"data": named(patient, mdtrt_id, feedetl_sn="1")["data"]}
    assert refused(hospital, "2302", cancel_first) == "line_refunded"
    check_bill(hospital.ok("2303", bill(patient, mdtrt_id, "80.10")))
    # What is left can be taken back as well, and then nothing is owed.
    hospital.ok("2301", back("3", "-2"))
    sums = FeeLine.objects.values_list("amount", "in_scope", "pre_self_pay", "over_limit")
    assert [sum(column) for column in zip(*sums, strict=True)] == [0, 0, 0, 0]


def test_a_stay_is_settled_in_parts_and_the_last_goes_back_first(world: World) -> None:
    hospital, patient, before = world.hospital, world.patient, held(world)
    mdtrt_id = admit(hospital, patient)
    hospital.ok("2301", {"feedetail": fee(patient, mdtrt_id, "1", DRUG, "1", "1000.00")})
    first = hospital.ok("2304", bill(patient, mdtrt_id, "1000.00", mid_setl_flag="1"))
    check_bill(first)
    assert first["setlinfo"]["act_pay_dedc"] == 1000
    assert where() == Where.ADMITTED
    settled_line = {"data": named(patient, mdtrt_id, feedetl_sn="1")["data"]}
    assert refused(hospital, "2302", settled_line) == "line_settled"
    assert refused(hospital, "2404", named(patient, mdtrt_id)) == "stay_paid"
    assert refused(hospital, "2303", bill(patient, mdtrt_id, "1000.00")) == "stay_empty"

    hospital.ok("2301", {"feedetail": fee(patient, mdtrt_id, "2", DRUG, "1", "2000.00")})
    assert refused(hospital, "2402", leaving(patient, mdtrt_id)) == "discharge_before_part"
    hospital.ok("2402", leaving(patient, mdtrt_id, endtime=f"{today()}"))
    last = hospital.ok("2304", bill(patient, mdtrt_id, "2000.00"))
    check_bill(last)
    # The year's deductible is borne once: 1,000 and 500.
    assert last["setlinfo"]["act_pay_dedc"] == 500

    first_id, last_id = (one["setlinfo"]["setl_id"] for one in (first, last))
    assert refused(hospital, "2305", named(patient, mdtrt_id, setl_id=first_id)) == "later_settlement"
    hospital.ok("2305", named(patient, mdtrt_id, setl_id=last_id))
    hospital.ok("2305", named(patient, mdtrt_id, setl_id=first_id))
    assert held(world) == before
    assert where() == Where.DISCHARGED
    # Both parts are open, and are one bill now.
    whole = hospital.ok("2304", bill(patient, mdtrt_id, "3000.00"))
    assert whole["setlinfo"]["act_pay_dedc"] == 1500
    assert VisitSettlement.objects.filter(reversed_at=None).count() == 1


def test_a_change_moves_the_stay(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = admit(hospital, patient)
    hospital.ok("2301", {"feedetail": fee(patient, mdtrt_id, "1", DRUG, "1", "5.00", ago(9))})

    def change(**changed) -> dict:
        said = admission(patient, **changed)["mdtrtinfo"]
        return {"adminfo": said | {"mdtrt_id": mdtrt_id, "ipt_otp_no": said["ipt_no"]}}

    assert refused(hospital, "2403", change(begun=ago(8))) == "line_before_stay"
    assert refused(hospital, "2403", change(begun=ago(-1))) == "time_later"
    assert refused(hospital, "2403", change(med_type="52")) == "med_type_unsupported"
    new = [diagnosis(patient, mdtrt_id=mdtrt_id, diag_code="J20.900", diag_name="急性支气管炎")]
    hospital.ok("2403", change(begun=ago(12), ipt_no="ZY0002") | {"diseinfo": new})
    visit = Visit.objects.get()
    assert timezone.localdate(visit.begun_at) == ago(12) == visit.stay.days[0]
    assert visit.ipt_otp_no == "ZY0002"
    assert [stated(row.said)["diag_code"] for row in visit.diagnoses.all()] == ["J20.900"]
    hospital.ok("2402", leaving(patient, mdtrt_id))
    hospital.ok(
        "2403", change(begun=ago(12)) | {"adminfo": change(begun=ago(12))["adminfo"] | {"endtime": f"{ago(1)}"}}
    )
    assert Visit.objects.get().stay.days == (ago(12), ago(1))


def test_transactions_of_outpatients_do_not_touch_a_stay_nor_the_other_way_round(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id, visit = admit(hospital, patient), hospital.register(patient)
    assert refused(hospital, "2303", bill(patient, visit, "5.00")) == "not_a_stay"
    assert refused(hospital, "2402", leaving(patient, visit)) == "not_a_stay"
    assert (
        refused(hospital, "2204", {"feedetail": outpatient_line(patient, mdtrt_id, "1", DRUG, "1", "5.00")})
        == "is_a_stay"
    )
    hospital.ok("2301", {"feedetail": fee(patient, mdtrt_id, "1", DRUG, "1", "5.00")})
    given = bill_input(patient, mdtrt_id, "5.00") | {"chrg_bchno": "1"}
    assert hospital.call("2207", {"data": given})["infcode"] == -1


def test_another_hospital_knows_nothing_of_it(world: World) -> None:
    mdtrt_id = admit(world.hospital, world.patient)
    other = make_hospital(world.region, "另一医院")
    for infno, given in (("2402", leaving(world.patient, mdtrt_id)), ("2404", named(world.patient, mdtrt_id))):
        assert refused(other, infno, given) == "visit_unknown"


def test_a_lost_answer_to_an_admission_or_a_settlement_is_corrected(world: World) -> None:
    hospital, patient, before = world.hospital, world.patient, held(world)

    def correct(omsgid: str, oinfno: str) -> dict:
        return {"data": {"psn_no": psn_no(patient), "omsgid": omsgid, "oinfno": oinfno}}

    first, second, paid = (f"H0000000000120261122120000{tail}" for tail in ("aaaa", "bbbb", "cccc"))
    hospital.ok("2401", admission(patient), msgid=first)
    hospital.ok("2601", correct(first, "2401"))
    assert where() == Where.CANCELLED
    mdtrt_id = hospital.ok("2401", admission(patient), msgid=second)["result"]["mdtrt_id"]
    hospital.ok("2301", {"feedetail": fee(patient, mdtrt_id, "1", DRUG, "1", "3000.00")})
    hospital.ok("2402", leaving(patient, mdtrt_id))
    hospital.ok("2304", bill(patient, mdtrt_id, "3000.00"), msgid=paid)
    assert held(world) != before
    assert refused(hospital, "2601", correct(second, "2401")) == "stay_settled"
    hospital.ok("2601", correct(paid, "2304"))
    assert held(world) == before
    assert Stay.objects.get(visit__mdtrt_id=mdtrt_id).state == Where.DISCHARGED
    assert refused(hospital, "2601", correct(second, "2401")) == "stay_discharged"


def test_where_each_stay_bears_its_deductible_no_part_is_settled_alone(world: World) -> None:
    """Hangzhou: 800 a stay at the third level, then 82 percent."""
    load([Path(settings.BASE_DIR) / "regions" / "330100.toml"])
    hangzhou = Region.objects.get(code="330100")
    patient, hospital = make_member("陆某川", region=hangzhou), make_hospital(hangzhou, "西湖示例医院")
    CatalogueItem.objects.create(
        region=hangzhou, code=DRUG, name=DRUG, item_class="A", self_pay_percent=0, valid_from=ago(400)
    )
    for days in (20, 10):
        mdtrt_id = admit(hospital, patient, ago(days))
        hospital.ok("2301", {"feedetail": fee(patient, mdtrt_id, "1", DRUG, "1", "1800.00", ago(days))})
        for infno in ("2303", "2304"):
            assert refused(hospital, infno, bill(patient, mdtrt_id, "1800.00", mid_setl_flag="1")) == "mid_unsupported"
        hospital.ok("2402", leaving(patient, mdtrt_id, ago(days - 5)))
        info = hospital.ok("2304", bill(patient, mdtrt_id, "1800.00"))["setlinfo"]
        assert (info["act_pay_dedc"], info["hifp_pay"]) == (800, 820)


def test_a_bill_beyond_the_known_bands_is_refused_with_the_usual_text(world: World) -> None:
    load([Path(settings.BASE_DIR) / "regions" / "330100.toml"])
    hangzhou = Region.objects.get(code="330100")
    patient, hospital = make_member("陆某川", region=hangzhou), make_hospital(hangzhou, "西湖示例医院")
    CatalogueItem.objects.create(
        region=hangzhou, code=DRUG, name=DRUG, item_class="A", self_pay_percent=0, valid_from=ago(400)
    )
    mdtrt_id = admit(hospital, patient)
    hospital.ok("2301", {"feedetail": fee(patient, mdtrt_id, "1", DRUG, "1", "45000.00")})
    hospital.ok("2402", leaving(patient, mdtrt_id))
    assert refused(hospital, "2304", bill(patient, mdtrt_id, "45000.00")) == "not_covered"
    assert where() == Where.DISCHARGED
