"""Reading of contribution files, crediting runs, and what a member is told of his year's clearing."""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Coalesce

from accounts.enums import Role
from accounts.models import User
from accounts.money import ZERO
from accounts.policies import has_any_role, regions_with_role
from settlements.models import (
    Clawback,
    Clearing,
    ContributionFile,
    Credit,
    CreditRun,
    LedgerTransaction,
    PersonalAccount,
)


def runs_visible_to(user: User) -> QuerySet[CreditRun]:
    """Runs of the regions that the user administers; an auditor reads all."""
    runs = CreditRun.objects.select_related("region", "planned_by", "released_by", "file").defer("file__content")
    return runs if has_any_role(user, Role.AUDITOR) else runs.filter(region__in=_regions(user))


def files_visible_to(user: User) -> QuerySet[ContributionFile]:
    """Contribution files of the regions that the user administers; an auditor reads all."""
    files = ContributionFile.objects.select_related("region", "uploaded_by").defer("content")
    return files if has_any_role(user, Role.AUDITOR) else files.filter(region__in=_regions(user))


def _regions(user: User) -> set[str]:
    return regions_with_role(user, Role.REGION_ADMIN)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is: chunks, accounts or lines, yuan, seconds of work."""

    chunks: int
    chunks_done: int
    total: int
    done: int
    accounts: int
    amount: Decimal
    taken: Decimal
    debt: Decimal
    seconds: int

    @property
    def percent(self) -> int:
        """Done of total, never rounded up to 100."""
        return 100 * self.done // self.total if self.total else 100

    @property
    def per_second(self) -> int | None:
        """Accounts or lines a second; None before anything was done."""
        return max(self.done // self.seconds, 1) if self.seconds and self.done else None

    @property
    def seconds_left(self) -> int | None:
        """At the rate so far."""
        return None if self.per_second is None else -(-(self.total - self.done) // self.per_second)


def progress(run: CreditRun, at: datetime.datetime) -> Progress:
    """How far the run is at a moment, by its chunks."""
    whole = run.chunks.aggregate(chunks=Count("pk"), total=Coalesce(Sum("planned"), 0))
    done = run.chunks.filter(done=True).aggregate(
        chunks_done=Count("pk"),
        done=Coalesce(Sum("planned"), 0),
        accounts=Coalesce(Sum("accounts"), 0),
        amount=Coalesce(Sum("amount"), ZERO),
        taken=Coalesce(Sum("taken"), ZERO),
        debt=Coalesce(Sum("debt"), ZERO),
    )
    running = (at - run.resumed_at).total_seconds() if run.resumed_at else 0
    return Progress(**whole, **done, seconds=int(run.worked_seconds + max(running, 0)))


def left_out(run: CreditRun) -> dict[str, tuple[int, Decimal]]:
    """Why what a run looked at was not credited: a key of `credit_runs.LEFT` -> how many, and the yuan they stood for."""
    found: dict[str, tuple[int, Decimal]] = {}
    answers = LedgerTransaction.objects.filter(scope="credit-run", key__startswith=f"{run.pk}:")
    for answer in answers.values_list("answer", flat=True):
        for why, (count, yuan) in (answer or {}).get("left", {}).items():
            before = found.get(why, (0, ZERO))
            found[why] = before[0] + count, before[1] + Decimal(yuan)
    return found


@dataclass(frozen=True, kw_only=True)
class YearCleared:
    """A benefit year of an account as its holder reads it, in yuan.

    `clearing` is the last one, None before the first; `cleared` what all of them moved, so that credited less returned plus
    cleared is what was due.
    """

    year: int
    credited: Decimal
    returned: Decimal
    clearing: Clearing | None
    cleared: Decimal


def credited_years(account: PersonalAccount, until: datetime.date = datetime.date.max) -> list[YearCleared]:
    """What was credited for each benefit year, what went back, and its clearing; the latest year first, three at most.

    Where months are credited they are counted to the benefit year they lie in. `until`: what was booked later is left
    out, so that a paper about a period says the same again.
    """
    starts = dict(account.region.benefit_years.values_list("year", "starts_on"))
    credited: dict[int, Decimal] = {}
    returned: dict[int, Decimal] = {}
    for sums, model in ((credited, Credit), (returned, Clawback)):
        for period, amount in model.objects.filter(account=account, transaction__business_date__lte=until).values_list(
            "period", "amount"
        ):
            year = _year(period, starts)
            sums[year] = sums.get(year, ZERO) + amount
    cleared = Clearing.objects.filter(account=account, transaction__business_date__lte=until)
    clearings: dict[int, list[Clearing]] = {}
    for row in cleared.order_by("transaction_id"):
        clearings.setdefault(row.year, []).append(row)
    return [
        YearCleared(
            year=year,
            credited=credited.get(year, ZERO),
            returned=returned.get(year, ZERO),
            clearing=clearings[year][-1] if year in clearings else None,
            cleared=sum((row.amount for row in clearings.get(year, ())), ZERO),
        )
        for year in sorted(credited.keys() | clearings.keys(), reverse=True)[:3]
    ]


def _year(period: str, starts: dict[int, datetime.date]) -> int:
    if "-" not in period:
        return int(period[:4])
    month = datetime.date.fromisoformat(f"{period[:7]}-01")
    return max((year for year, start in starts.items() if start <= month), default=month.year)
