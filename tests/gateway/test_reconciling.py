"""3201, 3202, 9101, 9102: an institution's settlements against ours, in sum and one by one."""

import base64
import datetime
import io
import json
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.clock import now, today
from gateway import difference_texts
from gateway.actions import files
from gateway.client import PATH, envelope, signed_headers
from gateway.domain.packing import pack
from gateway.enums import DifferenceKind, DifferenceState
from gateway.models import Difference, GatewayFile, Reconciliation, VisitSettlement
from gateway.queries.people import psn_no
from tests.gateway.stays import admit, fee, leaving
from tests.gateway.stays import bill as stay_bill
from tests.gateway.test_pharmacy import drug, purchase
from tests.gateway.world import DRUG, Hospital, World, line, make_hospital
from tests.people import make_member


def settle(world: World, total: str, **changed: Any) -> dict[str, Any]:
    """A settled bill of one line; its setlinfo."""
    mdtrt_id = world.hospital.register(world.patient)
    world.hospital.ok("2204", {"feedetail": [line(world.patient, mdtrt_id, "1", DRUG, "1", total)]})
    answer = world.hospital.settle(world.patient, mdtrt_id, Decimal(total), **changed)
    assert answer["infcode"] == 0, answer["err_msg"]
    return answer["output"]["setlinfo"]


def take_back(world: World, bill: dict[str, Any]) -> dict[str, Any]:
    given = {"setl_id": bill["setl_id"], "mdtrt_id": bill["mdtrt_id"], "psn_no": bill["psn_no"]}
    return world.hospital.ok("2208", {"data": given})["setlinfo"]


def totals_input(bills: list[dict[str, Any]], count: int | None = None, **changed: Any) -> dict[str, Any]:
    """What an institution sends that holds these bills and reversals."""
    sums = {
        name: str(sum((bill[name] for bill in bills), Decimal("0.00")))
        for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")
    }
    data = {
        "insutype": "310",
        "clr_type": "11",
        "setl_optins": "310000",
        "stmt_begndate": f"{today()}",
        "stmt_enddate": f"{today()} 23:59:59",
        **sums,
        "fixmedins_setl_cnt": len(bills) if count is None else count,
        "refd_setl_flag": "",
        "fixmedins_refd_setl_flag": "0",
    }
    return {"data": data | changed}


def balanced(world: World, given: dict[str, Any]) -> bool:
    found = world.hospital.ok("3201", given)["stmtinfo"]
    assert found["setl_optins"] == given["data"]["setl_optins"]
    assert found["stmt_rslt_dscr"]
    return found["stmt_rslt"] == "0"


def text_of(bills: list[dict[str, Any]], **changed: Any) -> str:
    rows = []
    for bill in bills:
        row = {name: str(bill[name]) for name in ("setl_id", "mdtrt_id", "psn_no", "medfee_sumamt", "fund_pay_sumamt")}
        row |= {"acct_pay": str(bill["acct_pay"]), "refd_setl_flag": "1" if bill["medfee_sumamt"] < 0 else "0"}
        rows.append("\t".join((row | changed).values()))
    return "".join(f"{row}\r\n" for row in rows)


def upload(hospital: Hospital, content: bytes, name: str = "detail.zip") -> str:
    given = {"in": base64.b64encode(content).decode(), "filename": name, "fixmedins_code": hospital.institution.code}
    return hospital.ok("9101", {"fsUploadIn": given})["file_qury_no"]


def details_input(bills: list[dict[str, Any]], number: str, **changed: Any) -> dict[str, Any]:
    given = totals_input(bills)["data"] | {"file_qury_no": number, "cash_payamt": "0"}
    given = {name: value for name, value in given.items() if name not in ("insutype", "acct_pay")}
    return {"data": given | changed}


def fetch(hospital: Hospital, number: str) -> bytes:
    """The bytes of 9102, which is no JSON when it succeeds."""
    given = {"file_qury_no": number, "filename": "x", "fixmedins_code": hospital.institution.code}
    sent = envelope("9102", {"fsDownloadIn": given}, hospital.institution.code)
    response = hospital.post(json.dumps(sent).encode())
    assert response["Content-Type"] == "application/octet-stream", response.content
    return response.content


