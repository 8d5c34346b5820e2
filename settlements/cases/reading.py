"""Scenario cases: strict reading of their JSON. A mistake names the case, the step and the field."""

import datetime
import itertools
import json
import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from accounts.enums import EnrolmentStatus, Level, PersonalStatus, Relation
from accounts.money import ZERO, BadAmount, parse_amount
from family.domain.rules import NEAR_RELATIVES
from settlements.enums import CareKind

# The closed list of FORMAT.md: another program that compares knows these and no others.
REASONS = (
    *("not_insured", "not_near_relative", "different_region", "suspended", "frozen", "closed", "already_bound"),
    *("too_many_relatives", "too_many_grantors", "mutual_binding", "needs_verification", "not_adjustable"),
    *("too_early_to_unbind", "below_threshold", "insufficient_balance", "amount_too_small", "over_transfer_limit"),
    *("outside_hours", "transfer_pending", "late_filing", "duplicate", "not_covered", "not_permitted"),
)


class BadCase(ValueError):
    """A malformed case: where it stands and what is wrong."""


@dataclass(frozen=True)
class CaseMember:
    insurance: str
    status: str
    retired_on: datetime.date | None
    birth: datetime.date
    enrolment: str
    region: str
    current: Decimal
    historical: Decimal
    used: Mapping[str, Decimal]
    base: Decimal | None
    signed_institution: bool


@dataclass(frozen=True)
class CaseGrant:
    grantor: str
    beneficiary: str
    relation: str
    bound_on: datetime.date
    uses: tuple[str, ...]
    limit: Decimal | None


@dataclass(frozen=True)
class CaseStep:
    at: datetime.datetime
    verb: str
    fields: Mapping[str, Any]
    expect: Mapping[str, Any]
    refused: str | None
    region: str | None = None

    @property
    def on(self) -> datetime.date:
        return self.at.date()


@dataclass(frozen=True)
class ScenarioCase:
    id: str
    region: str
    members: Mapping[str, CaseMember]
    grants: tuple[CaseGrant, ...]
    steps: tuple[CaseStep, ...]
    balances: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    file: str = ""


Reader = Callable[[Any], Any]


def amount(raw: Any) -> Decimal:
    if not isinstance(raw, str):
        raise ValueError("is no text")
    try:
        return parse_amount(raw)
    except BadAmount:
        raise ValueError(f"is no amount: {raw!r}") from None


def date(raw: Any) -> datetime.date:
    # Years end in 2199: whoever counts on from a day of 9999 has no days left.
    if not isinstance(raw, str) or not re.fullmatch(DATE, raw, re.ASCII) or raw >= "2200":
        raise ValueError(f"is no date: {raw!r}")
    return datetime.date.fromisoformat(raw)


def moment(raw: Any) -> datetime.datetime:
    if not isinstance(raw, str) or not re.fullmatch(rf"{DATE}T\d\d:\d\d:\d\d", raw, re.ASCII):
        raise ValueError(f"is no moment: {raw!r}")
    date(raw[:10])
    return datetime.datetime.fromisoformat(raw).replace(tzinfo=SHANGHAI)


def text(raw: Any) -> str:
    if not isinstance(raw, str) or not raw or re.search(NO_TEXT, raw):
        raise ValueError("is no text")
    return raw


