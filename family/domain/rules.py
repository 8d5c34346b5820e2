"""The sharing rules of a region: one dated version."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from accounts.domain.reading import BadData, Path, Reader
from accounts.money import ZERO

NEAR_RELATIVES = ("spouse", "parent", "child", "sibling", "grandparent", "grandchild")
STRATEGIES = ("filed", "last_bound", "largest_balance", "single")
USES = ("pay", "premium")
UNBIND_EFFECTS = ("same_day", "next_day")
REVIEWS = ("none", "window", "all")


@dataclass(frozen=True, kw_only=True)
class SharingRules:
    """Who may share with whom, what it may pay, and in which order.

    `relations`: what a beneficiary may be to the grantor. `max_beneficiaries` of a grantor and `max_grantors` of a
    beneficiary: None is without limit; `max_per_relation`: relation -> at most so many of a grantor's beneficiaries.
    `keep`: yuan that stay with the grantor. `review`: which applications get a second check. `unbind_min_months` after
    binding; `unbind_effect`: same_day or next_day. `consent_days`: how long an invitation may be answered. `usable_from`:
    the first day on which a bill may be paid so, where binding opened earlier.
    """

    relations: frozenset[str]
    same_region: bool
    mutual: bool
    order: str
    order_adjustable: bool
    uses: tuple[str, ...]
    verification_age: int
    review: str
    unbind_min_months: int
    unbind_effect: str
    consent_days: int
    source: str
    grade: str
    keep: Decimal = ZERO
    max_beneficiaries: int | None = None
    max_grantors: int | None = None
    max_per_relation: Mapping[str, int] = field(default_factory=dict)
    usable_from: datetime.date | None = None

    def pays_on(self, on: datetime.date) -> bool:
        """Whether a bill that is settled on a day may be paid out of relatives' accounts."""
        return self.usable_from is None or on >= self.usable_from

    @classmethod
    def from_data(cls, data: object, path: Path = ()) -> "SharingRules":
        """From a version's data as TOML or JSON holds it. Raises BadData."""
        with Reader(data, path, collect=True) as reader:
            source, grade = reader.provenance()
            rules = cls(
                relations=frozenset(reader.choices("relations", NEAR_RELATIVES)),
                same_region=reader.flag("same_region"),
                mutual=reader.flag("mutual"),
                order=reader.choice("order", STRATEGIES),
                order_adjustable=reader.flag("order_adjustable"),
                uses=reader.choices("uses", USES),
                verification_age=reader.whole("verification_age", 0, 150),
                review=reader.choice("review", REVIEWS),
                unbind_min_months=reader.whole("unbind_min_months", 0, 120),
                unbind_effect=reader.choice("unbind_effect", UNBIND_EFFECTS),
                consent_days=reader.whole("consent_days", 1, 366),
                source=source,
                grade=grade,
                keep=reader.amount("keep"),
                max_beneficiaries=reader.whole_or_none("max_beneficiaries", 1, 100),
                max_grantors=reader.whole_or_none("max_grantors", 1, 100),
                max_per_relation=reader.kept(lambda: _limits(reader), {}),
                usable_from=reader.date_or_none("usable_from"),
            )
        if rules.order_adjustable and rules.order != "filed":
            # Only the filed order reads what a beneficiary files: anywhere else a new order would change nothing.
            raise BadData((*path, "order_adjustable"), "not_adjustable", order=rules.order)
        return rules


def _limits(reader: Reader) -> dict[str, int]:
    """From max_per_relation = {spouse = 1, child = 3}."""
    if not reader.has("max_per_relation"):
        return {}
    with reader.table("max_per_relation") as limits:
        return {relation: limits.whole(relation, 1, 100) for relation in NEAR_RELATIVES if limits.has(relation)}
