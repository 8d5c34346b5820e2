"""What tills were told against the end state: each msgid has one answer, what it promised is there once, what was undone
does not stand and was undone once, and every family's money is what the answers add up to. And the books (checker.py)."""

import datetime
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from faults import checker
from faults.tills import code_of
from faults.told import Line
from gateway.queries.people import number_of
from settlements import ledger
from settlements.models import PersonalAccount

SETTLE, REVERSE, CORRECT = {"2102", "2207", "2304"}, {"2103", "2208", "2305"}, "2601"
TOLD_CORRECTED = "msgid_corrected"
SETTLED = """
SELECT v.msgid, v.setl_id, v.reversal_msgid, v.reversal_setl_id, t.key, r.key, s.fund + s.supplement,
    s.own_current + s.own_historical + s.shared, s.shared, s.cash
FROM gateway_visitsettlement v JOIN settlements_settlement s ON s.id = v.settlement_id
JOIN settlements_ledgertransaction t ON t.id = s.transaction_id
LEFT JOIN settlements_ledgertransaction r ON r.reverses_id = t.id
"""
MOVED = """
SELECT count(*) FILTER (WHERE kind = 'care'), count(*) FILTER (WHERE kind = 'reversal')
FROM settlements_ledgertransaction WHERE scope LIKE 'institution:%' AND refused = ''
"""
PARTS = ["fund_pay_sumamt", "acct_pay", "acct_mulaid_pay", "psn_cash_pay"]


def check(lines: list[Line], families: Sequence[Sequence[int]], on: datetime.date) -> list[str]:
    """Everything that is wrong, a line each. `families`: account ids of people who share only with each other."""
    with transaction.atomic():
        calls, found = _calls(lines)
        rows = _rows()
        for msgid, call in calls.items():
            found += _differ(msgid, call, rows)
        found += _unasked(calls, rows)
        found += _sums(calls, families, on)
    return [*checker.books(on), *found]


def _calls(lines: list[Line]) -> tuple[dict[str, Line], list[str]]:
    """msgid -> infno, input, and what was told of it in the end: `answer` None where nobody ever was."""
    calls: dict[str, Line] = {}
    found = []
    corrected: dict[str, Line] = {}
    for line in lines:
        act = line["act"]
        call = calls.setdefault(act["msgid"], {**act, "text": None, "answer": None})
        if line["what"] == "failed":
            found.append(f"{act['infno']} {act['msgid']} was answered {line['error']}")
        elif "text" in line:
            answer = json.loads(line["text"], parse_float=Decimal)
            if answer["infcode"] and code_of(answer) == TOLD_CORRECTED:
                # Who asks again after a correction is told of it, and no longer what was undone.
                corrected[act["msgid"]] = answer
                continue
            if call["text"] not in (None, line["text"]):
                found.append(f"{act['infno']} {act['msgid']} was told two things: {call['text']} and {line['text']}")
            call["text"], call["answer"] = line["text"], answer
    for msgid, answer in corrected.items():
        calls[msgid]["answer"] = calls[msgid]["answer"] or answer
    corrections = [call for call in calls.values() if call["infno"] == CORRECT and _agreed(call)]
    known = {call["input"]["data"]["omsgid"] for call in corrections}
    return calls, [
        *found,
        *(f"{msgid} was told of a correction that nobody made" for msgid in corrected.keys() - known),
    ]


def _rows() -> list[dict[str, Any]]:
    names = ["msgid", "setl_id", "reversal_msgid", "reversal_setl_id", "key", "reversal_key", *PARTS]
    with connection.cursor() as cursor:
        cursor.execute(SETTLED)
        return [dict(zip(names, row, strict=True)) for row in cursor]


def _agreed(call: Line) -> bool:
    return call["answer"] is not None and not call["answer"]["infcode"]


