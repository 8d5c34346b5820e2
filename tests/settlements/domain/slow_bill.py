"""A bill worked out a second time, fen by fen, from the raw data of a region file: nothing of the product is used.

Each fen of the bill walks past the stages until one takes it, and what is left to the patient walks past the payers.
"""

import datetime
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any


class Unknown(Exception):
    """The file says that it does not know."""


def fens(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int((part + "00")[:2])


def half_up(amount: Fraction) -> int:
    return int(amount + Fraction(1, 2))


@dataclass
class Patient:
    """Who comes, when and where. Amounts in whole fen."""

    born: datetime.date
    status: str
    retired_on: datetime.date | None
    enrolment: str
    on: datetime.date
    level: str
    institution: str
    signed: bool
    own: dict[str, int]
    used: dict[str, int]

    def age(self) -> int:
        had_birthday = (self.on.month, self.on.day) >= (self.born.month, self.born.day)
        return self.on.year - self.born.year - (0 if had_birthday else 1)


@dataclass
class Grantor:
    name: str
    balance: int
    bound: tuple[datetime.date, int]
    place: int | None
    limit: int | None
    limit_used: int
    may_pay: bool


@dataclass
class Result:
    """What came out, in fen."""

    fund: int = 0
    supplement: int = 0
    deductible: int = 0
    cash: int = 0
    own: dict[str, int] = field(default_factory=dict)
    relatives: dict[str, int] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)


def fits(when: dict[str, Any], who: Patient) -> bool:
    for key, wanted in when.items():
        if key == "status" and who.status != wanted:
            return False
        if key == "level" and who.level not in (wanted if isinstance(wanted, list) else [wanted]):
            return False
        if key == "signed" and who.signed != wanted:
            return False
        if key == "age_from" and who.age() < wanted:
            return False
        if key == "age_below" and who.age() >= wanted:
            return False
        if key == "retired_by" and (who.retired_on is None or who.retired_on > wanted):
            return False
    return True


def named_levels(raw: Any) -> set[str]:
    """Every level that some row of the file names."""
    if isinstance(raw, list):
        return set().union(*map(named_levels, raw))
    if not isinstance(raw, dict):
        return set()
    here = raw.get("level", [])
    return set(here if isinstance(here, list) else [here]).union(*map(named_levels, raw.values()))


def value_of(raw: Any, who: Patient) -> int:
    """A value of the file for somebody, in hundredths (fen, or hundredths of a percent)."""
    if isinstance(raw, str):
        return fens(raw)
    first = next(row["value"] for row in raw if "value" in row and fits(row.get("when", {}), who))
    return fens(first) + sum(fens(row["add"]) for row in raw if "add" in row and fits(row.get("when", {}), who))


def counter_of(stage: dict[str, Any], who: Patient) -> str | None:
    """Where a deductible is remembered; None for one that is not."""
    parts = {
        "year": [],
        "level": [who.level],
        "institution": [who.institution],
        "day_institution": [str(who.on), who.institution],
        "stay": None,
    }[stage["scope"]]
    return None if parts is None else ":".join([stage["counter"], *parts])


def bill(scheme: dict[str, Any], who: Patient, amounts: dict[str, int], grantors: list[Grantor], rules: Any) -> Result:
    """The whole bill: stages first, then payers."""
    if not scheme.get("known", True):
        raise Unknown
    if who.level == "top" and "top" not in named_levels(scheme["stage"]):
        who = replace(who, level="tertiary")
    result, purse = Result(), dict(who.own)
    normal, uses_money = who.enrolment == "normal", who.enrolment != "frozen"
    stages = [stage for stage in scheme.get("stage", []) if normal or (uses_money and stage["kind"] == "account")]
    shares = dict(amounts)
    shares["in_scope"] = walk(stages, who, amounts["in_scope"], purse, result)
    left = dict(purse)
    pots = in_order(grantors, rules)
    for name in ("in_scope", "pre_self_pay", "self_paid"):
        row = scheme["payers"][name] if uses_money else []
        for _ in range(shares[name]):
            pay_one_fen(row, left, pots, result)
    return result


def walk(stages: list[dict[str, Any]], who: Patient, cost: int, purse: dict[str, int], result: Result) -> int:
    """Send each fen of the in-scope cost past the stages; what is left to the patient."""
    room = [value_of(stage["amount"], who) if stage["kind"] == "deductible" else 0 for stage in stages]
    borne_now: dict[str | int, int] = {}
    accounts = 0
    pieces: list[tuple[Fraction, Fraction]] = []
    rate = next((stage for stage in stages if stage["kind"] == "rate"), None)
    paid = Fraction(who.used.get("paid", 0))
    for at in range(cost):
        for place, stage in enumerate(stages):
            if stage["kind"] == "account" and purse.get(stage["bucket"], 0) > 0:
                purse[stage["bucket"]] -= 1
                result.own[stage["bucket"]] = result.own.get(stage["bucket"], 0) + 1
                accounts += 1
                break
            if stage["kind"] == "deductible":
                counter = counter_of(stage, who)
                key = place if counter is None else counter
                before = 0 if counter is None else who.used.get(counter, 0)
                if before + borne_now.get(key, 0) < room[place]:
                    borne_now[key] = borne_now.get(key, 0) + 1
                    result.deductible += 1
                    break
        else:
            if rate is not None:
                for piece in one_fen(rate, who, at, paid):
                    pieces.append(piece)
                    paid += piece[0] * piece[1]
    for counter, borne in borne_now.items():
        if isinstance(counter, str):
            result.counters[counter] = result.counters.get(counter, 0) + borne
    if rate is not None:
        funds(rate, stages, who, pieces, cost, result)
    return cost - accounts - result.fund - result.supplement


