"""The tables are whole, input is read leniently by them, output is made exactly by them."""

import datetime
import json
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from gateway import fields
from gateway.actions.messages import TRANSACTIONS
from gateway.errors import Rejected
from gateway.fields.reading import read_fields
from gateway.fields.tables import Field, Node, code_in, fold
from gateway.fields.writing import write as write_json

AMOUNT = Field("amount", "num", 16, 2, "Y", "", "")
NAME = Field("name", "string", 5, 0, "", "", "")
FLAG = Field("flag", "string", 3, 0, "", "mdtrt_cert_type", "")
MOMENT = Field("moment", "datetime", 0, 0, "", "", "")


def write(nodes: list[Node], answer: dict[str, Any]) -> Any:
    """What a program reads out of the written JSON."""
    return json.loads(write_json(nodes, answer), parse_float=Decimal)


def test_every_transaction_has_tables_and_every_table_a_transaction() -> None:
    assert set(TRANSACTIONS) == fields.known()


@pytest.mark.parametrize("number", sorted(fields.known()))
def test_a_table_names_each_field_once(number: str) -> None:
    for node in (*fields.tables(number).input, *fields.tables(number).output):
        assert len({field.name for field in node.fields}) == len(node.fields) > 0


def test_the_tables_hold_as_many_fields_as_the_text() -> None:
    counted = {
        number: [len(node.fields) for node in (*fields.tables(number).input, *fields.tables(number).output)]
        for number in fields.known()
    }
    # What differs from the text: 2208 has psn_cash_pay beside pdn_cash_pay, as real answers spell it; 2203 and 2203A
    # have each other's fields; the row of 2102 that stands for durg_trac_info is that node; 2304 named one row twice; 9001
    # has Guangzhou's node of four.
    assert counted == {
        "1101": [7, 9, 9, 5], "1201": [3, 6], "1901": [5, 9], "2001": [13, 8],
        "2101": [16, 17, 42, 6, 19], "2102": [17, 17, 43, 6, 18], "2103": [4, 26, 6],
        "2201": [17, 4], "2202": [4], "2203": [13, 9], "2203A": [18, 9], "2204": [34, 20], "2205": [4],
        "2206": [17, 42, 6], "2206A": [17, 42, 6], "2207": [20, 43, 6], "2207A": [20, 43, 6], "2208": [4, 44, 6],
        "2301": [29, 20], "2302": [4], "2303": [22, 42, 6], "2304": [23, 43, 6], "2305": [4, 36, 6],
        "2401": [39, 11, 2], "2402": [24, 11], "2403": [35, 12], "2404": [3], "2405": [3], "2601": [3],
        "3201": [11, 3], "3202": [11, 3], "5201": [5, 61], "5202": [2, 17], "5203": [3, 62, 6], "5204": [3, 56],
        "5205": [3, 33], "5206": [2, 5], "5301": [1, 4], "5302": [2, 8], "5303": [3, 13],
        "9001": [3, 4, 2], "9002": [2, 1], "9101": [3, 4], "9102": [3],
    }  # fmt: skip
    assert [len(columns) for columns in (fields.tables("3202").columns_in, fields.tables("3202").columns_out)] == [
        7,
        10,
    ]


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("69.6", "69.60"), ("69.600", "69.60"), ("0", "0.00"), ("1E+2", "100.00"), ("  5 ", "5.00"), ("007", "7.00"),
        # A sum of binary fractions, as Java and JavaScript write it.
        ("0.30000000000000004", "0.30"), ("1199.9999999999998", "1200.00"),
    ],
)  # fmt: skip
def test_an_amount(raw: str, value: str) -> None:
    assert str(read_fields([AMOUNT], {"amount": raw}, "data")["amount"]) == value


