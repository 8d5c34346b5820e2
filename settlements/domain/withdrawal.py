"""Closing an account: when a region lets its money leave, what stands against it, and how it is shared out.

Three ways (`KINDS`): paid out to the member himself, to his heirs, or carried to the region where he is insured next.
Sources: domain.md 1.5 and 3.6 (LS, QZ, XA, WH, DTH1, DTH2); 5, numbers 13, 15, 38, 39.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from accounts.domain.months import first_of
from accounts.domain.reading import Path, Reader
from accounts.money import ZERO, fen
from family.domain.check import Finding

WITHDRAWAL, INHERITANCE, TRANSFER_OUT = KINDS = ("withdrawal", "inheritance", "transfer_out")
# What a member may be paid out for; the guides name no others.
OF_WITHDRAWAL = ("emigrated", "gave_up", "cannot_transfer", "settled_elsewhere", "retired_elsewhere")
REASONS = (*OF_WITHDRAWAL, "died", "moved")
REASONS_OF = {WITHDRAWAL: OF_WITHDRAWAL, INHERITANCE: ("died",), TRANSFER_OUT: ("moved",)}
# What a region may want settled first (`Facts.open`).
BLOCKS = ("bill", "transfer", "claim", "case")
WHOLE = Decimal(100)


@dataclass(frozen=True, kw_only=True)
class WithdrawalRule:
    """A region's rule: reasons allowed; working days to decide; what must be settled first.

    `ended_first`: the insurance must have ended before it is asked for. `from_day`: not before this day of the month
    after the insurance ended (None: at once).
    """

    reasons: tuple[str, ...]
    working_days: int
    ended_first: bool
    from_day: int | None
    blocks: tuple[str, ...]
    source: str
    grade: str

    @classmethod
    def from_data(cls, data: object, path: Path = ()) -> "WithdrawalRule":
        """From a version's data. Raises BadData."""
        with Reader(data, path) as reader:
            source, grade = reader.provenance()
            return cls(
                reasons=reader.choices("reasons", REASONS),
                working_days=reader.whole("working_days", 1, 60),
                ended_first=reader.flag("ended_first"),
                from_day=reader.whole_or_none("from_day", 1, 28),
                blocks=reader.choices("blocks", BLOCKS),
                source=source,
                grade=grade,
            )

    def reasons_of(self, kind: str) -> tuple[str, ...]:
        """The reasons the region allows for one of `KINDS`."""
        return tuple(reason for reason in REASONS_OF[kind] if reason in self.reasons)


