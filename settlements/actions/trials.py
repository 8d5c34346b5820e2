"""What-if: real settlements decided anew under a draft, in chunks; nothing is written but what it came to.

What is replayed: the region's settlements of a month, or the last ones, that were not reversed, each with the facts of
its day (`queries/trials.py`), in the order in which they were settled. Bills that the draft's version settled are decided
by the draft, all others by the rules they were settled by; counters and balances that move apart are carried from bill to
bill, over all people and accounts. What else moved money meanwhile (credits, premiums, transfers) stays as it was.
A bill counts only if the rules of its day give its own settlement again to the fen; how many do not is told.
"""

import datetime
import time
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Max, Min, QuerySet

from accounts import clock
from accounts.actions import audit
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import User
from accounts.money import ZERO, plain
from settlements.actions.drafts import permitted
from settlements.domain.parameters import NoValue
from settlements.domain.scheme import Scheme as Rules
from settlements.domain.what_if import Case, Drift, Outcome, Sharing, drifted, play
from settlements.enums import DraftState, RulePart, TrialState
from settlements.models import RuleDraft, Scheme, Settlement, Trial, TrialDrift
from settlements.queries.trials import Found, charged_of, facts_of, sharing_of

CHUNK = 200
LAST = (500, 2000, 10_000, 50_000)
WORST = 20
AGES = (18, 35, 50, 60, 70, 80)
# Where the bars of the distribution begin, in yuan a person; the one that begins at zero is zero alone.
EDGES = (Decimal(-1000), Decimal(-500), Decimal(-200), Decimal(-50), ZERO, Decimal("0.01"), Decimal("50.01"),
         Decimal("200.01"), Decimal("500.01"), Decimal("1000.01"))  # fmt: skip
PAYERS = ("fund", "supplement", "own", "family", "cash")

ADD_DRIFT = """
INSERT INTO settlements_trialdrift (trial_id, kind, ref, year, name, amount)
SELECT %s, * FROM unnest(%s::text[], %s::bigint[], %s::integer[], %s::text[], %s::numeric[])
ON CONFLICT (trial_id, kind, ref, year, name) DO UPDATE SET amount = settlements_trialdrift.amount + excluded.amount
"""
ADD_PERSON = """
INSERT INTO settlements_trialperson (trial_id, member_id, bills, paid, paid_draft, cash, cash_draft)
SELECT %s, * FROM unnest(%s::bigint[], %s::integer[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[])
ON CONFLICT (trial_id, member_id) DO UPDATE SET bills = settlements_trialperson.bills + excluded.bills,
    paid = settlements_trialperson.paid + excluded.paid, cash = settlements_trialperson.cash + excluded.cash,
    paid_draft = settlements_trialperson.paid_draft + excluded.paid_draft,
    cash_draft = settlements_trialperson.cash_draft + excluded.cash_draft
"""
BARS = """
SELECT width_bucket({measure}_draft - {measure}, %s::numeric[]) AS bar, count(*)
FROM settlements_trialperson WHERE trial_id = %s GROUP BY bar
"""


class Stopped(Enum):
    """Why the work stopped."""

    AGAIN = "time is up"
    STOPPED = "done, or not running, or somebody is at it"


def start(
    *, draft: RuleDraft, by: User, month: str = "", last: int = LAST[0], at: datetime.datetime | None = None
) -> Trial:
    """Begin a what-if over the settlements of a month ("2026-10"), or the last ones of the region.

    Raises Refused: not_permitted, draft_state, trial_running, trial_empty.
    """
    at = at or clock.now()
    permitted(by, draft.region_id)
    with transaction.atomic():
        draft = RuleDraft.objects.select_for_update(of=("self",)).get(pk=draft.pk)
        if draft.state != DraftState.DRAFT:
            raise Refused("draft_state", state=str(draft.state))
        if draft.trials.filter(state__in=[TrialState.RUNNING, TrialState.PAUSED]).exists():
            raise Refused("trial_running")
        rows = _settlements(draft.region_id, month)
        if not month:
            rows = rows.filter(pk__in=rows.order_by("-pk").values("pk")[:last])
        found = rows.aggregate(first=Min("pk"), last=Max("pk"), total=Count("pk"))
        if not found["total"]:
            raise Refused("trial_empty")
        trial = Trial.objects.create(
            draft=draft, data=draft.data, month=month, first_id=found["first"], last_id=found["last"],
            cursor=found["first"] - 1, total=found["total"], started_by=by, started_at=at, resumed_at=at,
        )  # fmt: skip
        _record("start", trial, by, at, bills=trial.total)
    return trial


