"""The identities F1 to F14 among the amounts of a settlement (interface.md 4.1), as one check."""

import json
from decimal import Decimal
from typing import Any


def check_line(line: dict[str, Any]) -> None:
    """F6, F7, F8 of one row of the answer to 2204."""
    parts = [line[name] for name in ("fulamt_ownpay_amt", "overlmt_amt", "preselfpay_amt", "inscp_scp_amt")]
    total = line["det_item_fee_sumamt"]
    assert sum(parts) == total
    assert all(part >= 0 for part in parts)
    assert total == (line["cnt"] * line["pric"]).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
    if not line["fulamt_ownpay_amt"] and not line["overlmt_amt"]:
        share = (total * line["selfpay_prop"]).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
        assert line["preselfpay_amt"] == share


def check_bill(output: dict[str, Any], sign: int = 1) -> None:
    """F1 to F5, F9, F10, F14 of setlinfo and setldetail; `sign` -1 for a reversal (F11)."""
    info = output["setlinfo"]
    total = info["medfee_sumamt"]
    assert total == info["fund_pay_sumamt"] + info["psn_part_amt"] + info["hosp_part_amt"]
    assert info["psn_part_amt"] == info["acct_pay"] + info["psn_cash_pay"]
    assert 0 <= info["acct_mulaid_pay"] * sign <= info["acct_pay"] * sign
    funds = ("hifp_pay", "hifes_pay", "hifmi_pay", "hifob_pay", "cvlserv_pay", "maf_pay", "oth_pay")
    assert info["fund_pay_sumamt"] == sum(info[name] for name in funds)
    split = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
    assert total == sum(info[name] for name in split)
    assert sum(row["fund_payamt"] for row in output["setldetail"]) == total - info["psn_cash_pay"]
    assert all(row["fund_payamt"] * sign > 0 for row in output["setldetail"])
    payers = [row["fund_pay_type"] for row in output["setldetail"]]
    assert len(payers) == len(set(payers))
    assert 0 <= info["act_pay_dedc"] * sign <= info["inscp_scp_amt"] * sign
    signed = [*split, *funds, "acct_pay", "psn_cash_pay", "fund_pay_sumamt", "psn_part_amt", "medfee_sumamt"]
    assert all(info[name] * sign >= 0 for name in signed)
    assert info["balc"] >= 0
    if info.get("exp_content"):
        assert sum(json.loads(info["exp_content"], parse_float=Decimal).values()) == info["balc"]