@pytest.mark.parametrize(
    ("raw", "refused"),
    [
        ("69.605", "field_format"), ("69.600001", "field_format"),
        ("-1", "field_format"), ("1e999999999", "field_format"), ("１", "field_format"),
        ("1,000", "field_format"), ("1e99", "field_too_long"), ("123456789012345", "field_too_long"),
        ("", "field_missing"), ("null", "field_missing"), (None, "field_missing"), (True, "field_format"),
        (["1"], "field_format"), ({}, "field_format"), ("NaN", "field_format"),
    ],
)  # fmt: skip
def test_no_amount(raw, refused: str) -> None:
    with pytest.raises(Rejected) as rejected:
        read_fields([AMOUNT], {"amount": raw}, "data")
    assert rejected.value.code == refused
    assert rejected.value.params["field"] == "data.amount"


def test_texts_codes_and_moments() -> None:
    given = {"name": " 张三 ", "flag": "2", "moment": "2026-11-21 08:00:00"}
    row = read_fields([NAME, FLAG, MOMENT], given, "data")
    assert row["name"] == "张三"
    assert row["flag"] == "02"
    assert row["moment"].astimezone(datetime.UTC).hour == 0
    for wrong in (
        {"name": "abcdef"},
        {"name": "a\x00"},
        {"flag": "7"},
        {"moment": "21.11.2026"},
        {"moment": "0001-01-01"},
    ):
        with pytest.raises(Rejected):
            read_fields([NAME, FLAG, MOMENT], wrong, "data")


def test_a_code_of_an_open_list_passes() -> None:
    assert code_in("psn_type", "116032") == "116032"
    assert code_in("gend", "7") is None


def test_output_is_exact() -> None:
    node = Node("data", False, (AMOUNT, NAME, Field("day", "date", 0, 0, "", "", "")))
    written = write([node], {"data": {"amount": Decimal("1.005"), "day": datetime.date(2026, 1, 2)}})
    assert written == {"data": {"amount": Decimal("1.01"), "name": None, "day": "2026-01-02"}}
    for wrong in ({"data": {}}, {"data": {"amount": 1, "other": 2}}, {"data": {"amount": 1}, "more": {}}):
        with pytest.raises(ValueError):
            write([node], wrong)


def test_a_field_is_found_in_every_spelling() -> None:
    flag = Field("acct_used_flag", "string", 1, 0, "Y", "acct_used_flag", "", also=("acc_used_flag",))
    for name in ("acct_used_flag", "acc_used_flag", "acctUsedFlag", "ACCT_USED_FLAG", "accUsedFlag"):
        assert read_fields([flag], {name: "1"}, "data")["acct_used_flag"] == "1"
    # The right spelling wins over another one beside it.
    assert read_fields([flag], {"acc_used_flag": "2", "acct_used_flag": "0"}, "data")["acct_used_flag"] == "0"


@pytest.mark.parametrize("number", sorted(fields.known()))
def test_no_two_names_of_a_node_are_the_same_in_another_spelling(number: str) -> None:
    for node in fields.tables(number).input:
        names = [fold(name) for field in node.fields for name in (field.name, *field.also)]
        assert len(set(names)) == len(names)


def test_nodes_in_other_spellings_and_as_objects_or_lists() -> None:
    node = Node("mdtrtinfo", False, (NAME,), also=("visit",))
    for name in ("mdtrtinfo", "mdtrtInfo", "visit"):
        for given in ({"name": "a"}, [{"name": "a"}]):
            assert fields.read([node], {name: given}) == {"mdtrtinfo": {"name": "a"}}
    with pytest.raises(Rejected, match="node_missing"):
        fields.read([node], {"mdtrtinfo": [{"name": "a"}, {"name": "b"}]})


def test_a_node_inside_a_row() -> None:
    inner = Node("trace", True, (NAME,), need="")
    node = Node("drug", True, (AMOUNT,), nodes=(inner,))
    given = {"drug": {"amount": "1", "trace": {"name": "a"}}}
    assert fields.read([node], given) == {"drug": [{"amount": Decimal("1.00"), "trace": [{"name": "a"}]}]}
    for nothing in (None, "", "null", [], {}):
        assert fields.read([node], {"drug": [{"amount": "1", "trace": nothing}]})["drug"][0]["trace"] == []
    with pytest.raises(Rejected) as rejected:
        fields.read([node], {"drug": [{"amount": "1", "trace": [{}, {"name": "too long"}]}]})
    assert rejected.value.params["field"] == "drug[0].trace[1].name"