def pause(*, trial: Trial, by: User, at: datetime.datetime | None = None) -> Trial:
    """Stop after the chunk that is being worked on. Raises Refused: not_permitted, trial_state."""
    return _to(trial, [TrialState.RUNNING], TrialState.PAUSED, "pause", by, at)


def resume(*, trial: Trial, by: User, at: datetime.datetime | None = None) -> Trial:
    """Go on where it stopped. Raises Refused: not_permitted, trial_state."""
    return _to(trial, [TrialState.PAUSED], TrialState.RUNNING, "resume", by, at)


def cancel(*, trial: Trial, by: User, at: datetime.datetime | None = None) -> Trial:
    """End it; what it came to so far stays, and is called unfinished. Raises Refused: not_permitted, trial_state."""
    return _to(trial, [TrialState.RUNNING, TrialState.PAUSED], TrialState.CANCELLED, "cancel", by, at)


def work(*, trial_id: int, seconds: float) -> Stopped:
    """Work on a running what-if for at most so many seconds and one chunk more."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not work_next(trial_id=trial_id):
            return Stopped.STOPPED
    return Stopped.AGAIN


@transaction.atomic
def work_next(*, trial_id: int) -> bool:
    """Decide the next chunk; False: nothing is left, or it does not run, or another worker holds it.

    Results, cursor and what is carried commit together: a worker that dies leaves the chunk to do.
    """
    # One worker at a time: each chunk begins with what the one before left.
    running = Trial.objects.filter(pk=trial_id, state=TrialState.RUNNING)
    trial = running.select_for_update(skip_locked=True, of=("self",)).select_related("draft__region").first()
    if trial is None:
        return False
    rows = list(
        _settlements(trial.draft.region_id, trial.month)
        .filter(pk__gt=trial.cursor, pk__lte=trial.last_id)
        .select_related("patient", "institution")
        .order_by("pk")[:CHUNK]
    )
    if rows:
        _Chunk(trial, rows).run()
        trial.cursor, trial.done = rows[-1].pk, trial.done + len(rows)
    if not rows or trial.cursor >= trial.last_id:
        _finish(trial)
    trial.save()
    return trial.state == TrialState.RUNNING


def measure_of(draft: RuleDraft) -> str:
    """What better and worse are told by: a scheme moves what people pay, sharing rules only what of it is cash."""
    return "paid" if draft.part == RulePart.SCHEME else "cash"


@dataclass(frozen=True)
class _Played:
    found: Found
    then: Outcome
    now: Outcome


class _Chunk:
    """Some hundred bills of a trial, one after the other; what is carried is read before and added to after."""

    def __init__(self, trial: Trial, rows: list[Settlement]) -> None:
        self.trial, self.rows, self.draft = trial, rows, trial.draft
        self.region = trial.draft.region
        self.facts = facts_of(rows, self.region)
        self.charged = charged_of(rows)
        self.schemes = {
            row.pk: Rules.from_data(row.data) for row in Scheme.objects.filter(pk__in={row.scheme_id for row in rows})
        }
        is_scheme = self.draft.part == RulePart.SCHEME
        self.scheme = Rules.from_data(trial.data) if is_scheme else None
        self.carried: dict[tuple[str, int], dict[tuple[int, str], Decimal]] = defaultdict(dict)
        self.fresh: dict[tuple[str, int, int, str], Decimal] = defaultdict(Decimal)
        self.result = _Result(trial.result, measure_of(self.draft))

    def run(self) -> None:
        self._read()
        for row in self.rows:
            played = self._play(self.facts.get(row.pk), row)
            if played is not None:
                self._carry(played)
                self.result.add(played, by_draft=self._is_drafted(played.found))
        self._write()
        self.trial.result = self.result.data

    def _play(self, found: Found | None, row: Settlement) -> _Played | None:
        """Decide a bill by the rules of its day, which must give its settlement again, and by the draft."""
        exact = self._exact(found) if found is not None else None
        if found is None or exact is None:
            self.result.left_out("facts")
            return None
        case, then = exact
        scheme, sharing = self.schemes[row.scheme_id], case.sharing
        if self._is_drafted(found):
            scheme, sharing = self._drafted(scheme, sharing, row.settled_on)
        try:
            now = play(scheme, sharing, drifted(case, self._drift(found)))
        except NoValue:
            self.result.left_out("unknown")
            return None
        return _Played(found, then, now)

    def _drafted(self, scheme: Rules, sharing: Sharing | None, on: datetime.date) -> tuple[Rules, Sharing | None]:
        """The rules of a bill settled on a day, with the draft's in the place of those that it follows."""
        return (self.scheme, sharing) if self.scheme else (scheme, sharing_of(self.trial.data, on))

    def _is_drafted(self, found: Found) -> bool:
        """Whether the version that the draft follows decided the bill."""
        if self.draft.scheme_id:
            return found.settlement.scheme_id == self.draft.scheme_id
        return found.sharing_id == self.draft.sharing_id

    def _exact(self, found: Found) -> tuple[Case, Outcome] | None:
        """The facts that give the settlement again. That own money was not to be used is not kept: it shows here."""
        row = found.settlement
        for own in (found.case.own, {}):
            case = Case(**{**vars(found.case), "own": own})
            try:
                outcome = play(self.schemes[row.scheme_id], case.sharing, case)
            except NoValue:
                return None
            if self._is(outcome, row):
                return case, outcome
        return None

    def _is(self, outcome: Outcome, row: Settlement) -> bool:
        charged = {who: amount for who, amount in self.charged.get(row.pk, {}).items() if who != "own"}
        # A wallet counts with cash: what lay in it is not kept with the bill, and a draft changes nothing of it.
        cash = row.cash + row.wallet
        said = (row.fund, row.supplement, row.own_current, row.own_historical, cash, row.counted_year)
        came = (
            outcome.fund, outcome.supplement, outcome.own_current, outcome.own_historical, outcome.cash, outcome.year,
        )  # fmt: skip
        return said == came and charged == dict(outcome.shared)

    def _read(self) -> None:
        refs: dict[str, set[int]] = {"usage": {row.patient_id for row in self.rows}, "money": set()}
        for found in self.facts.values():
            refs["money"] |= {*found.accounts.values(), *([found.own_account] if found.own_account else [])}
        for kind, ids in refs.items():
            rows = TrialDrift.objects.filter(trial=self.trial, kind=kind, ref__in=ids)
            for ref, year, name, amount in rows.values_list("ref", "year", "name", "amount"):
                self.carried[kind, ref][year, name] = amount

    def _drift(self, found: Found) -> Drift:
        patient, year = found.settlement.patient_id, found.case.settled_year
        used: dict[int, dict[str, Decimal]] = defaultdict(dict)
        for (counted, name), amount in self.carried["usage", patient].items():
            used[counted][name] = amount
        return Drift(
            used=used,
            own=self._money(found.own_account, year),
            grants={grant: self._money(account, year)["historical"] for grant, account in found.accounts.items()},
        )

    def _money(self, account: int | None, year: int) -> dict[str, Decimal]:
        """What the draft left more (or less) in an account by a benefit year: current of closed years is historical."""
        moved = {"current": ZERO, "historical": ZERO}
        for (at, bucket), amount in self.carried["money", account].items() if account else ():
            moved[bucket if at >= year else "historical"] += amount
        return moved

    def _carry(self, played: _Played) -> None:
        found, then, now = played.found, played.then, played.now
        patient, year = found.settlement.patient_id, found.case.settled_year
        for sign, outcome in ((-1, then), (1, now)):
            for name, amount in outcome.counted.items():
                self._add("usage", patient, outcome.year, name, sign * amount)
            for grant, amount in outcome.shared.items():
                self._add("usage", patient, year, f"grant:{grant}", sign * amount)
                self._add("money", found.accounts[grant], year, "historical", -sign * amount)
            if found.own_account:
                self._add("money", found.own_account, year, "current", -sign * outcome.own_current)
                self._add("money", found.own_account, year, "historical", -sign * outcome.own_historical)

    def _add(self, kind: str, ref: int, year: int, name: str, amount: Decimal) -> None:
        if amount:
            here = self.carried[kind, ref]
            here[year, name] = here.get((year, name), ZERO) + amount
            self.fresh[kind, ref, year, name] += amount

    def _write(self) -> None:
        drifts = sorted((*key, amount) for key, amount in self.fresh.items() if amount)
        people = sorted((member, *sums) for member, sums in self.result.people.items())
        with connection.cursor() as cursor:
            for statement, found in ((ADD_DRIFT, drifts), (ADD_PERSON, people)):
                if found:
                    cursor.execute(statement, [self.trial.pk, *map(list, zip(*found, strict=True))])


