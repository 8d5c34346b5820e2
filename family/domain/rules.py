"""The sharing rules of a region: one dated version."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from accounts.domain.reading import Path, Reader
from accounts.money import ZERO

NEAR_RELATIVES = ("spouse", "parent", "child", "sibling", "grandparent", "grandchild")
STRATEGIES = ("filed", "last_bound", "largest_balance", "single")
USES = ("pay", "premium")
REVIEWS = ("none", "window", "all")


@dataclass(frozen=True, kw_only=True)
class SharingRules:
    """Who may share with whom, what it may pay, and in which order.

    `relations`: what a beneficiary may be to the grantor. `max_beneficiaries` of a grantor and `max_grantors` of a
    beneficiary: None is without limit; `max_per_relation`: relation -> at most so many of a grantor's beneficiaries.
    `keep`: yuan that stay with the grantor. `review`: which applications get a second check. `unbind_min_months` after
    binding; `unbind_effect`: same_day or next_day. `consent_days`: how long an invitation may be answered.
    """

    relations: frozenset[str]
    same_region: bool
    mutual: bool
    order: str
    order_adjustable: bool
    shareable: tuple[str, ...]
    uses: tuple[str, ...]
    verification_age: int
    review: str
    unbind_min_months: int
    unbind_effect: str
    consent_days: int
    source: str
    grade: str
    note: str = ""
    keep: Decimal = ZERO
    max_beneficiaries: int | None = None
    max_grantors: int | None = None
    max_per_relation: Mapping[str, int]

    @classmethod
    def from_data(cls, data: object, path: Path = ()) -> "SharingRules":
        """From a version's data as TOML or JSON holds it. Raises BadData."""
        raise NotImplementedError

    @classmethod
    def read(cls, reader: Reader) -> "SharingRules":
        """The same out of a table that holds more."""
        raise NotImplementedError
