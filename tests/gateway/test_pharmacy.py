"""A purchase at a pharmacy in one step: quoted, settled with its lines, taken back."""

import datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.clock import today
from gateway.enums import VisitState
from gateway.models import FeeLine, Visit
from gateway.queries.people import psn_no
from settlements.models import Settlement
from tests.gateway.identities import check_bill, check_line
from tests.gateway.test_sequence import held
from tests.gateway.world import DEAR_DRUG, DRUG, LUXURY, PART_DRUG, Hospital, World, credential, make_hospital

TOTAL = Decimal("270.05")


@pytest.fixture
def pharmacy(world: World) -> Hospital:
    return make_hospital(world.region, "示例药店", kind="pharmacy", level="primary")


def drug(sn: str, code: str, cnt: str, pric: str, **changed: str) -> dict[str, Any]:
    amount = (Decimal(cnt) * Decimal(pric)).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
    return {
        "feedetl_sn": sn, "rx_circ_flag": "0", "fee_ocur_time": f"{today()} 00:00:01", "med_list_codg": code,
        "medins_list_codg": f"own-{code}", "det_item_fee_sumamt": str(amount), "cnt": cnt, "pric": pric,
    } | changed  # fmt: skip


def purchase(world: World, *drugs: dict[str, Any], total: str = "", **changed: str) -> dict[str, Any]:
    drugs = drugs or (
        drug("1", DRUG, "1", "45.00"), drug("2", PART_DRUG, "3", "15.05"), drug("3", DEAR_DRUG, "2", "40.00"),
        drug("4", LUXURY, "1", "99.90"),
    )  # fmt: skip
    given = {
        "psn_no": psn_no(world.patient), **credential(world.patient), "begntime": f"{today()} 00:00:01",
        "medfee_sumamt": total or str(sum(Decimal(one["det_item_fee_sumamt"]) for one in drugs)), "insutype": "310",
        "acct_used_flag": "1", "med_type": "41",
    }  # fmt: skip
    return {"druginfo": given | changed, "drugdetail": list(drugs)}


def test_quoted_settled_and_taken_back(world: World, pharmacy: Hospital) -> None:
    before = held(world)
    quoted = pharmacy.ok("2101", purchase(world))
    check_bill(quoted)
    assert quoted["setlinfo"]["setl_time"] is not None
    assert not Visit.objects.exists()
    assert held(world) == before
    settled = pharmacy.ok("2102", purchase(world))
    check_bill(settled)
    info = settled["setlinfo"]
    assert info["medfee_sumamt"] == TOTAL
    money = [name for name, value in quoted["setlinfo"].items() if isinstance(value, Decimal)]
    assert {name: info[name] for name in money} == {name: quoted["setlinfo"][name] for name in money}
    for row in settled["detlcutinfo"]:
        check_line(row)
    assert [row | {"hosp_part_amt": None} for row in settled["detlcutinfo"]] == quoted["detlcutinfo"]
    assert "lmt_used_flag" not in settled["detlcutinfo"][0]
    visit = Visit.objects.get()
    assert (visit.kind, visit.state, visit.lines.count()) == ("pharmacy", VisitState.SETTLED, 4)
    assert before["patient"] - held(world)["patient"] == info["acct_pay"] - info["acct_mulaid_pay"]

    back = pharmacy.ok(
        "2103", {"data": {"setl_id": info["setl_id"], "mdtrt_id": info["mdtrt_id"], "psn_no": psn_no(world.patient)}}
    )
    check_bill(back | {"setlinfo": back["setlinfo"] | {"hosp_part_amt": 0}}, sign=-1)
    assert back["setlinfo"]["psn_pay"] == back["setlinfo"]["psn_part_amt"] == -info["psn_part_amt"]
    assert back["setlinfo"]["cash_payamt"] == back["setlinfo"]["psn_cash_pay"] == -info["psn_cash_pay"]
    assert held(world) == before
    assert not FeeLine.objects.filter(cancelled_at=None).exists()
    assert Visit.objects.get().state == VisitState.REVERSED


@pytest.mark.parametrize("way", ["2103", "2601"])
def test_what_was_bought_and_taken_back_is_told_as_it_was(world: World, pharmacy: Hospital, way: str) -> None:
    """Its lines go in the same moment as the settlement."""
    info = pharmacy.ok("2102", purchase(world), msgid="P1")["setlinfo"]
    asked = {"data": {name: info[name] for name in ("setl_id", "mdtrt_id", "psn_no")}}
    lines, bill = pharmacy.ok("5204", asked), pharmacy.ok("5203", asked)["setlinfo"]
    assert len(lines) == 4
    assert bill["overlmt_selfpay"] == info["overlmt_selfpay"] > 0
    undo = {"data": {"psn_no": info["psn_no"], "omsgid": "P1", "oinfno": "2102"}} if way == "2601" else asked
    pharmacy.ok(way, undo)
    assert pharmacy.ok("5204", asked) == lines
    assert pharmacy.ok("5203", asked)["setlinfo"] == bill | {"refd_setl_flag": "1"}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"total": "270.04"}, "total_other"),
        ({"med_type": "11"}, "med_type_unsupported"),
        ({"insutype": "390"}, "insutype_not_his"),
        ({"begntime": f"{today() + datetime.timedelta(days=1)} 09:00:00"}, "begun_later"),
    ],
)
def test_a_refused_purchase_leaves_nothing(world: World, pharmacy: Hospital, changed: dict, code: str) -> None:
    for infno in ("2101", "2102"):
        answer = pharmacy.call(infno, purchase(world, **changed))
        assert answer["err_msg"].endswith(f"[{code}]")
    assert not Visit.objects.exists()
    assert not FeeLine.objects.exists()
    assert not Settlement.objects.exists()


def test_lines_of_a_purchase_are_checked_like_those_of_a_visit(world: World, pharmacy: Hospital) -> None:
    def refused(*drugs: dict[str, Any]) -> str:
        return pharmacy.call("2102", purchase(world, *drugs))["err_msg"].rpartition("[")[2].rstrip("]")

    good = drug("1", DRUG, "2", "5.00")
    assert refused(good, good) == "line_repeated"
    assert refused(drug("1", DRUG, "2", "5.00", det_item_fee_sumamt="10.01")) == "line_amount"
    soon = f"{today() + datetime.timedelta(days=2)} 09:00:00"
    assert refused(drug("1", DRUG, "2", "5.00", fee_ocur_time=soon)) == "line_later"
    assert refused(drug("1", DRUG, "2", "5.00", fee_ocur_time="2009-03-01 09:00:00")) == "line_early"
    assert refused(drug("1", DRUG, "-2", "5.00")) == "field_format"
    assert not Visit.objects.exists()


def test_a_hospital_does_not_sell_in_one_step(world: World) -> None:
    assert world.hospital.call("2102", purchase(world))["err_msg"].endswith("[not_a_pharmacy]")


def test_the_same_msgid_sells_once(world: World, pharmacy: Hospital) -> None:
    answers = [pharmacy.call("2102", purchase(world), msgid="P0000000000120261121120000abcd") for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["infcode"] == 0
    assert Settlement.objects.count() == 1
