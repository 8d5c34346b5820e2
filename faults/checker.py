"""The end state against the log: what was told is there once and the same, what was refused is not, nothing is there
that nobody asked for, every account holds what the log adds up to; and the books against themselves (I1 to I13)."""

import datetime
import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from faults.told import Line
from settlements import ledger
from settlements.ledger.checks import run_checks

BILLS = """
SELECT t.scope, t.key, t.id, t.refused, s.id, s.fund, s.own_current, s.own_historical, s.shared, s.cash,
    (SELECT jsonb_object_agg(p.account_id, (p.current + p.historical)::text)
     FROM settlements_settlementpayer p WHERE p.settlement_id = s.id)
FROM settlements_ledgertransaction t LEFT JOIN settlements_settlement s ON s.transaction_id = t.id
WHERE t.scope LIKE 'institution:%' AND t.kind = 'care'
"""
REVERSALS = """
SELECT t.scope, t.key, t.refused, s.id, t.answer -> 'returned'
FROM settlements_ledgertransaction t LEFT JOIN settlements_settlement s ON s.transaction_id = t.reverses_id
WHERE t.scope LIKE 'institution:%' AND t.kind = 'reversal'
"""
CREDITS = "SELECT account_id, period, amount FROM settlements_credit"
OPENINGS = """
SELECT account_id, current_delta + historical_delta - debt_delta FROM settlements_entry WHERE kind = 'opening'
"""
INTEREST = """
SELECT account_id, sum(historical_delta - debt_delta) FROM settlements_entry WHERE kind = 'interest' GROUP BY account_id
"""


def check(lines: list[Line], on: datetime.date) -> list[str]:
    """Everything that is wrong, a line each; empty if all is well."""
    return [*books(on), *compare(lines, on)]


def books(on: datetime.date) -> list[str]:
    """What the books say against themselves, in one snapshot."""
    with transaction.atomic():
        return [
            f"{found.check.code} {found.check.name}: {found.count}, such as {found.rows[0]}"
            for found in run_checks(on)
            if found.count
        ]


def compare(lines: list[Line], on: datetime.date) -> list[str]:
    """The log against the database."""
    asked, final, found = _read(lines)
    with transaction.atomic():
        there = _there()
        for name, line in final.items():
            found += _differ(name, line, there)
        found += [f"{name} is there and nobody asked for it" for name in there if name not in asked]
        if all(name in final for name in asked):
            found += _sums(final, on)
    return found


def _name(act: Line) -> str:
    """What must be there at most once."""
    if act["verb"] == "credit":
        return f"credit {act['account']} {act['period']}"
    return f"{act['verb']} {act['scope']} {act['key']}"


def _read(lines: list[Line]) -> tuple[set[str], dict[str, Line], list[str]]:
    asked: set[str] = set()
    final: dict[str, Line] = {}
    found = []
    for line in lines:
        name = _name(line["act"])
        asked.add(name)
        if line["what"] == "failed":
            found.append(f"{name} was answered {line['error']}")
        elif line["what"] in ("told", "refused"):
            before = final.setdefault(name, line)
            if (before["what"], before.get("answer"), before.get("code")) != (
                line["what"],
                line.get("answer"),
                line.get("code"),
            ):
                found += _two_answers(name, before, line, final)
    return asked, final, found


def _two_answers(name: str, before: Line, line: Line, final: dict[str, Line]) -> list[str]:
    # A second client that credits the same period is refused, and rightly so: the first one's answer stands.
    if name.startswith("credit") and {before["what"], line["what"]} == {"told", "refused"}:
        final[name] = before if before["what"] == "told" else line
        return []
    return [f"{name} was told two things: {_short(before)} and {_short(line)}"]


def _short(line: Line) -> str:
    return json.dumps(line.get("answer", line.get("code")), ensure_ascii=False)


def _there() -> dict[str, list[Any]]:
    """What the database holds, by name; a list, for there must not be two."""
    there: dict[str, list[Any]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(BILLS)
        for scope, key, _transaction, refused, settlement, fund, current, historical, shared, cash, payers in cursor:
            answer = {
                "settlement": settlement, "fund": fund, "own_current": current, "own_historical": historical,
                "shared": shared, "cash": cash, "payers": _json(payers) or {},
            }  # fmt: skip
            there[f"settle {scope} {key}"].append(refused or _texts(answer))
        cursor.execute(REVERSALS)
        for scope, key, refused, settlement, returned in cursor:
            answer = {"settlement": settlement, "returned": _json(returned)}
            there[f"reverse {scope} {key}"].append(refused or _texts(answer))
        cursor.execute(CREDITS)
        for account, period, amount in cursor:
            there[f"credit {account} {period}"].append({"amount": str(amount)})
    return there


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _texts(answer: Line) -> Line:
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in answer.items()}


def _differ(name: str, line: Line, there: dict[str, list[Any]]) -> list[str]:
    held = there.get(name, [])
    if line["what"] == "refused" and name.startswith("credit"):
        # Refused for another reason than a twin: then there is none.
        return [f"{name} was refused ({line['code']}) and is there"] if held and line["code"] != "duplicate" else []
    expected = line["code"] if line["what"] == "refused" else line["answer"]
    if held == [expected]:
        return []
    return [f"{name} was answered {_short(line)} and is there as {json.dumps(held, default=str)}"]


def _sums(final: dict[str, Line], on: datetime.date) -> list[str]:
    """Opening, what the log says came and went, and the interest on top: what every account must show."""
    money, booked = openings(), interest()
    told = [(line["act"], line["answer"]) for line in final.values() if line["what"] == "told"]
    for act, answer in told:
        for account, amount in _moved(act, answer).items():
            money[account] += amount
    shown = ledger.balances(money, on)
    return [
        f"account {account} shows {shown[account].total - shown[account].debt}, the log adds up to {amount}"
        for account, amount in ((account, money[account] + interest_of(account, booked, on)) for account in money)
        if shown[account].total - shown[account].debt != amount
    ]


def openings() -> defaultdict[int, Decimal]:
    """Account -> yuan at its opening."""
    with connection.cursor() as cursor:
        cursor.execute(OPENINGS)
        return defaultdict(Decimal, cursor.fetchall())


def interest() -> dict[int, Decimal]:
    """Account -> yuan of interest that is booked."""
    with connection.cursor() as cursor:
        cursor.execute(INTEREST)
        return dict(cursor.fetchall())


def interest_of(account: int, booked: dict[int, Decimal], on: datetime.date) -> Decimal:
    """Interest that is booked, or shown of an account that is not rolled yet."""
    if account in booked:
        return booked[account]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current + historical - debt FROM settlements_personalaccount WHERE id = %s", [account])
        held: Decimal = cursor.fetchone()[0]
    shown = ledger.balances([account], on)[account]
    return shown.total - shown.debt - held


def _moved(act: Line, answer: Line) -> dict[int, Decimal]:
    """Account -> yuan, as the client was told."""
    if act["verb"] == "settle":
        return {int(account): -Decimal(amount) for account, amount in answer["payers"].items()}
    if act["verb"] == "reverse":
        returned = answer["returned"].items()
        return {int(account): sum(map(Decimal, amounts), Decimal(0)) for account, amounts in returned}
    return {act["account"]: Decimal(answer["amount"])}