def compare(world: World, bills: list[dict[str, Any]], text: str | None = None, **changed: Any) -> list[list[str]]:
    """The rows of the result file of 3202."""
    content = pack("detail.txt", (text_of(bills) if text is None else text).encode())
    number = upload(world.hospital, content)
    result = world.hospital.ok("3202", details_input(bills, number, **changed))["fileinfo"]
    with zipfile.ZipFile(io.BytesIO(fetch(world.hospital, result["file_qury_no"]))) as packed:
        (name,) = packed.namelist()
        assert result["filename"] == f"{name}.zip"
        return [row.split("\t") for row in packed.read(name).decode().splitlines()]


def refused(world: World, infno: str, given: dict[str, Any]) -> tuple[str, str]:
    answer = world.hospital.call(infno, given)
    assert answer["infcode"] == -1
    text, _, code = answer["err_msg"].rpartition("[")
    return code.rstrip("]"), text


def test_totals_agree_to_the_fen_and_differ_by_one(world: World) -> None:
    bills = [settle(world, "80.00"), settle(world, "412.35")]
    assert balanced(world, totals_input(bills))
    for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay"):
        given = totals_input(bills)
        given["data"][name] = str(Decimal(given["data"][name]) + Decimal("0.01"))
        assert not balanced(world, given)
    assert not balanced(world, totals_input(bills, count=3))
    run = Reconciliation.objects.latest("pk")
    assert run.ours["settled"] == 2
    assert run.ours["medfee_sumamt"] == "492.35"
    assert run.theirs["count"] == 3


def test_another_category_insurance_day_or_agency_has_other_totals(world: World) -> None:
    bill = settle(world, "80.00")
    day = today() - datetime.timedelta(days=1)
    before = {"stmt_begndate": f"{day}", "stmt_enddate": f"{day}"}
    for other in ({"clr_type": "41"}, {"insutype": "390"}, before):
        assert not balanced(world, totals_input([bill], **other))
        assert balanced(world, totals_input([], **other))
    # A district's agency settles for its city.
    assert balanced(world, totals_input([bill], setl_optins="310101"))


