"""The year that is shown, lived in order: openings, credits, year ends, and between them each family's days.

A family's accounts meet only in its own bills, so a process that does a whole family day by day moves every account in
the order of its dates, and no two processes wait for each other.
"""

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal

from accounts.models import BenefitYear, Institution, Member, Region, User
from portal.seeding import cases, visits, workers
from portal.seeding.families import Family
from settlements.actions import rehearsal, rollover, rollover_work
from settlements.actions.credit_runs import credit_region
from settlements.actions.opening import open_account
from settlements.models import RolloverRun
from settlements.queries.parameters import credit_rule_on

Say = Callable[[str], None]
DAY = datetime.timedelta(days=1)
SHARDS_A_PROCESS = 4
RATES = (Decimal("0.3500"), Decimal("1.3500"))
WAITS_FOR_RELEASE = "110000"

# What the workers know: set before they begin, inherited by them.
_families: Sequence[Family] = ()
_institutions: dict[str, Institution] = {}


def first_day(today: datetime.date) -> datetime.date:
    """A year before the present month."""
    return today.replace(year=today.year - 1, day=1)


def live(families: Sequence[Family], start: datetime.date, today: datetime.date, processes: int, say: Say) -> None:
    """The year of the families, from the opening of their accounts to the applications that wait today."""
    global _families
    _families = families
    shards = [
        range(first, len(families), processes * SHARDS_A_PROCESS) for first in range(processes * SHARDS_A_PROCESS)
    ]
    regions = list(Region.objects.filter(code__in={family.region for family in families}))
    cuts = _cuts(regions, start, today)
    with workers.pool(processes, _know_institutions) as executor:
        opened = sum(workers.run(executor, _open, shards, start))
        say(f"accounts opened: {opened}")
        for begin, end in zip(cuts, [*cuts[1:], today + DAY], strict=True):
            _turn(regions, begin, start)
            settled = sum(workers.run(executor, _days, shards, begin, end))
            say(f"{begin:%Y-%m}: {settled} bills")
        waiting = sum(workers.run(executor, _stages, shards, today))
        say(f"applications that wait or have ended: {waiting}")


def _know_institutions() -> None:
    _institutions.update({institution.code: institution for institution in Institution.objects.all()})


def _cuts(regions: Iterable[Region], start: datetime.date, today: datetime.date) -> list[datetime.date]:
    """First days of months and of benefit years."""
    months = {start}
    while (following := (max(months) + 31 * DAY).replace(day=1)) <= today:
        months.add(following)
    years = BenefitYear.objects.filter(region__in=list(regions), starts_on__gt=start, starts_on__lte=today)
    return sorted(months | set(years.values_list("starts_on", flat=True)))


# -- a family's days, in a worker --------------------------------------------------------------------------------------


def _open(shard: Iterable[int], start: datetime.date) -> int:
    """Accounts with what is on them, and the sharing that began before the year."""
    opened = 0
    for family in (_families[number] for number in shard):
        for person in family.people:
            if person.opening is not None:
                current, historical = person.opening
                open_account(
                    member=Member(pk=person.member_id),
                    region_id=person.region,
                    on=start,
                    current=current,
                    historical=historical,
                )
                opened += 1
        for bind in sorted(family.binds, key=lambda bind: bind.on):
            if bind.on < start:
                cases.bind(family, bind)
    return opened


def _days(shard: Iterable[int], begin: datetime.date, end: datetime.date) -> int:
    """What happens to the families of a shard from one day to before another; how many bills were settled."""
    settled = 0
    for family in (_families[number] for number in shard):
        for _day, _order, act in sorted(_events(family, begin, end), key=lambda event: event[:2]):
            settled += act()
    return settled


def _events(
    family: Family, begin: datetime.date, end: datetime.date
) -> Iterator[tuple[datetime.date, tuple[int, int], Callable[[], int]]]:
    for number, bind in enumerate(family.binds):
        if begin <= bind.on < end:
            yield bind.on, (0, number), lambda bind=bind: cases.bind(family, bind) or 0
    for number, visit in enumerate(family.visits):
        person = family.people[visit.who]
        if begin <= visit.on < end:
            settle = lambda visit=visit, person=person: visits.settle(visit, person, _institutions) is not None  # noqa: E731
            yield visit.on, (1, number), settle
        if visit.reversed_on and begin <= visit.reversed_on < end:
            yield visit.reversed_on, (2, number), lambda visit=visit: visits.reverse(visit, _institutions) or 0


def _stages(shard: Iterable[int], today: datetime.date) -> int:
    staged = [_families[number] for number in shard if _families[number].stage]
    for family in staged:
        cases.bring_to(family, today)
    return len(staged)


# -- what the office does, in this process -----------------------------------------------------------------------------


def _turn(regions: Iterable[Region], day: datetime.date, start: datetime.date) -> None:
    """Year ends and credits of a day, before anybody goes to the doctor."""
    for region in regions:
        new_year = BenefitYear.objects.filter(region=region, starts_on=day).first()
        if new_year and day > start:
            close_year(region, new_year.year - 1, day)
        every = credit_rule_on(region.pk, day).every
        if (every == "month" and day.day == 1) or (every == "year" and (new_year or day == start)):
            credit_region(region=region, every=every, on=day)


def close_year(region: Region, year: int, boundary: datetime.date) -> RolloverRun:
    """A finished run: planned by one person, released by another, worked at the boundary, closed the next day."""
    planner, releaser = _admins()
    run = plan_year(region, year, planner, boundary - 20 * DAY)
    run = rollover.release(run=run, by=releaser, at=cases.at(boundary - 10 * DAY, 14))
    run = rollover.begin(run=run, at=cases.at(boundary, 0, 1))
    while rollover_work.work(run_id=run.pk, seconds=60) != rollover_work.Outcome.FINISHED:
        pass
    run = rollover.finish(run=run, at=cases.at(boundary, 0, 3))
    return rollover.close(run=run, by=releaser, at=cases.at(boundary + DAY, 9))


def plan_year(region: Region, year: int, planner: User, day: datetime.date) -> RolloverRun:
    """A run that was planned and rehearsed, and now waits for a second person."""
    current_rate, historical_rate = RATES
    run = rollover.plan(
        region=region,
        year=year,
        current_rate=current_rate,
        historical_rate=historical_rate,
        by=planner,
        at=cases.at(day, 10),
    )
    return rehearsal.rehearse(run=run, by=planner, at=cases.at(day, 11))


def plan_coming_year(today: datetime.date) -> RolloverRun:
    """The next year end, in Beijing: for whoever wants to release it, watch it, and not be let release his own."""
    region = Region.objects.get(code=WAITS_FOR_RELEASE)
    present = BenefitYear.objects.filter(region=region, starts_on__lte=today).latest("starts_on")
    return plan_year(region, present.year, _admins()[0], today - DAY)


def _admins() -> tuple[User, User]:
    return User.objects.get(username="r0001"), User.objects.get(username="r0002")
