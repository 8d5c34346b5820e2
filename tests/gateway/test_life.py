"""The life of a visit: the table itself, and what institutions and time make of it."""

import datetime
from decimal import Decimal
from functools import partial

import pytest

from accounts.clock import now, today
from accounts.models import AuditEvent
from gateway.actions.visit_steps import give_up_overdue
from gateway.domain.life import DAYS, ENDS, FOLLOWS, Stage, Step, refusal, stage_of
from gateway.domain.places import covering
from gateway.domain.stating import stated
from gateway.enums import VisitState
from gateway.models import Diagnosis, FeeLine, Visit
from gateway.queries.people import psn_no
from gateway.queries.visits import OPEN_DAYS
from gateway.tasks import give_up_visits
from gateway.texts import TEXTS
from settlements.models import Settlement
from tests.gateway.world import DRUG, World, line


def test_the_table_names_a_text_for_all_that_may_not_follow() -> None:
    assert set(FOLLOWS) == set(Stage)
    for stage in Stage:
        for step in Step:
            code = refusal(stage, step)
            assert (code is None) == (step in FOLLOWS[stage])
            assert code is None or code in TEXTS


def test_nothing_follows_an_end_and_no_settled_visit_ends() -> None:
    for stage in ENDS:
        assert FOLLOWS[stage] == {}
    assert not ENDS & set(FOLLOWS[Stage.SETTLED].values())


@pytest.mark.parametrize(
    ("ended", "lines", "settled", "once", "stage"),
    [
        ("", False, False, False, Stage.REGISTERED),
        ("", True, False, False, Stage.CHARGED),
        ("", True, True, True, Stage.SETTLED),
        ("", True, False, True, Stage.REVERSED),
        ("expired", False, False, False, Stage.EXPIRED),
        ("cancelled", False, False, True, Stage.CANCELLED),
    ],
)
def test_the_stage_of_what_is_stored(ended: str, lines: bool, settled: bool, once: bool, stage: Stage) -> None:
    assert stage_of(ended, lines=lines, settled=settled, reversed_once=once) == stage


def test_a_place_lies_in_its_region() -> None:
    regions = ["310000", "330100", "331000", "500000"]
    assert covering("310101", regions) == "310000"
    assert covering("330106", regions) == "330100"
    assert covering("331100", regions) is None
    assert covering("500112", regions) == "500000"
    assert covering("460000", regions) is None


def refused(world: World, infno: str, given: dict) -> str:
    answer = world.hospital.call(infno, given)
    assert answer["infcode"] == -1
    return answer["err_msg"].rpartition("[")[2].rstrip("]")


def named(world: World, mdtrt_id: str, **more: str) -> dict:
    return {"data": {"mdtrt_id": mdtrt_id, "psn_no": psn_no(world.patient), **more}}


def test_from_the_registration_to_its_cancellation_in_the_order_of_the_interface(world: World) -> None:
    """Undone: 2208, then 2205, then 2202; and none of them before its turn."""
    hospital, patient = world.hospital, world.patient
    mdtrt_id = hospital.register(patient, ipt_otp_no="M77")
    cancel = named(world, mdtrt_id, ipt_otp_no="M77")
    uncharge = named(world, mdtrt_id, chrg_bchno="B1")
    assert refused(world, "2205", uncharge) == "batch_empty"
    hospital.ok("2204", {"feedetail": line(patient, mdtrt_id, "1", DRUG, "1", "40.00")})
    assert refused(world, "2202", cancel) == "lines_uploaded"
    setl_id = hospital.settle(patient, mdtrt_id, Decimal("40.00"))["output"]["setlinfo"]["setl_id"]
    assert refused(world, "2205", uncharge) == "batch_settled"
    assert refused(world, "2202", cancel) == "batch_settled"
    hospital.ok("2208", named(world, mdtrt_id, setl_id=setl_id))
    assert refused(world, "2202", cancel) == "lines_uploaded"
    assert hospital.call("2205", uncharge)["output"] is None
    assert FeeLine.objects.get().cancelled_at is not None, "the reversed settlement is still explained by its line"
    # Charged again with the same line number, at another price, and settled anew.
    hospital.ok("2204", {"feedetail": line(patient, mdtrt_id, "1", DRUG, "1", "30.00")})
    assert hospital.settle(patient, mdtrt_id, Decimal("30.00"))["infcode"] == 0
    assert Visit.objects.get().state == VisitState.SETTLED