class _Result:
    """The sums of a trial, as JSON: amounts are texts; [bills, then, under the draft] by group."""

    def __init__(self, data: dict[str, Any], measure: str) -> None:
        self.data = data or {
            "bills": 0,
            "by_draft": 0,
            "out": {"facts": 0, "unknown": 0},
            "sums": {payer: ["0.00", "0.00"] for payer in PAYERS},
            "groups": {"level": {}, "status": {}, "age": {}},
            "worst": [],
        }
        self.measure = measure
        self.people: dict[int, list[Any]] = {}

    def left_out(self, why: str) -> None:
        self.data["out"][why] += 1

    def add(self, played: _Played, *, by_draft: bool) -> None:
        row, then, now = played.found.settlement, played.then, played.now
        self.data["bills"] += 1
        self.data["by_draft"] += by_draft
        for payer in PAYERS:
            _plus(self.data["sums"][payer], 0, getattr(then, payer), getattr(now, payer))
        before, after = getattr(then, self.measure), getattr(now, self.measure)
        person = played.found.case.claim.person
        axes = {"level": row.level, "status": person.status, "age": _age_group(played.found.age)}
        for axis, value in axes.items():
            group = self.data["groups"][axis].setdefault(value, [0, "0.00", "0.00"])
            group[0] += 1
            _plus(group, 1, before, after)
        sums = self.people.setdefault(row.patient_id, [0, ZERO, ZERO, ZERO, ZERO])
        for at, amount in enumerate((1, then.paid, now.paid, then.cash, now.cash)):
            sums[at] += amount
        if after > before:
            self._worst(row.pk, before, after)

    def _worst(self, settlement: int, before: Decimal, after: Decimal) -> None:
        rows = [*self.data["worst"], [settlement, plain(before), plain(after)]]
        rows.sort(key=lambda one: (Decimal(one[1]) - Decimal(one[2]), one[0]))
        self.data["worst"] = rows[:WORST]