def test_refunds_count_in_every_way_that_institutions_count(world: World) -> None:
    first, second = settle(world, "80.00"), settle(world, "30.00")
    back = take_back(world, first)
    both = [first, second, back]
    for count in (3, 2, 1):
        assert balanced(world, totals_input(both, count=count))
    assert not balanced(world, totals_input(both, count=4))
    assert balanced(world, totals_input([second], refd_setl_flag="0"))
    assert balanced(world, totals_input([back], refd_setl_flag="1"))
    positive = {name: str(-back[name]) for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")}
    assert balanced(world, totals_input([back], refd_setl_flag="1", **positive))


def test_what_was_lost_and_corrected_is_not_counted_by_the_institution(world: World) -> None:
    """It knows neither the settlement, whose answer was lost, nor what the correction (2601) did."""
    kept, lost = settle(world, "80.00"), [f"H00000000001202611211200000{n:03}" for n in range(3)]
    for omsgid in lost:
        settle(world, "30.00", msgid=omsgid)
        given = {"psn_no": kept["psn_no"], "omsgid": omsgid, "oinfno": "2207"}
        world.hospital.ok("2601", {"data": given})
    known = [kept, settle(world, "20.00")]
    known.append(take_back(world, known[-1]))
    for count in (3, 2, 1):
        assert balanced(world, totals_input(known, count=count))
    assert not balanced(world, totals_input(known, count=0))
    assert not balanced(world, totals_input(known, count=10))
    other_sums = totals_input(known)
    other_sums["data"]["acct_pay"] = str(Decimal(other_sums["data"]["acct_pay"]) - Decimal("0.01"))
    assert not balanced(world, other_sums)
    assert {row[4] for row in compare(world, known)} == {"0"}


def test_refunds_alone_without_one_whose_settlement_was_lost(world: World) -> None:
    """It knows the correction (2601), but not what that took back; with those it knows the sums are still held."""
    first, lost = settle(world, "80.00"), "H0000000000120261121120000aaaa"
    thought = settle(world, "30.00", msgid=lost)
    world.hospital.ok("2601", {"data": {"psn_no": first["psn_no"], "omsgid": lost, "oinfno": "2207"}})
    alone = {"refd_setl_flag": "1"}
    assert balanced(world, totals_input([], **alone))
    assert compare(world, [], **alone) == []
    back = take_back(world, first)
    assert balanced(world, totals_input([back], **alone))
    assert {row[4] for row in compare(world, [back], **alone)} == {"0"}
    assert not Difference.objects.exists()
    # What was reversed otherwise it knows.
    assert not balanced(world, totals_input([], **alone))
    assert [row[4] for row in compare(world, [], **alone)] == ["1"]
    assert Difference.objects.get().kind == DifferenceKind.REVERSED_HERE
    # Nor is it wrong to know it after all.
    sums = ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")
    corrected = {**thought, **{name: -thought[name] for name in sums}}
    assert balanced(world, totals_input([back, corrected], **alone))
    assert {row[4] for row in compare(world, [back, corrected], **alone)} == {"0"}


def test_another_institutions_settlements_are_its_own(world: World) -> None:
    settle(world, "80.00")
    other = World(world.region, make_hospital(world.region, "另一家医院"), world.patient, world.husband)
    assert balanced(other, totals_input([]))


def test_a_recalculated_bill_stays_as_the_institution_was_told(world: World) -> None:
    """Its ledger reversal is no 2208."""
    bill = settle(world, "80.00")
    settlement = VisitSettlement.objects.get().settlement
    settlement.reversed_on = today()
    settlement.save(update_fields=["reversed_on"])
    assert balanced(world, totals_input([bill]))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"setl_optins": "999999"}, "agency_unknown"),
        ({"insutype": "510"}, "insutype_unknown"),
        ({"stmt_begndate": "2999-01-01"}, "period_backwards"),
        ({"stmt_begndate": "2020-01-01"}, "period_long"),
        ({"medfee_sumamt": "1.001"}, "field_format"),
    ],
)
def test_totals_that_cannot_be_compared(world: World, changed: dict[str, str], code: str) -> None:
    assert refused(world, "3201", totals_input([], **changed))[0] == code
    assert not Reconciliation.objects.exists()


def test_a_comparison_cannot_be_changed(world: World) -> None:
    balanced(world, totals_input([]))
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        Reconciliation.objects.update(balanced=False)


def of_two_insurances(world: World) -> tuple[Hospital, World, World]:
    """A pharmacy, with an employee and with a resident before its till."""
    pharmacy = make_hospital(world.region, "示例药店", kind="pharmacy", level="primary")
    neighbour = make_member("居某", region=world.region, insurance="resident")
    return (
        pharmacy,
        World(world.region, pharmacy, world.patient, world.husband),
        World(world.region, pharmacy, neighbour, world.husband),
    )


def test_details_of_one_insurance_after_its_totals_differed(world: World) -> None:
    """3201 names an insurance and 3202 does not: nobody is told to take back what was settled for another one."""
    pharmacy, till, resident = of_two_insurances(world)
    one = drug("1", DRUG, "1", "45.00")
    bought, lost = (pharmacy.ok("2102", purchase(till, one))["setlinfo"] for _ in range(2))
    other = pharmacy.ok("2102", purchase(resident, one, insutype="390"))["setlinfo"]
    every = {bill["setl_id"] for bill in (bought, lost, other)}

    assert not balanced(till, totals_input([bought], clr_type="41"))
    rows = compare(till, [bought], clr_type="41")
    assert {(row[2], row[4]) for row in rows} == {(bought["setl_id"], "0"), (lost["setl_id"], "1")}
    assert {row[2] for row in compare(till, [], clr_type="41")} == {bought["setl_id"], lost["setl_id"]}
    assert Difference.objects.exclude(state=DifferenceState.CLOSED).count() == 2
    # With rows of others in it the file is of all.
    assert {row[2] for row in compare(till, [bought, other], clr_type="41")} == every
    assert balanced(till, totals_input([other], clr_type="41", insutype="390"))
    assert {row[2] for row in compare(till, [other], clr_type="41")} == every