def test_only_a_signed_number_may_be_negative() -> None:
    signed = Field("sum", "num", 16, 2, "Y", "", "", signed=True)
    assert read_fields([signed], {"sum": "-12.5"}, "data")["sum"] == Decimal("-12.50")
    with pytest.raises(Rejected, match="field_format"):
        read_fields([AMOUNT], {"amount": "-0.01"}, "data")


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("2026-11-21 08:00:00", "2026-11-21 08:00:00"), ("2026-11-21", "2026-11-21 00:00:00"),
        ("2026-11-21T08:00:00", "2026-11-21 08:00:00"), ("2026-11-21T00:00:00Z", "2026-11-21 08:00:00"),
        ("20261121080000", "2026-11-21 08:00:00"), ("20261121", "2026-11-21 00:00:00"),
        ("2026/11/21 8:00:00", "2026-11-21 08:00:00"), ("2026/11/21", "2026-11-21 00:00:00"),
        ("2026-11-21 08:00:00.123", "2026-11-21 08:00:00"),
    ],
)  # fmt: skip
def test_moments_as_real_programs_write_them(raw: str, wanted: str) -> None:
    moment = read_fields([MOMENT], {"moment": raw}, "data")["moment"]
    assert f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}" == wanted
    day = Field("day", "date", 0, 0, "", "", "")
    assert read_fields([day], {"day": raw}, "data")["day"] == datetime.date(2026, 11, 21)


def test_bytes_as_text_and_as_numbers() -> None:
    file = Field("in", "bytes", 0, 0, "", "", "")
    for raw, octets in (
        ("AQID", b"\x01\x02\x03"),
        (["1", "2", "3"], b"\x01\x02\x03"),
        ("[]", b""),
        ([], b""),
        ("", None),
    ):
        assert read_fields([file], {"in": raw}, "data")["in"] == octets
    for raw in ("A", "文", ["256"], ["a"], [None], True):
        with pytest.raises(Rejected, match="field_format"):
            read_fields([file], {"in": raw}, "data")


def test_output_in_both_spellings_without_a_node_and_without_output() -> None:
    cash = Field("cash", "num", 16, 2, "", "", "", also=("cash_pay",))
    row = Node("row", False, (cash,), also=("line",))
    one = {"cash": Decimal("1.00"), "cash_pay": Decimal("1.00")}
    assert write([row], {"row": {"cash": 1}}) == {"row": one, "line": one}
    # What is empty is not said twice.
    assert write([row], {"row": {}})["row"] == {"cash": None}
    assert write([Node("rows", True, (cash,), bare=True)], {"rows": [{"cash": 1}]}) == [one]
    assert write([], {}) is None


def test_a_moment_written_as_a_day_is_that_of_the_country() -> None:
    day = Node("data", False, (Field("day", "date", 0, 0, "", "", ""),))
    late = datetime.datetime(2026, 11, 21, 17, tzinfo=datetime.UTC)
    assert write([day], {"data": {"day": late}}) == {"data": {"day": "2026-11-22"}}


@pytest.mark.parametrize("number", ["2101", "2102", "2201", "2206", "2206A", "2207", "2207A", "2303", "2304", "2401"])
def test_what_1101_says_of_a_person_may_be_sent_back(number: str) -> None:
    """Programs hand on what they were told; a resident's psn_type is longer than the text of 2201 has it."""
    told = {field.name: field.size for node in fields.tables("1101").output for field in node.fields}
    taken = {field.name: field.size for node in fields.tables(number).input for field in node.fields}
    for name in ("psn_no", "psn_name", "psn_type", "insutype"):
        assert taken.get(name, told[name]) >= told[name], name