def _differ(msgid: str, call: Line, rows: list[dict[str, Any]]) -> list[str]:
    """A call against what is there of it."""
    infno, name = call["infno"], f"{call['infno']} {msgid}"
    made = [row for row in rows if row["msgid"] == msgid]
    undone = [row for row in rows if row["reversal_msgid"] == msgid]
    if infno == CORRECT and _agreed(call):
        omsgid = call["input"]["data"]["omsgid"]
        standing = [row for row in rows if row["msgid"] == omsgid and row["reversal_msgid"] is None]
        return [f"{name} undid {omsgid}, which stands"] if standing else []
    if infno not in SETTLE | REVERSE or call["answer"] is None:
        return []
    mine, sign = (made, 1) if infno in SETTLE else (undone, -1)
    if not _agreed(call):
        return [f"{name} was refused ({call['answer']['err_msg']}) and is there"] if mine else []
    said = call["answer"]["output"]["setlinfo"]
    prefix = "" if infno in SETTLE else "reversal_"
    told = [msgid, said["setl_id"], *(sign * said[part] for part in PARTS)]
    held = [[row[f"{prefix}key"], row[f"{prefix}setl_id"], *(row[part] for part in PARTS)] for row in mine]
    return [] if held == [told] else [f"{name} was told {told} and is there as {held}"]


def _unasked(calls: dict[str, Line], rows: list[dict[str, Any]]) -> list[str]:
    """Nothing is there that nobody asked for, and nothing moved money but what the visits know of."""
    with connection.cursor() as cursor:
        cursor.execute(MOVED)
        settled, reversed_ = cursor.fetchone()
    found = [f"{settled} bills in the ledger, {len(rows)} of visits"] if settled != len(rows) else []
    given_back = sum(row["reversal_msgid"] is not None for row in rows)
    found += [f"{reversed_} reversals in the ledger, {given_back} of visits"] if reversed_ != given_back else []
    for row in rows:
        if calls.get(row["msgid"], {}).get("infno") not in SETTLE:
            found.append(f"{row['msgid']} is settled and nobody asked for it")
        if row["reversal_msgid"] and calls.get(row["reversal_msgid"], {}).get("infno") not in {*REVERSE, CORRECT}:
            found.append(f"{row['msgid']} is reversed and nobody asked for it")
    return found


def _sums(calls: dict[str, Line], families: Sequence[Sequence[int]], on: datetime.date) -> list[str]:
    """What tills were told to have taken and given back, against what the families have left."""
    owner = _owners()
    family_of = {account: number for number, family in enumerate(families) for account in family}
    money: dict[int, Decimal] = defaultdict(Decimal)
    booked = checker.interest()
    for account, amount in checker.openings().items():
        if account in family_of:
            money[family_of[account]] += amount + checker.interest_of(account, booked, on)
    undone = _undone(calls)
    found = [f"{name} was taken back {times} times" for name, times in undone.items() if times > 1]
    for msgid, call in calls.items():
        if call["infno"] not in SETTLE:
            continue
        corrected = msgid in undone
        if call["answer"] is None and not corrected:
            found.append(f"{call['infno']} {msgid} was never answered nor corrected: the log does not add up")
        if _agreed(call):
            said = call["answer"]["output"]["setlinfo"]
            if not corrected:
                money[family_of[owner[said["psn_no"]]]] -= said["acct_pay"]
    for number, family in enumerate(families):
        shown = sum((held.total - held.debt for held in ledger.balances(family, on).values()), Decimal(0))
        if shown != money[number]:
            found.append(f"family {number} shows {shown}, its tills were told {money[number]}")
    return found


def _undone(calls: dict[str, Line]) -> Counter[str]:
    """msgid of what does not stand any more -> how many tills were told that it was they who took it back. A correction
    that found nothing to undo says so (warn_msg): what it names does not stand either, but it counts as none."""
    times: Counter[str] = Counter()
    by_msgid = {
        call["answer"]["output"]["setlinfo"]["setl_id"]: msgid
        for msgid, call in calls.items()
        if call["infno"] in SETTLE and _agreed(call)
    }
    for call in calls.values():
        if call["infno"] in REVERSE and _agreed(call):
            times[by_msgid[call["input"]["data"]["setl_id"]]] += 1
        elif call["infno"] == CORRECT and _agreed(call):
            times[call["input"]["data"]["omsgid"]] += not call["answer"]["warn_msg"]
    return times


def _owners() -> dict[str, int]:
    """psn_no -> account."""
    return {number_of(public): pk for pk, public in PersonalAccount.objects.values_list("pk", "member__public_id")}
