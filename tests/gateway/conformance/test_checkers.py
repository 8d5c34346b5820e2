"""The checkers, checked: each defect that they are for is seen by them."""

import json
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from conformance import answers, fields_sent, habits, identities, lanes, wrongs
from conformance.carrier import Reply
from conformance.stand import Job, Stand
from gateway.domain import json_text
from gateway.fields import samples
from tests.gateway.conformance.carrier import Direct

FEN = Decimal("0.01")


def answer(number: str) -> Any:
    return json.loads(json_text.dumps(samples.answer_output(number)), parse_float=Decimal)


def envelope(**changed: Any) -> dict[str, Any]:
    sound = {
        "infcode": 0, "inf_refmsgid": "1" * 30, "refmsg_time": "1" * 17, "respond_time": "1" * 17, "warn_msg": None,
        "cainfo": None, "signtype": None, "err_msg": "", "output": None,
    }  # fmt: skip
    return sound | changed


AMOUNTS = [
    "medfee_sumamt", "fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt", "hifp_pay",
    "fund_pay_sumamt", "psn_part_amt", "acct_pay", "psn_cash_pay", "hosp_part_amt", "cvlserv_pay", "oth_pay",
]  # fmt: skip


@pytest.mark.parametrize("name", AMOUNTS)
def test_a_fen_off_anywhere_is_seen(name: str) -> None:
    settled = answer("2207")
    assert list(identities.bill_faults(settled)) == []
    settled["setlinfo"][name] += FEN
    assert list(identities.bill_faults(settled))


@pytest.mark.parametrize(
    ("change", "which"),
    [
        ({"acct_mulaid_pay": Decimal("680.01")}, "F3"),
        ({"act_pay_dedc": Decimal("860.01")}, "F14"),
        ({"balc": Decimal("-0.01")}, "balc"),
        ({"exp_content": '{"crtYearBalc":1.00,"calYearBalc":0.00}'}, "buckets"),
    ],
)
def test_what_is_no_sum_is_seen(change: dict[str, Any], which: str) -> None:
    settled = answer("2207")
    settled["setlinfo"] |= change
    assert any(which in fault for fault in identities.bill_faults(settled))


def test_the_rows_of_payers_are_looked_at() -> None:
    for spoil in (
        lambda rows: rows.pop(),
        lambda rows: rows.append(rows[0]),
        lambda rows: rows[0].update(fund_payamt=rows[0]["fund_payamt"] + FEN),
        lambda rows: rows[1].update(fund_pay_type="330100"),
    ):
        settled = answer("2207")
        spoil(settled["setldetail"])
        assert any("F9" in fault or "F10" in fault for fault in identities.bill_faults(settled))


def test_a_line_is_looked_at() -> None:
    sound = {
        "feedetl_sn": "1", "det_item_fee_sumamt": Decimal("4.52"), "cnt": Decimal(1), "pric": Decimal("4.52"),
        "fulamt_ownpay_amt": Decimal(0), "overlmt_amt": Decimal(0), "preselfpay_amt": Decimal("0.23"),
        "inscp_scp_amt": Decimal("4.29"), "selfpay_prop": Decimal("0.05"),
    }  # fmt: skip
    assert list(identities.line_faults(sound)) == []
    for change, which in (
        ({"inscp_scp_amt": Decimal("4.28")}, "F6"),
        ({"pric": Decimal("4.53")}, "F7"),
        ({"preselfpay_amt": Decimal("0.22"), "inscp_scp_amt": Decimal("4.30")}, "F8"),
    ):
        assert any(which in fault for fault in identities.line_faults(sound | change))


def test_a_reversal_a_quote_and_a_query_are_held_against_the_settlement() -> None:
    settled, back, queried = answer("2207"), answer("2208"), answer("5203")
    message = back["setlinfo"]["medins_setl_id"]
    assert list(identities.reversal_faults(settled, back, message)) == []
    assert list(identities.reversal_faults(settled, back, "another"))
    assert list(identities.query_faults(settled, queried)) == []
    for there in (back, queried):
        spoilt = deepcopy(there)
        spoilt["setlinfo"]["acct_pay"] += FEN
        assert [
            *identities.reversal_faults(settled, spoilt, message),
            *identities.query_faults(settled, spoilt | queried),
        ]
    spoilt = deepcopy(settled)
    spoilt["setlinfo"]["balc"] = Decimal("1.00")
    assert list(identities.quote_faults(settled, spoilt))
    assert list(identities.balance_faults(Decimal("1.00"), settled))
    assert list(identities.classified_faults([], settled))