def _plus(row: list[Any], at: int, before: Decimal, after: Decimal) -> None:
    row[at], row[at + 1] = plain(Decimal(row[at]) + before), plain(Decimal(row[at + 1]) + after)


def _age_group(years: int) -> str:
    """The first age of the group."""
    return str(max((first for first in AGES if first <= years), default=0))


def _settlements(region_id: str, month: str) -> QuerySet[Settlement]:
    rows = Settlement.objects.filter(region=region_id, reversed_on=None)
    if not month:
        return rows
    first = datetime.date.fromisoformat(f"{month}-01")
    after = (first + datetime.timedelta(days=31)).replace(day=1)
    return rows.filter(settled_on__gte=first, settled_on__lt=after)


def _finish(trial: Trial) -> None:
    measure, at = measure_of(trial.draft), clock.now()
    with connection.cursor() as cursor:
        cursor.execute(BARS.format(measure=measure), [list(EDGES), trial.pk])
        bars = dict(cursor.fetchall())
    counts = [bars.get(place, 0) for place in range(len(EDGES) + 1)]
    zero = EDGES.index(ZERO) + 1
    trial.result["bars"] = counts
    trial.result["people"] = [sum(counts[:zero]), counts[zero], sum(counts[zero + 1 :])]
    TrialDrift.objects.filter(trial=trial).delete()
    _watch(trial, at)
    trial.state, trial.finished_at, trial.resumed_at = TrialState.DONE, at, None
    _record("finish", trial, None, at, bills=trial.done)


def _to(
    trial: Trial, before: list[TrialState], after: TrialState, verb: str, by: User, at: datetime.datetime | None
) -> Trial:
    at = at or clock.now()
    permitted(by, trial.draft.region_id)
    with transaction.atomic():
        trial = Trial.objects.select_for_update(of=("self",)).select_related("draft").get(pk=trial.pk)
        if trial.state not in before:
            raise Refused("trial_state", state=str(trial.state))
        _watch(trial, at)
        trial.state = after
        trial.resumed_at = at if after == TrialState.RUNNING else None
        trial.finished_at = at if after == TrialState.CANCELLED else None
        trial.save()
        if after == TrialState.CANCELLED:
            TrialDrift.objects.filter(trial=trial).delete()
        _record(verb, trial, by, at)
    return trial


def _watch(trial: Trial, at: datetime.datetime) -> None:
    if trial.resumed_at:
        trial.worked_seconds += max((at - trial.resumed_at).total_seconds(), 0)


def _record(verb: str, trial: Trial, by: User | None, at: datetime.datetime, **details: Any) -> None:
    audit.record(
        action=f"trial.{verb}",
        by=by,
        at=at,
        target=f"trial {trial.pk} of draft {trial.draft_id} {trial.draft.region_id}",
        details=details,
        channel=Channel.ONLINE if by else Channel.SYSTEM,
    )