def test_a_cancelled_visit_takes_nothing_more(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = hospital.register(patient, ipt_otp_no="M77")
    assert refused(world, "2202", named(world, mdtrt_id, ipt_otp_no="M78")) == "visit_unknown"
    hospital.ok("2202", named(world, mdtrt_id, ipt_otp_no="M77"))
    assert Visit.objects.get().state == VisitState.CANCELLED
    one = line(patient, mdtrt_id, "1", DRUG, "1", "40.00")
    assert refused(world, "2204", {"feedetail": one}) == "visit_cancelled"
    assert refused(world, "2202", named(world, mdtrt_id, ipt_otp_no="M77")) == "visit_cancelled"
    assert refused(world, "2203", diagnoses(world, mdtrt_id)) == "visit_cancelled"
    assert hospital.settle(patient, mdtrt_id, Decimal("40.00"))["err_msg"].endswith("[visit_cancelled]")


def test_every_unsettled_batch_is_uncharged_at_once(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = hospital.register(patient)
    rows = [line(patient, mdtrt_id, str(n), DRUG, "1", "40.00", chrg_bchno=f"B{n}") for n in (1, 2, 3)]
    hospital.ok("2204", {"feedetail": rows})
    assert hospital.settle(patient, mdtrt_id, Decimal("40.00"))["infcode"] == 0
    hospital.ok("2205", named(world, mdtrt_id, chrg_bchno="0000"))
    assert [fee.sn for fee in FeeLine.objects.filter(cancelled_at=None)] == ["1"]
    hospital.ok("2205", named(world, mdtrt_id, chrg_bchno="0000"))


def test_a_visit_that_nobody_settled_is_given_up_after_a_month(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id, settled_id = hospital.register(patient), hospital.register(patient)
    for number in (mdtrt_id, settled_id):
        hospital.ok("2204", {"feedetail": line(patient, number, "1", DRUG, "1", "40.00")})
    setl_id = hospital.settle(patient, settled_id, Decimal("40.00"))["output"]["setlinfo"]["setl_id"]
    assert OPEN_DAYS.days == DAYS
    assert give_up_overdue(at=now() + OPEN_DAYS - datetime.timedelta(minutes=1)) == 0
    later = now() + OPEN_DAYS
    assert give_up_overdue(at=later) == 1
    assert give_up_overdue(at=later) == 0
    assert {visit.mdtrt_id: visit.state for visit in Visit.objects.all()} == {
        mdtrt_id: VisitState.EXPIRED, settled_id: VisitState.SETTLED
    }  # fmt: skip
    assert AuditEvent.objects.get(action="visit_expired").member_id == patient.pk
    answer = hospital.settle(patient, mdtrt_id, Decimal("40.00"))
    assert answer["err_msg"].endswith("[visit_expired]")
    assert str(DAYS) in answer["err_msg"]
    # What is reversed has its month again, from the reversal.
    hospital.ok("2208", named(world, settled_id, setl_id=setl_id))
    assert give_up_overdue(at=later - datetime.timedelta(minutes=1)) == 0
    assert hospital.settle(patient, settled_id, Decimal("40.00"))["infcode"] == 0


def test_the_nightly_job_goes_on_until_none_is_left(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        world.hospital.register(world.patient)
    Visit.objects.update(registered_at=now() - OPEN_DAYS)
    monkeypatch.setattr("gateway.tasks.visit_steps.give_up_overdue", partial(give_up_overdue, most=2))
    give_up_visits()
    assert {visit.state for visit in Visit.objects.all()} == {VisitState.EXPIRED}


def diagnoses(world: World, mdtrt_id: str, *rows: dict, **changed: str) -> dict:
    moment = f"{today()} 00:00:01"
    usual = {
        "diag_type": "1", "diag_srt_no": "1", "diag_code": "J06.900", "diag_name": "急性上呼吸道感染",
        "diag_dept": "A03", "dise_dor_no": "D1", "dise_dor_name": "某医生", "diag_time": moment, "vali_flag": "1",
    }  # fmt: skip
    visit = {
        "mdtrt_id": mdtrt_id, "psn_no": psn_no(world.patient), "med_type": "11", "begntime": moment,
        "main_cond_dscr": "咳嗽", "dise_codg": "J06.900", "dise_name": "急性上呼吸道感染",
    }  # fmt: skip
    return {"mdtrtinfo": visit | changed, "diseinfo": [usual | row for row in rows or ({},)]}


def test_diagnoses_are_added_replaced_and_voided(world: World) -> None:
    hospital = world.hospital
    mdtrt_id = hospital.register(world.patient)
    cough = {"diag_code": "R05", "diag_srt_no": "2", "diag_name": "咳嗽"}
    assert hospital.call("2203", diagnoses(world, mdtrt_id, {}, cough))["output"] is None
    hospital.ok("2203A", diagnoses(world, mdtrt_id, {"diag_name": "感冒"}, cough | {"vali_flag": "0"}))
    said = stated(Diagnosis.objects.get().said)
    assert (said["diag_code"], said["diag_name"]) == ("J06.900", "感冒")
    visit = Visit.objects.get()
    assert visit.med_type == "11"
    said = stated(visit.illness)
    assert said == {"main_cond_dscr": "咳嗽", "dise_codg": "J06.900", "dise_name": "急性上呼吸道感染"}


def test_a_visit_has_one_medical_category_beside_its_registration(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = hospital.register(patient)
    rows = [line(patient, mdtrt_id, str(n), DRUG, "1", "40.00", chrg_bchno=f"B{n}") for n in (1, 2)]
    hospital.ok("2204", {"feedetail": rows})
    assert hospital.settle(patient, mdtrt_id, Decimal("40.00"), med_type="12")["infcode"] == 0
    hospital.ok("2203", diagnoses(world, mdtrt_id, med_type="13"))
    other = hospital.settle(patient, mdtrt_id, Decimal("40.00"), chrg_bchno="B2")
    assert other["err_msg"].endswith("[med_type_other]")
    assert hospital.settle(patient, mdtrt_id, Decimal("40.00"), chrg_bchno="B2", med_type="13")["infcode"] == 0
    assert refused(world, "2203", diagnoses(world, mdtrt_id, med_type="11")) == "med_type_other"
    assert refused(world, "2203", diagnoses(world, mdtrt_id, med_type="14")) == "med_type_unsupported"
    tomorrow = f"{today() + datetime.timedelta(days=1)} 09:00:00"
    assert refused(world, "2203", diagnoses(world, mdtrt_id, {"diag_time": tomorrow})) == "diagnosis_later"
    assert refused(world, "2203", diagnoses(world, mdtrt_id, begntime=tomorrow)) == "begun_later"


def test_the_variant_of_another_region_settles_like_the_usual_one(world: World) -> None:
    from tests.gateway.world import bill_input

    hospital, patient = world.hospital, world.patient
    mdtrt_id = hospital.register(patient)
    hospital.ok("2204", {"feedetail": line(patient, mdtrt_id, "1", DRUG, "1", "40.00")})
    bill = {"data": bill_input(patient, mdtrt_id, "40.00")}
    quoted, settled = hospital.ok("2206A", bill), hospital.ok("2207A", bill)
    assert quoted["setlinfo"]["acct_pay"] == settled["setlinfo"]["acct_pay"] == 40
    assert Settlement.objects.count() == 1