@pytest.mark.parametrize(
    "change",
    [
        {"setl_id": None},
        {"acct_pay": "680.00"},
        {"acct_pay": Decimal("680.0")},
        {"acct_pay": Decimal("680.000")},
        {"acct_pay": Decimal("100000000000000.00")},
        {"gend": "7"},
        {"unheard": "1"},
        {"psn_name": "长" * 51},
        {"psn_name": ""},
        {"psn_name": "null"},
        {"setl_time": "2026-11-22T09:30:00"},
        {"brdy": "1985-3-12"},
        {"age": True},
    ],
)
def test_an_output_that_is_not_the_table_is_seen(change: dict[str, Any]) -> None:
    settled = answer("2207")
    assert answers.output_faults("2207", settled) == []
    assert len(answers.output_faults("2207", settled | {"setlinfo": settled["setlinfo"] | change})) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"infcode": "0"},
        {"infcode": 1},
        {"infcode": True},
        {"inf_refmsgid": ""},
        {"refmsg_time": "2026"},
        {"err_msg": "something"},
        {"infcode": -1},
        {"infcode": -1, "err_msg": "FSI-不行[no]", "output": {}, "inf_refmsgid": None},
        {"infcode": -1, "err_msg": "不行[no]", "inf_refmsgid": None},
        {"infcode": -1, "err_msg": "FSI-不行", "inf_refmsgid": None},
        {"infcode": -1, "err_msg": "FSI-no[no]", "inf_refmsgid": None},
        {"infcode": -1, "err_msg": f"FSI-{'长' * 200}[no]", "inf_refmsgid": None},
        {"infcode": -1, "err_msg": "FSI-系统繁忙[system_error]", "inf_refmsgid": None},
    ],
)
def test_an_envelope_that_is_none_is_seen(changed: dict[str, Any]) -> None:
    assert list(answers.envelope_faults(envelope(), infcode_as_text=False)) == []
    assert list(answers.envelope_faults(envelope(**changed), infcode_as_text=False))


def test_a_name_twice_in_an_answer_is_seen() -> None:
    with pytest.raises(answers.NotOnce):
        answers.parse(b'{"infcode":0,"infcode":1}')


class Spoiled(Direct):
    """A gateway that takes a fen more of the account than it says, writes what it refuses, or loses its temper."""

    def __init__(self, old: bytes, new: bytes, status: int = 200) -> None:
        super().__init__()
        self.old, self.new, self.status = old, new, status

    def post(self, path: str, body: bytes, headers: dict[str, str], *, expect: bool = False) -> Reply:
        reply = super().post(path, body, headers, expect=expect)
        return Reply(self.status, reply.content_type, reply.body.replace(self.old, self.new))


@pytest.mark.parametrize(
    ("spoiled", "seen"),
    [
        (Spoiled(b'"psn_cash_pay":', b'"psn_cash_pay":1'), "F2"),
        (Spoiled(b'"infcode":0', b'"infcode":"0"'), "infcode"),
        (Spoiled(b"[batch_settled]", b"[settled]"), "wanted [batch_settled]"),
        (Spoiled(b"", b"", 500), "HTTP status"),
        (Spoiled(b'"err_msg":""', b'"err_msg":"","err_msg":""'), "NotOnce"),
    ],
)
def test_a_defect_of_the_gateway_is_a_finding(stand: Stand, spoiled: Spoiled, seen: str) -> None:
    from conformance import sequences
    from conformance.manners import Manner

    broken = Stand(spoiled)
    lanes.play(broken, Job("", "spoiled", lambda stand: sequences.day(stand, "310000", Manner())))
    assert any(seen in finding for finding in broken.told.findings), broken.told.findings


def test_what_is_understood_otherwise_is_a_finding(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """A habit after which the account is not used."""

    def cash(number: str, given: Any) -> Any:
        return json.loads(json.dumps(given).replace('"acct_used_flag": "1"', '"acct_used_flag": "0"'))

    monkeypatch.setitem(habits.CHANGES, "cash", cash)
    lanes.play(stand, Job("", "", lambda stand: habits.understood(stand, "outpatient", "cash")))
    assert any("2207 is answered alike" in finding for finding in stand.told.findings)


def test_a_field_that_is_not_named_is_a_finding(stand: Stand) -> None:
    broken = Stand(Spoiled(b"mdtrt_cert_type", b"something"))
    lanes.play(broken, Job("", "", lambda stand: fields_sent.each_field(stand, "1101")))
    assert any("names the field" in finding for finding in broken.told.findings)


def test_what_a_refusal_writes_is_a_finding(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that keeps a visit of everything that it refuses."""
    count = iter(range(1000))
    monkeypatch.setattr("conformance.world.written", lambda: {"gateway_visit": next(count)})
    lanes.play(stand, Job("", "", wrongs.PLAYS["keys"]))
    assert any("nothing is written" in finding for finding in stand.told.findings)