def flag(raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise ValueError("is neither true nor false")
    return raw


def whole(raw: Any) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise ValueError("is no whole number")
    return raw


def one_of(*allowed: str) -> Reader:
    def read(raw: Any) -> str:
        if raw not in allowed:
            raise ValueError(f"is not one of {', '.join(allowed)}: {raw!r}")
        return str(raw)

    return read


def list_of(read_item: Reader) -> Reader:
    def read(raw: Any) -> tuple[Any, ...]:
        if not isinstance(raw, list):
            raise ValueError("is no list")
        return tuple(read_item(item) for item in raw)

    return read


def map_of(read_value: Reader) -> Reader:
    def read(raw: Any) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise ValueError("is no object")
        return {key: read_value(value) for key, value in raw.items()}

    return read


def rate(raw: Any) -> Decimal:
    if not re.fullmatch(r"\d{1,3}(\.\d{1,4})?", text(raw), re.ASCII) or Decimal(raw) >= 20:
        raise ValueError(f"is no percentage: {raw!r}")
    return Decimal(raw)


def object_of(**readers: Reader) -> Reader:
    """Some of these keys, and no others."""

    def read(raw: Any) -> dict[str, Any]:
        found: dict[str, Any] = map_of(lambda value: value)(raw)
        for key in found.keys() - readers.keys():
            raise ValueError(f"has the unknown key {key}")
        return {key: readers[key](value) for key, value in found.items()}

    return read


SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
DATE = r"\d{4}-\d\d-\d\d"
# What no column of text takes: NUL, and halves of a pair of surrogates.
NO_TEXT = r"[\x00\ud800-\udfff]"
NAME_LENGTH = 60
buckets = object_of(current=amount, historical=amount)
sums = map_of(amount)
bucket_sums = map_of(buckets)

VISIT = {
    "patient": text,
    "kind": one_of(*CareKind.values),
    "level": one_of(*Level.values),
    "in_scope": amount,
    "self_paid": amount,
    "pre_self_pay": amount,
    "institution": text,
    "signed": flag,
    "service_on": date,
    "name": text,
}
VISIT_EXPECT = {
    **dict.fromkeys(["fund", "current", "historical", "cash", "deductible", "supplement"], amount),
    "shared": sums,
}
# verb -> (its fields, those that must be there, what its expect may hold)
VERBS: dict[str, tuple[dict[str, Reader], set[str], dict[str, Reader]]] = {
    "visit": (VISIT, {"patient", "kind", "in_scope"}, VISIT_EXPECT),
    "reverse": ({"visit": text}, {"visit"}, {"returned": bucket_sums}),
    "roll_over": (
        {"year": whole, "interest": object_of(current_rate=rate, historical_rate=rate)},
        {"year"},
        {"moved": sums, "interest": sums},
    ),
    "credit": (
        {"member": text, "for": one_of("month", "year")},
        {"member", "for"},
        {"current": amount, "historical": amount},
    ),
    "leave": (
        {"member": text, "why": one_of("stopped", "moved", "died")},
        {"member", "why"},
        {"clawback": amount},
    ),
    "premium": (
        {"payer": text, "for": text, "amount": amount},
        {"payer", "for", "amount"},
        {"paid": bucket_sums},
    ),
    "transfer": (
        {"from": text, "to": text, "amount": amount, "name": text},
        {"from", "to", "amount"},
        {"pending": amount},
    ),
    "accept": ({"transfer": text}, {"transfer"}, {"received": amount}),
    "expire": ({"transfer": text}, {"transfer"}, {"returned": amount}),
    "bind": (
        {"grantor": text, "beneficiary": text, "relation": one_of(*Relation.values)},
        {"grantor", "beneficiary", "relation"},
        {"bound": flag, "consent": flag},
    ),
    "unbind": ({"grantor": text, "beneficiary": text}, {"grantor", "beneficiary"}, {"effective": date}),
    "reorder": ({"beneficiary": text, "order": list_of(text)}, {"beneficiary", "order"}, {"order": list_of(text)}),
    "file_claim": (VISIT, {"patient", "kind", "in_scope", "service_on"}, VISIT_EXPECT),
}


def read_cases(path: Path) -> list[ScenarioCase | tuple[str, str]]:
    """The cases of a file; a malformed one is (its id, what is wrong) so that the others still play. Raises BadCase."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadCase(f"{path}: {error}") from None
    if not isinstance(raw, list):
        raise BadCase(f"{path}: is no list of cases")
    return [_case_or_mistake(path, index, case) for index, case in enumerate(raw, 1)]


def _case_or_mistake(path: Path, index: int, raw: Any) -> ScenarioCase | tuple[str, str]:
    name = raw.get("id") if isinstance(raw, dict) else None
    try:
        return _case(raw, path.name)
    except BadCase as bad:
        return _printable(str(name or f"case {index}")), _printable(f"{path.name} {bad}")


def _printable(line: str) -> str:
    return line.encode("utf-8", "backslashreplace").decode()


def _fields(raw: Any, where: str, readers: Mapping[str, Reader], required: Set[str] = frozenset()) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise BadCase(f"{where} is no object")
    inside = f"{where} " if where.endswith(":") else f"{where}."
    for key in raw.keys() - readers.keys():
        raise BadCase(f"{inside}{key} is unknown")
    for key in sorted(required - raw.keys()):
        raise BadCase(f"{inside}{key} is missing")
    values = {}
    for key, value in raw.items():
        try:
            values[key] = readers[key](value)
        except BadCase:
            raise
        except (ValueError, ArithmeticError) as error:
            raise BadCase(f"{inside}{key} {error}") from None
    return values


def _case(raw: Any, file: str) -> ScenarioCase:
    anything: Reader = lambda value: value  # noqa: E731 - a reader that reads nothing
    top = _fields(
        raw,
        "case",
        {
            "id": text,
            "title": text,
            "region": text,
            "basis": one_of("source", "rule", "assumption"),
            "source": text,
            "members": map_of(anything),
            "grants": list_of(anything),
            "steps": list_of(anything),
            "balances": map_of(buckets),
        },
        {"id", "region", "members", "steps"},
    )
    members = {name: _member(value, f"members.{name}", top["region"]) for name, value in top["members"].items()}
    case = ScenarioCase(
        id=top["id"],
        region=top["region"],
        members=members,
        grants=tuple(_grant(value, f"grants[{at}]") for at, value in enumerate(top.get("grants", ()), 1)),
        steps=tuple(_step(value, f"step {at}:") for at, value in enumerate(top["steps"], 1)),
        balances=top.get("balances", {}),
        file=file,
    )
    _check_whole(case)
    return case


def _member(raw: Any, where: str, region: str) -> CaseMember:
    values = _fields(
        raw,
        where,
        {
            "insurance": one_of("employee", "resident", "none"),
            "status": one_of(*PersonalStatus.values),
            "retired_on": date,
            "birth": date,
            "enrolment": one_of(*EnrolmentStatus.values),
            "region": text,
            "current": amount,
            "historical": amount,
            "used": map_of(amount),
            "base": amount,
            "signed_institution": flag,
        },
    )
    used = values.get("used", {})
    for key in used.keys() - {"deductible", "fund", "in_scope"}:
        raise BadCase(f"{where}.used.{key} is unknown")
    return CaseMember(
        insurance=values.get("insurance", "employee"),
        status=values.get("status", "active"),
        retired_on=values.get("retired_on"),
        birth=values.get("birth", datetime.date(1985, 1, 1)),
        enrolment=values.get("enrolment", "normal"),
        region=values.get("region", region),
        current=values.get("current", ZERO),
        historical=values.get("historical", ZERO),
        used=used,
        base=values.get("base"),
        signed_institution=values.get("signed_institution", False),
    )


def _grant(raw: Any, where: str) -> CaseGrant:
    values = _fields(
        raw,
        where,
        {
            "grantor": text,
            "beneficiary": text,
            "relation": one_of(*NEAR_RELATIVES),
            "bound_on": date,
            "uses": list_of(one_of("pay", "premium")),
            "limit": amount,
        },
        {"grantor", "beneficiary", "relation", "bound_on"},
    )
    return CaseGrant(
        grantor=values["grantor"],
        beneficiary=values["beneficiary"],
        relation=values["relation"],
        bound_on=values["bound_on"],
        uses=values.get("uses", ("pay", "premium")),
        limit=values.get("limit"),
    )


def _step(raw: Any, where: str) -> CaseStep:
    if not isinstance(raw, dict):
        raise BadCase(f"{where} is no object")
    verbs = [key for key in raw if key not in ("on", "at", "region", "expect", "refused")]
    if len(verbs) != 1 or verbs[0] not in VERBS:
        raise BadCase(f"{where} has not exactly one known verb: {', '.join(verbs) or 'none'}")
    verb = verbs[0]
    readers, required, expected = VERBS[verb]
    values = _fields(
        raw,
        where,
        {
            "on": date,
            "at": moment,
            "region": text,
            "refused": one_of(*REASONS),
            verb: lambda value: _fields(value, f"{where} {verb}", readers, required),
            "expect": lambda value: _fields(value, f"{where} expect", expected),
        },
    )
    if ("on" in values) == ("at" in values):
        raise BadCase(f"{where} needs one of on and at")
    if "expect" in values and "refused" in values:
        raise BadCase(f"{where} has both expect and refused")
    fields = values[verb]
    if fields.get("kind", CareKind.PHARMACY) != CareKind.PHARMACY and "level" not in fields:
        raise BadCase(f"{where} {verb}.level is missing")
    noon = datetime.time(12, tzinfo=SHANGHAI)
    return CaseStep(
        at=values.get("at") or datetime.datetime.combine(values["on"], noon),
        verb=verb,
        fields=fields,
        expect=values.get("expect", {}),
        refused=values.get("refused"),
        region=values.get("region"),
    )


def _check_whole(case: ScenarioCase) -> None:
    """Everybody who is named must be a member, grants are such as can be, and days go forward."""
    if not case.steps:
        raise BadCase("case.steps is empty")
    for name in case.members:
        if not name or len(name) > NAME_LENGTH or re.search(NO_TEXT, name):
            raise BadCase(f"case.members.{name!r} is no name")
    for name in case.balances.keys() - case.members.keys():
        raise BadCase(f"case.balances names nobody: {name}")
    for at, grant in enumerate(case.grants, 1):
        for name in (grant.grantor, grant.beneficiary):
            if name not in case.members:
                raise BadCase(f"grants[{at}] names nobody: {name}")
        if grant.grantor == grant.beneficiary:
            raise BadCase(f"grants[{at}].beneficiary is the grantor")
        if any((grant.grantor, grant.beneficiary) == (one.grantor, one.beneficiary) for one in case.grants[: at - 1]):
            raise BadCase(f"grants[{at}] is between two who have one")
        if not grant.uses:
            raise BadCase(f"grants[{at}].uses is empty")
    for at, (before, step) in enumerate(itertools.pairwise(case.steps), 2):
        if step.on < before.on:
            raise BadCase(f"step {at}: is of a day before the step above it")
    for at, step in enumerate(case.steps, 1):
        people = ("patient", "member", "payer", "grantor", "beneficiary", "from", "to")
        named = [step.fields[key] for key in people if key in step.fields]
        named += [step.fields["for"]] if step.verb == "premium" else []
        for name in [*named, *step.fields.get("order", ())]:
            if name not in case.members:
                raise BadCase(f"step {at}: {step.verb} names nobody: {name}")
