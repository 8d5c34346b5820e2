"""Whether a member may let a relative use his account: every reason against it, each with its facts.

The same check answers the dry run, the submission, the consent, the second check and the coming into force, because
rules and facts change while a case waits. Nothing here names another person than the two.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from accounts.domain.age import age_on
from accounts.domain.months import same_day
from accounts.money import is_fen
from family.domain.ages import Born, misfit
from family.domain.rules import SharingRules


class Finding(NamedTuple):
    """A reason against it: a code of `accounts.reasons` and the facts of its sentence (`why` chooses a wording)."""

    code: str
    params: dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Person(Born):
    """A member on a day. `insurance` None: not insured then (or dead, or enrolled nowhere); `region` is six digits."""

    insurance: str | None = None
    status: str = "normal"
    region: str = ""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the grantor offers: for care, for premiums, at most `limit` yuan a benefit year, to before `ends_on`."""

    care: bool = True
    premium: bool = True
    limit: Decimal | None = None
    ends_on: datetime.date | None = None

    @classmethod
    def offered(cls, rules: SharingRules) -> "Terms":
        """All that the region lets an account be shared for, without a limit or an end."""
        return cls(care="pay" in rules.uses, premium="premium" in rules.uses)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is so on the day. `relation`: what the beneficiary is to the grantor; `relatives`: relation -> how many
    share the grantor's account now; `grantors`: how many share with the beneficiary now."""

    grantor: Person
    beneficiary: Person
    relation: str
    same_person: bool = False
    bound: bool = False
    bound_the_other_way: bool = False
    applied: bool = False
    relatives: Mapping[str, int] = field(default_factory=dict)
    grantors: int = 0
    terms: Terms = Terms()


CODES = (
    "same_person",
    "not_insured",
    "different_region",
    "not_permitted",
    "not_near_relative",
    "ages_do_not_fit",
    "suspended",
    "frozen",
    "closed",
    "already_bound",
    "mutual_binding",
    "too_many_relatives",
    "too_many_grantors",
    "no_use_chosen",
    "use_not_offered",
    "ends_too_early",
    "bad_limit",
)


def check(rules: SharingRules | None, facts: Facts, on: datetime.date) -> list[Finding]:
    """Every reason against it on a day, the most fundamental first: who and what is allowed, then numbers, then terms.

    No rules (a region without sharing on that day) is a reason itself, and then nothing is said of numbers and terms.
    """
    found = _identity(facts) + _permission(rules, facts, on)
    if rules is not None:
        found += _numbers(rules, facts) + check_terms(rules, facts.terms, on)
    return found


def check_ages(relation: str, grantor: Born, beneficiary: Born, on: datetime.date) -> list[Finding]:
    """What the ages of the two say against the relation alone: what the beneficiary would be to the grantor."""
    why = misfit(relation, grantor, beneficiary, on)
    return [Finding("ages_do_not_fit", {"why": why, "relation": relation})] if why else []


def check_terms(rules: SharingRules, terms: Terms, on: datetime.date) -> list[Finding]:
    """What stands against the terms alone, for a grant that is there already."""
    found = []
    if not (terms.care or terms.premium):
        found.append(Finding("no_use_chosen", {}))
    for chosen, use in ((terms.care, "pay"), (terms.premium, "premium")):
        if chosen and use not in rules.uses:
            found.append(Finding("use_not_offered", {"why": use}))
    if terms.ends_on is not None and terms.ends_on <= on:
        found.append(Finding("ends_too_early", {}))
    if terms.limit is not None and not (terms.limit > 0 and is_fen(terms.limit)):
        found.append(Finding("bad_limit", {}))
    return found


def consent_needed(rules: SharingRules, facts: Facts, on: datetime.date) -> bool:
    """Whether the beneficiary must agree himself: from the day of his birthday of the age of verification on."""
    return age_on(facts.beneficiary.birth, on) >= rules.verification_age


def review_needed(rules: SharingRules, *channels: str) -> bool:
    """Whether a second person must look at an application that came these ways; the register itself is never reviewed.

    One that was begun online and finished at the window, or the other way round, has come both ways: a clerk had a hand
    in it.
    """
    if rules.review == "all":
        return any(channel != "system" for channel in channels)
    return rules.review == "window" and "window" in channels


def consent_until(rules: SharingRules, on: datetime.date) -> datetime.date:
    """The last day on which an invitation of this day can be answered."""
    return on + datetime.timedelta(days=rules.consent_days)


def may_unbind_from(rules: SharingRules, bound_on: datetime.date) -> datetime.date:
    """The first day on which one of the two may end a grant: so many months after binding, or that month's last day."""
    return same_day(bound_on, rules.unbind_min_months)


def unbound_from(rules: SharingRules, on: datetime.date) -> datetime.date:
    """The first day without the grant, if it is ended on a day."""
    return on + datetime.timedelta(days=rules.unbind_effect == "next_day")


def _identity(facts: Facts) -> list[Finding]:
    found = [Finding("same_person", {})] if facts.same_person else []
    if facts.grantor.insurance is None:
        found.append(Finding("not_insured", {}))
    elif facts.beneficiary.insurance is None or facts.beneficiary.status == "closed":
        found.append(Finding("not_insured", {"why": "relative"}))
    return found


def _permission(rules: SharingRules | None, facts: Facts, on: datetime.date) -> list[Finding]:
    found = []
    grantor, beneficiary = facts.grantor, facts.beneficiary
    if beneficiary.insurance and grantor.insurance and not _within_reach(rules, facts):
        found.append(Finding("different_region", {}))
    if grantor.insurance == "resident":
        found.append(Finding("not_permitted", {"why": "no_account"}))
    elif rules is None and grantor.insurance is not None:
        found.append(Finding("not_permitted", {"why": "no_rules"}))
    if rules is not None and facts.relation not in rules.relations:
        in_law: dict[str, object] = {"why": "in_law"} if facts.relation == "parent_in_law" else {}
        found.append(Finding("not_near_relative", {"relation": facts.relation} | in_law))
    elif not facts.same_person:
        found += check_ages(facts.relation, grantor, beneficiary, on)
    if grantor.insurance == "employee" and grantor.status in ("suspended", "frozen", "closed"):
        found.append(Finding(grantor.status, {"why": "grantor"}))
    return found


def _within_reach(rules: SharingRules | None, facts: Facts) -> bool:
    # Across provinces an account cannot be charged at all; money goes there through the wallet.
    digits = 2 if rules is not None and not rules.same_region else 6
    return facts.grantor.region[:digits] == facts.beneficiary.region[:digits]


def _numbers(rules: SharingRules, facts: Facts) -> list[Finding]:
    if facts.bound:
        # One more is not asked for: what is bound already is not too many.
        return [Finding("already_bound", {})]
    found = [Finding("already_bound", {"why": "applied"})] if facts.applied else []
    if facts.bound_the_other_way and not rules.mutual:
        found.append(Finding("mutual_binding", {}))
    most, of_relation = rules.max_beneficiaries, rules.max_per_relation.get(facts.relation)
    if most is not None and sum(facts.relatives.values()) >= most:
        found.append(Finding("too_many_relatives", {"most": most}))
    elif of_relation is not None and facts.relatives.get(facts.relation, 0) >= of_relation:
        found.append(
            Finding("too_many_relatives", {"most": of_relation, "relation": facts.relation, "why": "relation"})
        )
    if rules.max_grantors is not None and facts.grantors >= rules.max_grantors:
        found.append(Finding("too_many_grantors", {"most": rules.max_grantors}))
    return found
