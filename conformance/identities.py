"""The identities F1 to F14 among the amounts (interface.md 4), from an answer alone: nothing of the portal is imported.

F13 is of mobile payment (6xxx), which the gateway does not have.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

ZERO = Decimal(0)
FEN = Decimal("0.01")
FUNDS = ("hifp_pay", "hifes_pay", "hifmi_pay", "hifob_pay", "cvlserv_pay", "maf_pay", "oth_pay")
SPLIT = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
LINE_SPLIT = ("fulamt_ownpay_amt", "overlmt_amt", "preselfpay_amt", "inscp_scp_amt")
# Of setldetail: the personal account and what the hospital bears are no funds.
ACCOUNT = ("310200", "310201")
HOSPITAL = ("999996", "999997")
Found = Iterator[str]


def line_faults(line: Mapping[str, Any]) -> Found:
    """F6, F7 and F8 of a row of 2204, 2301 or detlcutinfo."""
    name, total = f"line {line['feedetl_sn']}", line["det_item_fee_sumamt"]
    if sum(line[part] for part in LINE_SPLIT) != total:
        yield f"F6 {name}: {[line[part] for part in LINE_SPLIT]} are not {total}"
    sign = -1 if line["cnt"] < 0 else 1
    if any(line[part] * sign < 0 for part in LINE_SPLIT):
        yield f"F6 {name}: a part has the other sign"
    if sign > 0 and total != fen(line["cnt"] * line["pric"]):
        yield f"F7 {name}: {line['cnt']} times {line['pric']} is not {total}"
    if sign > 0 and not line["fulamt_ownpay_amt"] and not line["overlmt_amt"]:
        share = fen(total * line["selfpay_prop"])
        if line["preselfpay_amt"] != share:
            yield f"F8 {name}: {line['preselfpay_amt']} of {total} up front, wanted {share}"


def bill_faults(output: Mapping[str, Any], sign: int = 1) -> Found:
    """F1 to F5, F9, F10 and F14 of a quote or settlement; `sign` -1 for a reversal (F11).

    A field that the transaction's table does not have counts as nothing, as programs count what is null.
    """
    info, rows = output["setlinfo"], output["setldetail"]
    amount = {
        name: info.get(name) or ZERO for name in (*FUNDS, *SPLIT, "hosp_part_amt", "acct_mulaid_pay", "act_pay_dedc")
    }
    total, fund, accounts = info["medfee_sumamt"], info["fund_pay_sumamt"], info["acct_pay"]
    part, cash = (_either(info, *names) for names in (("psn_part_amt", "psn_pay"), ("psn_cash_pay", "cash_payamt")))
    if total != fund + part + amount["hosp_part_amt"]:
        yield f"F1: {total} is not {fund} + {part} + {amount['hosp_part_amt']}"
    if part != accounts + cash:
        yield f"F2: {part} is not {accounts} + {cash}"
    if not ZERO <= amount["acct_mulaid_pay"] * sign <= accounts * sign:
        yield f"F3: {amount['acct_mulaid_pay']} is not inside {accounts}"
    if "hifp_pay" in info and fund != sum(amount[name] for name in FUNDS):
        yield f"F4: {fund} is not the sum of {[amount[name] for name in FUNDS]}"
    if total != sum(amount[name] for name in SPLIT):
        yield f"F5: {total} is not the sum of {[amount[name] for name in SPLIT]}"
    yield from _detail_faults(info, rows, total - cash, fund, sign)
    if not ZERO <= amount["act_pay_dedc"] * sign <= amount["inscp_scp_amt"] * sign:
        yield f"F14: {amount['act_pay_dedc']} of {amount['inscp_scp_amt']} are a deductible"
    signed = [*amount.values(), total, fund, part, accounts, cash]
    if any(value * sign < 0 for value in signed):
        yield f"F11: an amount has the wrong sign: {signed}"
    yield from _balance_faults(info)


def _detail_faults(
    info: Mapping[str, Any], rows: list[Mapping[str, Any]], paid: Decimal, fund: Decimal, sign: int
) -> Found:
    payers = [row["fund_pay_type"] for row in rows]
    if sum((row["fund_payamt"] for row in rows), ZERO) != paid:
        yield f"F9: setldetail comes to another sum than {paid}: {[row['fund_payamt'] for row in rows]}"
    if len(payers) != len(set(payers)) or any(row["fund_payamt"] * sign <= 0 for row in rows):
        yield f"F9: setldetail has a payer twice or one who pays nothing: {payers}"
    of_account = sum((row["fund_payamt"] for row in rows if row["fund_pay_type"] in ACCOUNT), ZERO)
    of_hospital = sum((row["fund_payamt"] for row in rows if row["fund_pay_type"] in HOSPITAL), ZERO)
    if of_account != info["acct_pay"]:
        yield f"F9: the account's row is {of_account}, acct_pay {info['acct_pay']}"
    if fund != paid - of_account - of_hospital:
        yield f"F10: fund_pay_sumamt {fund} holds more than the funds"


def _balance_faults(info: Mapping[str, Any]) -> Found:
    balance = info.get("balc")
    if balance is None:
        return
    if balance < 0:
        yield f"balc is {balance}"
    if info.get("exp_content"):
        buckets = json.loads(info["exp_content"], parse_float=Decimal)
        if sum(buckets.values()) != balance or min(buckets.values()) < 0:
            yield f"balc is {balance}, its buckets {buckets}"


def quote_faults(quoted: Mapping[str, Any], settled: Mapping[str, Any]) -> Found:
    """What was quoted is what is settled: every amount, the balance after payment (4.3) and each payer."""
    yield from _differences("quoted and settled", quoted["setlinfo"], settled["setlinfo"])
    if _paid(quoted) != _paid(settled):
        yield f"quoted {_paid(quoted)}, settled {_paid(settled)}"


def reversal_faults(settled: Mapping[str, Any], back: Mapping[str, Any], msgid: str) -> Found:
    """F11: every amount negated, the message of the reversal named, a number of its own."""
    there, here = settled["setlinfo"], back["setlinfo"]
    for name, value in _amounts(here).items():
        if name in there and there[name] is not None and value != -there[name]:
            yield f"F11: {name} was {there[name]} and comes back as {value}"
    for one, other in (("pdn_cash_pay", "psn_cash_pay"), ("psn_pay", "psn_part_amt"), ("cash_payamt", "psn_cash_pay")):
        if one in here and here[one] != -there[other]:
            yield f"F11: {one} is {here[one]}, {other} was {there[other]}"
    if {row["fund_pay_type"]: -row["fund_payamt"] for row in back["setldetail"]} != _paid(settled):
        yield f"F11: paid by {_paid(settled)}, given back {_paid(back)}"
    if here.get("medins_setl_id", msgid) != msgid:
        yield f"F11: medins_setl_id is {here['medins_setl_id']}, the message {msgid}"
    if here["setl_id"] == there["setl_id"]:
        yield "F11: the reversal has the number of the settlement"


def query_faults(settled: Mapping[str, Any], found: Mapping[str, Any]) -> Found:
    """F12: 5203 says by its own names what the settlement said, but the balance, which has moved on."""
    info, said = found["setlinfo"], settled["setlinfo"]
    parts = info["fund_pay_sumamt"] + info["psn_pay"] + (info.get("hosp_part_amt") or ZERO)
    if info["medfee_sumamt"] != parts:
        yield f"F12: {info['medfee_sumamt']} is not {parts}"
    if info["psn_pay"] != info["acct_pay"] + info["cash_payamt"]:
        yield f"F12: {info['psn_pay']} is not {info['acct_pay']} + {info['cash_payamt']}"
    wanted = _amounts(said) | {"psn_pay": said["psn_part_amt"], "cash_payamt": said["psn_cash_pay"]}
    for name, value in wanted.items():
        if name in info and info[name] is not None and info[name] != value:
            yield f"F12: {name} was {value} and is told as {info[name]}"


def classified_faults(lines: list[Mapping[str, Any]], output: Mapping[str, Any]) -> Found:
    """The head of a bill is the sum of its lines, part by part (F5 of F6)."""
    info = output["setlinfo"]
    pairs = [("det_item_fee_sumamt", "medfee_sumamt"), *zip(LINE_SPLIT, SPLIT, strict=True)]
    for of_line, of_bill in pairs:
        found = sum((line[of_line] for line in lines), ZERO)
        if found != info[of_bill]:
            yield f"F5: {of_bill} is {info[of_bill]}, the lines come to {found}"


def balance_faults(before: Decimal, output: Mapping[str, Any]) -> Found:
    """4.3: the balance after payment is that before, less what the own account paid (plus what it got back)."""
    info = output["setlinfo"]
    own = info["acct_pay"] - (info.get("acct_mulaid_pay") or ZERO)
    if info.get("balc") is not None and info["balc"] != before - own:
        yield f"4.3: {before} less {own} is not {info['balc']}"


def fen(value: Decimal) -> Decimal:
    """Half up, as every insurer rounds."""
    return value.quantize(FEN, ROUND_HALF_UP)


def _either(info: Mapping[str, Any], *names: str) -> Decimal:
    return next(info[name] for name in names if info.get(name) is not None)


def _amounts(info: Mapping[str, Any]) -> dict[str, Decimal]:
    """What is money and no balance, no share, no age."""
    skipped = {"balc", "pool_prop_selfpay", "age"}
    return {name: value for name, value in info.items() if isinstance(value, Decimal) and name not in skipped}


def _paid(output: Mapping[str, Any]) -> dict[str, Decimal]:
    return {row["fund_pay_type"]: row["fund_payamt"] for row in output["setldetail"]}


def _differences(what: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Found:
    for name, value in _amounts(one).items() | {("balc", one.get("balc"))}:
        if other.get(name) != value:
            yield f"{what} differ: {name} {value} and {other.get(name)}"