@dataclass(frozen=True, kw_only=True)
class Open:
    """Something that must be settled first: `what` of `BLOCKS`, and by what name people find it."""

    what: str
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is so on the day. `since`: the day of death or of leaving; `insured`: an enrolment of the region goes on;
    `ended_on`: when the last one ended; `payable`: yuan that would leave the account; `applied`: number of an open
    application for the same account.

    `wallet`: it is about the wallet alone, which is `closed` once it was inherited; `has_account`: an open account of the
    same member is inherited, and the wallet with it."""

    kind: str
    reason: str
    since: datetime.date
    wallet: bool = False
    has_account: bool = False
    closed: bool = False
    died_on: datetime.date | None = None
    insured: bool = False
    ended_on: datetime.date | None = None
    payable: Decimal = ZERO
    open: tuple[Open, ...] = ()
    applied: str = ""


def check(rule: WithdrawalRule | None, facts: Facts, on: datetime.date) -> list[Finding]:
    """Every reason against closing the account on a day; empty if it would succeed."""
    if rule is None:
        return [Finding("not_covered", {"why": "no_scheme"})]
    if facts.closed:
        return [Finding("closed", {"why": "wallet" if facts.wallet else "account"})]
    if facts.wallet and facts.has_account:
        return [Finding("inherited_with_account", {})]
    found = []
    if facts.applied:
        found.append(Finding("closing_applied", {"case": facts.applied}))
    if facts.reason not in rule.reasons_of(facts.kind):
        found.append(Finding("reason_not_offered", {}))
    if facts.since > on:
        found.append(Finding("since_in_future", {"since_on": facts.since.isoformat()}))
    found += _death(facts)
    found += _insurance(rule, facts, on)
    found += [
        Finding("settle_first", {"why": one.what, "name": one.name}) for one in facts.open if one.what in rule.blocks
    ]
    # An account is inherited though it is empty, to be closed; a wallet has no end but its money's.
    if (facts.kind == WITHDRAWAL or facts.wallet) and facts.payable <= 0:
        found.append(Finding("nothing_to_pay", {}))
    return found


def _death(facts: Facts) -> list[Finding]:
    """Who has died is inherited from; the day of the register counts."""
    if facts.died_on is None:
        return []
    if facts.kind != INHERITANCE:
        return [Finding("has_died", {"died_on": facts.died_on.isoformat()})]
    if facts.since != facts.died_on:
        return [Finding("other_day_of_death", {"died_on": facts.died_on.isoformat()})]
    return []


def _insurance(rule: WithdrawalRule, facts: Facts, on: datetime.date) -> list[Finding]:
    """A death ends the insurance by itself; whoever leaves alive must have ended it where the region says so."""
    if facts.kind == INHERITANCE:
        return []
    if rule.ended_first and facts.insured:
        return [Finding("still_insured", {})]
    if rule.from_day is not None and facts.ended_on is not None:
        first = first_day(rule.from_day, facts.ended_on)
        if on < first:
            return [Finding("too_early", {"from_on": first.isoformat()})]
    return []


def first_day(from_day: int, ended_on: datetime.date) -> datetime.date:
    """The `from_day`-th of the month after the insurance ended (`ended_on`: the first day without it)."""
    last_insured = ended_on - datetime.timedelta(days=1)
    return first_of(last_insured, 1).replace(day=from_day)


@dataclass(frozen=True, kw_only=True)
class Share:
    """One payee as entered: what tells the person apart, and the percentage (two decimals at most)."""

    person: str
    percent: Decimal


def check_shares(shares: Sequence[Share], deceased: str) -> list[Finding]:
    """What is wrong with a list of heirs: together not the whole, somebody twice, or the deceased himself."""
    found = []
    total = sum((share.percent for share in shares), ZERO)
    if total != WHOLE:
        found.append(Finding("shares_not_whole", {"total": str(total)}))
    people = [share.person for share in shares if share.person]
    if len(set(people)) < len(people):
        found.append(Finding("heir_twice", {}))
    if deceased in people:
        found.append(Finding("heir_is_deceased", {}))
    return found


def split(amount: Decimal, percents: Sequence[Decimal]) -> list[Decimal]:
    """Yuan for each percentage, which together are the whole: the parts sum to `amount`, and none is negative.

    Each takes what the shares up to and with his come to, less what was given before, so that no part is more than a
    fen from the exact one, and the last takes the rest. (Rounding each by itself could give away more than there is:
    0.02 yuan among four.) ValueError for shares that are not the whole.
    """
    if sum(percents, ZERO) != WHOLE:
        raise ValueError(f"the shares come to {sum(percents, ZERO)} percent")
    parts, given, share = [], ZERO, ZERO
    for percent in percents:
        share += percent
        upto = fen(amount * share / WHOLE)
        parts.append(upto - given)
        given = upto
    return parts


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """What leaves an account that is closed, in yuan: both balances go, `repaid` of them against the debt."""

    current: Decimal
    historical: Decimal
    repaid: Decimal

    @property
    def paid(self) -> Decimal:
        """What the payees get."""
        return self.current + self.historical - self.repaid


def leaving(current: Decimal, historical: Decimal, debt: Decimal) -> Leaving:
    """All that an account holds, after its debt as far as the money reaches; a rest of the debt stays owed."""
    return Leaving(current=current, historical=historical, repaid=min(debt, current + historical))