def test_details_are_of_all_where_only_one_insurance_was_settled(world: World) -> None:
    bill = settle(world, "80.00")
    unknown = bill | {"setl_id": "1", "mdtrt_id": "2"}
    assert {row[2] for row in compare(world, [bill, unknown])} == {bill["setl_id"], "1"}
    assert not balanced(world, totals_input([bill], count=5))
    compare(world, [bill])
    assert Difference.objects.get().state == DifferenceState.CLOSED
    assert Reconciliation.objects.latest("pk").insurance == ""


def test_what_one_insurance_agrees_on_closes_nothing_of_another(world: World) -> None:
    pharmacy, till, resident = of_two_insurances(world)
    one = drug("1", DRUG, "1", "45.00")
    bought = pharmacy.ok("2102", purchase(till, one))["setlinfo"]
    other = pharmacy.ok("2102", purchase(resident, one, insutype="390"))["setlinfo"]
    compare(till, [bought], clr_type="41")
    assert not balanced(till, totals_input([bought], clr_type="41", count=5))
    assert {row[4] for row in compare(till, [bought], clr_type="41")} == {"0"}
    assert Difference.objects.get().setl_id == other["setl_id"]
    assert Difference.objects.get().state == DifferenceState.OPEN


def test_an_unknown_row_is_gone_once_each_insurance_was_compared_without_it(world: World) -> None:
    pharmacy, till, resident = of_two_insurances(world)
    one = drug("1", DRUG, "1", "45.00")
    bought, lost = (pharmacy.ok("2102", purchase(till, one))["setlinfo"] for _ in range(2))
    other = pharmacy.ok("2102", purchase(resident, one, insutype="390"))["setlinfo"]
    strange = {**bought, "setl_id": "310000209901010000000000000001"}
    compare(till, [bought, lost, other, strange], clr_type="41")
    unknown = Difference.objects.get()

    def state_after_details_of_employees() -> str:
        assert not balanced(till, totals_input([bought], clr_type="41"))
        compare(till, [bought], clr_type="41")
        unknown.refresh_from_db()
        return unknown.state

    # It might be a resident's.
    assert state_after_details_of_employees() == DifferenceState.OPEN
    assert not balanced(till, totals_input([other, strange], clr_type="41", insutype="390"))
    assert state_after_details_of_employees() == DifferenceState.OPEN
    assert balanced(till, totals_input([other], clr_type="41", insutype="390"))
    assert state_after_details_of_employees() == DifferenceState.CLOSED


def test_details_that_agree(world: World) -> None:
    first, second = settle(world, "80.00", msgid="H0000000000120261121120000abcd"), settle(world, "30.00")
    back = take_back(world, first)
    rows = compare(world, [first, second, back])
    assert sorted(row[2] for row in rows) == sorted(bill["setl_id"] for bill in (first, second, back))
    assert {len(row) for row in rows} == {10}
    assert {row[4] for row in rows} == {"0"}
    assert {row[6] for row in rows} == {"null"}
    by_number = {row[2]: row for row in rows}
    assert by_number[first["setl_id"]][3] == "H0000000000120261121120000abcd"
    assert by_number[first["setl_id"]][0] == psn_no(world.patient)
    assert [by_number[back["setl_id"]][at] for at in (5, 7)] == ["1", "-80.00"]
    assert not Difference.objects.exists()
    assert Reconciliation.objects.get().balanced


