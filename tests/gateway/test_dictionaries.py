"""1901, and what the code lists may hold."""

from typing import Any

import pytest

from gateway import fields
from gateway.fields.tables import code_in, code_lists, code_lists_in_english, open_lists
from tests.gateway.world import World

pytestmark = pytest.mark.django_db


def ask(world: World, **changed: Any) -> dict[str, Any]:
    given = {"type": "chrgitm_lv", "parent_value": "", "admdvs": "310000", "date": "2026-11-22", "Vali_Flag": "1"}
    return world.hospital.call("1901", {"data": given | changed})


def test_a_list_in_its_order(world: World) -> None:
    rows = ask(world)["output"]["list"]
    assert [(row["value"], row["label"], row["sort"]) for row in rows] == [
        ("01", "甲类", 1), ("02", "乙类", 2), ("03", "丙类", 3),
    ]  # fmt: skip
    assert {row["type"] for row in rows} == {"chrgitm_lv"}
    assert {row["valiFlag"] for row in rows} == {"1"}
    assert rows[0]["createDate"] == "2024-10-14"
    assert rows[0]["version"] == 1


@pytest.mark.parametrize(
    ("changed", "length"),
    [
        ({"type": "CHRGITM_LV"}, 3), ({"type": "chrgitmLv"}, 3), ({"parent_value": "0", "Vali_Flag": "01"}, 3),
        ({"parent_value": "01"}, 0), ({"Vali_Flag": "0"}, 0), ({"Vali_Flag": None, "admdvs": None}, 3),
    ],
)  # fmt: skip
def test_spellings_and_what_narrows(world: World, changed: dict[str, Any], length: int) -> None:
    assert len(ask(world, **changed)["output"]["list"]) == length


def test_a_list_that_does_not_exist(world: World) -> None:
    answer = ask(world, type="nonsense")
    assert answer["infcode"] == -1
    assert answer["err_msg"].endswith("[dictionary_unknown]")
    assert "nonsense" in answer["err_msg"]


def test_every_list_can_be_asked_for(world: World) -> None:
    for name in code_lists():
        assert len(ask(world, type=name)["output"]["list"]) == len(code_lists()[name]), name


def test_no_two_codes_of_a_list_differ_in_leading_zeros_only() -> None:
    for name, codes in code_lists().items():
        assert len({code.lstrip("0") for code in codes}) == len(codes), name
        assert all(code_in(name, code) == code for code in codes)
        assert all(label and code_lists_in_english()[name][code] for code, label in codes.items())


def test_open_lists_are_lists_and_used() -> None:
    used = {
        field.dictionary
        for number in {*fields.known(), "envelope"}
        for node in (*fields.tables(number).input, *fields.tables(number).output)
        for field in (*node.fields, *(inner for child in node.nodes for inner in child.fields))
    }
    assert open_lists() <= set(code_lists())
    # Of transactions that are not here; they can be asked for all the same.
    others = {"dcla_souc", "patn_rlts", "agnter_rlts", "hi_feesetl_type", "transaction_type", "sp_dise_flag"}
    assert set(code_lists()) - used <= others
    assert code_in("med_type", "990199") == "990199"
    assert code_in("gend", "7") is None