def one_fen(stage: dict[str, Any], who: Patient, at: int, paid: Fraction) -> list[tuple[Fraction, Fraction]]:
    """One fen of cost cut into (cost, share of the fund), as it may lie over the end of a band."""
    if "rate" in stage:
        return [(Fraction(1), Fraction(value_of(stage["rate"], who), 10000))]
    if stage["axis"] != "fund":
        place = at + (who.used.get("cost", 0) if stage["axis"] == "in_scope" else 0)
        for band in stage["band"]:
            if "up_to" not in band or place < fens(band["up_to"]):
                return [(Fraction(1), share_of(band, who))]
    pieces: list[tuple[Fraction, Fraction]] = []
    left = Fraction(1)
    for band in stage["band"]:
        room = None if "up_to" not in band else fens(band["up_to"]) - paid
        if left == 0 or (room is not None and room <= 0):
            continue
        share = share_of(band, who)
        here = left if room is None or left * share <= room else room / share
        pieces.append((here, share))
        left -= here
        paid += here * share
    return pieces


def share_of(band: dict[str, Any], who: Patient) -> Fraction:
    if band.get("unknown"):
        raise Unknown
    return Fraction(value_of(band["rate"], who), 10000)


def funds(
    rate: dict[str, Any],
    stages: list[dict[str, Any]],
    who: Patient,
    pieces: list[tuple[Fraction, Fraction]],
    cost: int,
    result: Result,
) -> None:
    """Fund, caps and supplement, from the pieces that reached the rate."""
    entitled = half_up(sum((piece * share for piece, share in pieces), Fraction(0)))
    rooms = [max(0, value_of(row["cap"], who) - who.used.get(row["counter"], 0)) for row in rate.get("within", [])]
    if "cap" in rate:
        rooms.append(max(0, value_of(rate["cap"], who) - who.used.get("paid", 0)))
    result.fund = min([entitled, *rooms])
    add(result.counters, "paid", result.fund)
    for row in rate.get("within", []):
        add(result.counters, row["counter"], result.fund)
    if rate.get("axis") == "in_scope":
        add(result.counters, "cost", cost)
    aid = next((stage for stage in stages if stage["kind"] == "supplement"), None)
    if aid is None or result.fund == entitled:
        return
    reached, more = Fraction(0), Fraction(0)
    for piece, share in pieces:
        inside = min(piece * share, max(Fraction(0), result.fund - reached))
        reached += piece * share
        if share:
            beyond = piece - inside / share
            more += beyond * (share if aid["rate"] == "bill" else Fraction(value_of(aid["rate"], who), 10000))
    result.supplement = half_up(more)
    if "limit" in aid:
        room = max(0, value_of(aid["limit"], who) - who.used.get("aid", 0))
        result.supplement = min(result.supplement, room)
    add(result.counters, "aid", result.supplement)


def add(counters: dict[str, int], name: str, amount: int) -> None:
    if amount:
        counters[name] = counters.get(name, 0) + amount


def in_order(grantors: list[Grantor], rules: dict[str, Any]) -> list[list[Any]]:
    """[name, fen that may be taken], the first to pay first: the best of those left, again and again."""
    keep, pots, left = fens(rules["keep"]), [], [one for one in grantors if one.may_pay]
    while left:
        best = left[0]
        for one in left[1:]:
            if goes_before(one, best, rules["order"]):
                best = one
        left.remove(best)
        most = best.balance - keep
        if best.limit is not None:
            most = min(most, best.limit - best.limit_used)
        pots.append([best.name, max(0, most)])
    return pots


def goes_before(one: Grantor, other: Grantor, order: str) -> bool:
    if order == "last_bound":
        return one.bound > other.bound
    if order == "largest_balance":
        if one.balance != other.balance:
            return one.balance > other.balance
        return one.name < other.name
    if (one.place is None) != (other.place is None):
        return other.place is None
    if one.place is not None and other.place is not None and one.place != other.place:
        return one.place < other.place
    return one.bound < other.bound


def pay_one_fen(row: list[Any], left: dict[str, int], pots: list[list[Any]], result: Result) -> None:
    """The first in the row who has a fen to give gives it; else it is cash."""
    for payer in row:
        bucket = payer["bucket"] if isinstance(payer, dict) else payer
        above = fens(payer["above"]) if isinstance(payer, dict) else 0
        if bucket == "shared":
            for pot in pots:
                if pot[1] > 0:
                    pot[1] -= 1
                    result.relatives[pot[0]] = result.relatives.get(pot[0], 0) + 1
                    return
        elif left.get(bucket, 0) > above:
            left[bucket] -= 1
            result.own[bucket] = result.own.get(bucket, 0) + 1
            return
    result.cash += 1