def test_each_kind_of_difference_is_told_to_both_sides(world: World) -> None:
    lost, changed, undone, kept = (settle(world, total) for total in ("10.00", "20.00", "30.00", "40.00"))
    take_back(world, undone)
    invented = {**kept, "setl_id": "310000209901010000000000000001", "medfee_sumamt": Decimal("5.00")}
    wrong = {**changed, "acct_pay": changed["acct_pay"] - 1}
    never = {name: -kept[name] for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")}
    theirs = [wrong, undone, kept, {**kept, **never}, invented, invented]
    rows = compare(world, theirs)
    found = {(one.setl_id, one.kind) for one in Difference.objects.all()}
    reversal_of = VisitSettlement.objects.get(setl_id=undone["setl_id"]).reversal_setl_id
    assert found == {
        (lost["setl_id"], DifferenceKind.MISSING_THERE),
        (changed["setl_id"], DifferenceKind.AMOUNTS),
        (reversal_of, DifferenceKind.REVERSED_HERE),
        (kept["setl_id"], DifferenceKind.REVERSED_THERE),
        (invented["setl_id"], DifferenceKind.REPEATED),
    }
    told = {(row[2], row[4], row[5]) for row in rows}
    assert (kept["setl_id"], "0", "0") in told
    assert (kept["setl_id"], "1", "1") in told
    amounts = next(row for row in rows if row[2] == changed["setl_id"])
    assert amounts[7:] == ["20.00", str(changed["fund_pay_sumamt"]), str(changed["acct_pay"])]
    assert str(wrong["acct_pay"]) in amounts[6]
    # By the message ID of a lost answer the institution can correct it (2601).
    missing = next(row for row in rows if row[2] == lost["setl_id"])
    assert missing[3] == VisitSettlement.objects.get(setl_id=lost["setl_id"]).msgid
    run = Reconciliation.objects.get()
    assert (run.balanced, run.differences_found) == (False, 6)


def test_what_to_send_depends_on_where_it_was_settled() -> None:
    for clr_type, back in (("11", "2208"), ("41", "2103"), ("21", "2305")):
        for kind in DifferenceKind:
            texts = (difference_texts.remark(kind, clr_type), *difference_texts.told(kind, clr_type))
            assert all(text and "%(" not in text for text in texts)
        assert back in difference_texts.remark(DifferenceKind.REVERSED_THERE, clr_type)


def test_what_to_send_is_that_of_the_row_where_all_categories_are_compared(world: World) -> None:
    """A stay cannot be taken back by 2208; of a row that is unknown here nobody knows by which."""
    mdtrt_id = admit(world.hospital, world.patient)
    world.hospital.ok("2301", {"feedetail": [fee(world.patient, mdtrt_id, "1", DRUG, "1", "60.00")]})
    world.hospital.ok("2402", leaving(world.patient, mdtrt_id))
    stay = world.hospital.ok("2304", stay_bill(world.patient, mdtrt_id, "60.00"))["setlinfo"]
    visit = settle(world, "80.00")
    never = {name: -stay[name] for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")}
    strange = {**visit, "setl_id": "310000209901010000000000000001"}
    rows = compare(world, [stay, {**stay, **never}, strange], clr_type="")
    told = {(row[2], row[5]): row[6] for row in rows}
    assert "2305" in told[stay["setl_id"], "1"]
    assert "2208" in told[visit["setl_id"], "0"]
    assert "2207/2304" in told[strange["setl_id"], "0"]
    assert {row[6] for row in compare(world, [visit], clr_type="") if row[2] == stay["setl_id"]} == {
        difference_texts.remark(DifferenceKind.MISSING_THERE, "21")
    }


def test_a_refund_may_name_its_settlement_or_lack_its_minus(world: World) -> None:
    bill = settle(world, "80.00")
    back = take_back(world, bill)
    named = {**back, "setl_id": bill["setl_id"]}
    assert {row[4] for row in compare(world, [bill, named])} == {"0"}
    plus = {name: -back[name] for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")}
    assert {row[4] for row in compare(world, [bill, {**back, **plus}])} == {"0"}
    # Settled and corrected at once: the institution never had its number.
    assert {row[4] for row in compare(world, [])} == {"0"}


def test_a_settlement_of_another_day_is_said_to_be_one(world: World) -> None:
    bill = settle(world, "80.00")
    day = today() - datetime.timedelta(days=1)
    rows = compare(world, [bill], stmt_begndate=f"{day}", stmt_enddate=f"{day}")
    assert [row[4] for row in rows] == ["1"]
    assert Difference.objects.get().kind == DifferenceKind.ELSEWHERE


def test_a_difference_is_kept_once_and_closes_when_both_sides_agree(world: World) -> None:
    bill = settle(world, "80.00")
    strange = {**bill, "setl_id": "310000209901010000000000000001"}
    compare(world, [strange])
    first = {one.kind: one.pk for one in Difference.objects.all()}
    assert first.keys() == {DifferenceKind.MISSING_HERE, DifferenceKind.MISSING_THERE}
    compare(world, [strange])
    assert {one.kind: one.pk for one in Difference.objects.all()} == first
    compare(world, [bill])
    closed = Difference.objects.all()
    assert {one.state for one in closed} == {DifferenceState.CLOSED}
    assert all(one.note and one.changed_at and one.changed_by is None for one in closed)
    compare(world, [strange])
    assert Difference.objects.exclude(state=DifferenceState.CLOSED).count() == 2


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a\tb\tc\n", "line_columns", "1"),
        ("1\t2\t3\t4.00\t0\t0\t0\n\n1\t2\t3\tx\t0\t0\t0\n", "field_format", "3"),
        ("1\t2\t3\t4.00\t0\t0\t0\n\t2\t3\t4.00\t0\t0\t0\n", "field_missing", "2"),
        ("1\t2\t3\t4.001\t0\t0\t0\n", "field_format", "1"),
        ("1\t2\t3\t4.00\t0\t0\t7\n", "field_code", "1"),
        (f"{'1' * 31}\t2\t3\t4.00\t0\t0\t0\n", "field_too_long", "1"),
    ],
)
def test_a_wrong_file_is_told_with_its_line(world: World, text: str, code: str, place: str) -> None:
    number = upload(world.hospital, text.encode(), "detail.txt")
    found, told = refused(world, "3202", details_input([], number))
    assert found == code
    assert place in told
    assert not Difference.objects.exists()


def test_half_a_file_is_refused_and_other_sums_than_the_files_are_said(world: World) -> None:
    """The text asks nowhere that they agree; but of half a file the other half would be told to be taken back."""
    first, second = settle(world, "80.00"), settle(world, "30.00")
    half = details_input([first, second], upload(world.hospital, text_of([first]).encode(), "detail.txt"))
    found, told = refused(world, "3202", half)
    assert (found, "110.00" in told, "80.00" in told) == ("file_total_other", True, True)
    whole = upload(world.hospital, text_of([first, {**second, "acct_pay": Decimal("29.00")}]).encode(), "detail.txt")
    answer = world.hospital.call("3202", details_input([first], whole))
    assert answer["infcode"] == 0
    assert "80.00" in answer["warn_msg"] and "110.00" in answer["warn_msg"]
    assert [(one.setl_id, one.kind) for one in Difference.objects.all()] == [
        (second["setl_id"], DifferenceKind.AMOUNTS)
    ]
    assert world.hospital.call("3202", details_input([first, second], whole))["warn_msg"] is None
    # Nor is it taken for the file of an insurance of which there is nothing.
    assert not balanced(world, totals_input([first], insutype="390"))
    empty = details_input([first, second], upload(world.hospital, b"\r\n", "detail.txt"))
    assert refused(world, "3202", empty)[0] == "file_total_other"


def test_a_row_of_another_person_is_told_though_the_money_agrees(world: World) -> None:
    bill = settle(world, "80.00")
    (row,) = compare(world, [{**bill, "psn_no": psn_no(world.husband)}])
    assert (row[0], row[4]) == (bill["psn_no"], "0")
    assert "psn_no" in row[6]
    assert [row[6] for row in compare(world, [bill])] == ["null"]


def test_names_of_columns_and_empty_columns_behind_do_no_harm(world: World) -> None:
    bill = settle(world, "80.00")
    text = "setl_id\tmdtrt_id\tpsn_no\tmedfee\tfund\tacct\tflag\r\n" + text_of([bill]).replace("\r\n", "\t\t\r\n")
    assert [row[4] for row in compare(world, [bill], text)] == ["0"]


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("detail.txt", b"0" * (65 * 2**20))
    return packed.getvalue()


def lying_bomb() -> bytes:
    """Says in its directory that it is small."""
    honest = bomb()
    size = (65 * 2**20).to_bytes(4, "little")
    return honest.replace(size, (10).to_bytes(4, "little"))


def several() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr("a.txt", "1")
        out.writestr("b.txt", "2")
    return packed.getvalue()


def locked() -> bytes:
    content = bytearray(pack("a.txt", b"1"))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def misnamed() -> bytes:
    """Says that the name is UTF-8, and it is not."""
    content = bytearray(pack("a.txt", b"1"))
    directory = content.index(b"PK\x01\x02")
    content[directory + 9] |= 8
    content[directory + 46] = 0xA4
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (bomb(), "file_too_large"),
        (misnamed(), "file_broken"),
        (lying_bomb(), "file_broken"),
        (several(), "file_several"),
        (locked(), "file_locked"),
        (pack("a.txt", b"1")[:-30], "file_broken"),
        ("设置".encode("gb18030"), "file_not_utf8"),
    ],
    ids=["bomb", "misnamed", "lying bomb", "several", "locked", "cut off", "GBK"],
)
def test_a_file_that_cannot_be_read(world: World, content: bytes, code: str) -> None:
    number = upload(world.hospital, content)
    assert refused(world, "3202", details_input([], number))[0] == code


def test_a_file_beside_the_message(world: World) -> None:
    """Annex A.1: multipart/form-data with jsonStr and file."""
    hospital, content = world.hospital, pack("detail.txt", b"\x00\xff")
    given = {"in": "[]", "filename": "C:\\data\\detail.zip", "fixmedins_code": hospital.institution.code}
    sent = json.dumps(envelope("9101", {"fsUploadIn": given}, hospital.institution.code))
    file = io.BytesIO(content)
    file.name = "detail.zip"
    headers = signed_headers(hospital.key_id, hospital.secret)
    answer = Client().post(PATH, {"jsonStr": sent, "file": file}, headers=headers).json()
    assert answer["infcode"] == 0, answer["err_msg"]
    assert answer["output"]["filename"] == "detail.zip"
    assert fetch(hospital, answer["output"]["file_qury_no"]) == content
    again = Client().post(PATH, {"jsonStr": sent}, headers=signed_headers(hospital.key_id, hospital.secret)).json()
    assert again["err_msg"].endswith("[msgid_reused]")


@pytest.mark.parametrize(
    "sent",
    ["AAH/", "AA\r\nH/\r\n", [0, 1, 255], [0, 1, -1], ["0", "1", "255"], "[0, 1, -1]"],
    ids=["Base64", "Base64 in lines", "octets", "Java", "texts", "a text"],
)
def test_a_file_inside_the_message(world: World, sent: object) -> None:
    given = {"in": sent, "filename": "detail.zip", "fixmedins_code": world.hospital.institution.code}
    number = world.hospital.ok("9101", {"fsUploadIn": given})["file_qury_no"]
    assert fetch(world.hospital, number) == b"\x00\x01\xff"


def test_files_are_encrypted_of_one_institution_and_deleted_by_rule(world: World) -> None:
    number = upload(world.hospital, b"secret-of-the-hospital")
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM gateway_gatewayfile")
        stored = bytes(cursor.fetchone()[0])
    assert b"secret" not in stored
    assert base64.b64encode(b"secret-of-the-hospital") not in stored
    given = {"fsDownloadIn": {"file_qury_no": number, "filename": "x", "fixmedins_code": "plc"}}
    other = World(world.region, make_hospital(world.region, "另一家医院"), world.patient, world.husband)
    assert refused(other, "9102", given)[0] == "file_unknown"
    assert files.delete_old(at=now()) == 0
    later = now() + datetime.timedelta(days=settings.GATEWAY_FILE_DAYS, seconds=1)
    assert files.delete_old(at=later) == 1
    assert refused(world, "9102", given)[0] == "file_gone"
    kept = GatewayFile.objects.get()
    assert (kept.content, kept.size) == (None, 22)


def test_uploads_that_are_not_taken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    code = world.hospital.institution.code
    given = {"in": base64.b64encode(b"1" * 10).decode(), "filename": "a", "fixmedins_code": code}
    assert refused(world, "9101", {"fsUploadIn": given | {"in": ""}})[0] == "file_empty"
    assert refused(world, "9101", {"fsUploadIn": given | {"fixmedins_code": "H1"}})[0] == "institution_unknown"
    monkeypatch.setattr(files, "MOST_KEPT", 19)
    assert world.hospital.ok("9101", {"fsUploadIn": given})["dld_endtime"] > f"{timezone.localtime(now()):%Y-%m-%d}"
    assert refused(world, "9101", {"fsUploadIn": given})[0] == "files_too_many"
