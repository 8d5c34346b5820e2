"""Differences found by a comparison of details: kept, explained and closed."""

import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts import clock
from accounts.actions import audit
from accounts.enums import Insurance
from accounts.errors import Refused
from accounts.models import Institution, User
from gateway.domain.reconciling import Compared
from gateway.enums import DifferenceState
from gateway.models import Difference, Reconciliation
from gateway.policies import may_settle_differences

MOST_NOTE = 500


def note(*, run: Reconciliation, compared: Iterable[Compared], at: datetime.datetime) -> None:
    """Keep what differs, once a settlement and direction; close what was open and agrees now. Part of 3202."""
    compared = list(compared)
    unclosed = {_key_of(one): one for one in _unclosed(run)}
    differing = {_key(one): one for one in compared if one.kind}
    new = (
        Difference(institution=run.institution, found_by=run, found_at=at, **_facts(one, run))
        for key, one in differing.items()
        if key not in unclosed
    )
    # A statement takes 65,535 parameters: a file in which everything differs has more.
    Difference.objects.bulk_create(new, batch_size=1000)
    again = [unclosed[key] for key in differing if key in unclosed]
    for known in again:
        for name, value in _facts(differing[known.setl_id, known.reversal], run).items():
            setattr(known, name, value)
    Difference.objects.bulk_update(again, [*_FACTS], batch_size=1000)
    agreeing = {_key(one) for one in compared if not one.kind}
    missed = [known for key, known in unclosed.items() if key not in differing]
    since = _since(missed, run)
    gone = [known for known in missed if _key_of(known) in agreeing or _looked_at(known, [*since, run])]
    _close_agreed(gone, run, at)


def _unclosed(run: Reconciliation) -> QuerySet[Difference]:
    """Locked, so that two comparisons at once do not find the same thing twice."""
    Institution.objects.select_for_update(no_key=True).get(pk=run.institution_id)
    found = Difference.objects.filter(institution=run.institution).exclude(state=DifferenceState.CLOSED)
    return found.select_related("seen_last_by")


def _key(one: Compared) -> tuple[str, bool]:
    row = one.ours or one.theirs
    assert row is not None
    return row.setl_id, row.reversal


def _key_of(known: Difference) -> tuple[str, bool]:
    return known.setl_id, known.reversal


def _since(missed: list[Difference], run: Reconciliation) -> list[Reconciliation]:
    """What was compared before this and after such a difference was seen last. Sums in which it would stand say that it is
    gone only if they agree."""
    if not missed or not run.insurance:
        return []
    seen_last = min(known.seen_last_by_id for known in missed)
    runs = Reconciliation.objects.filter(institution=run.institution, pk__gt=seen_last, pk__lt=run.pk)
    return list(runs.filter(Q(infno=Reconciliation.DETAILS) | Q(balanced=True)))


def _looked_at(known: Difference, runs: list[Reconciliation]) -> bool:
    """Whether these comparisons would have found it again: together they looked at all that the one before looked at.

    One of all insurances, in a row that is not ours, may be followed by one for each of them: nobody knows whose it is."""
    last = known.seen_last_by
    wanted = {last.insurance} if last.insurance or known.our_total is not None else set(Insurance.values)
    looked = [run.insurance for run in runs if run.pk > last.pk and _covers(run, last)]
    return "" in looked or wanted <= set(looked)


def _covers(run: Reconciliation, last: Reconciliation) -> bool:
    """But for the insurance."""
    same = (last.region_id, last.refunds) == (run.region_id, run.refunds) and run.clr_type in ("", last.clr_type)
    return same and run.begins_on <= last.begins_on and last.ends_on <= run.ends_on


_FACTS = (
    "seen_last_by", "kind", "setl_id", "reversal", "mdtrt_id", "psn_no", "msgid", "line", "our_total", "our_fund",
    "our_accounts", "their_total", "their_fund", "their_accounts",
)  # fmt: skip


def _facts(one: Compared, run: Reconciliation) -> dict[str, Any]:
    row = one.ours or one.theirs
    assert row is not None
    none: tuple[Decimal | None, ...] = (None, None, None)
    values = (
        run, one.kind, row.setl_id, row.reversal, row.mdtrt_id, row.psn_no, one.ours.msgid if one.ours else "",
        one.theirs.line if one.theirs else None,
        *(one.ours.amounts if one.ours else none), *(one.theirs.amounts if one.theirs else none),
    )  # fmt: skip
    return dict(zip(_FACTS, values, strict=True))


def _close_agreed(agreed: list[Difference], run: Reconciliation, at: datetime.datetime) -> None:
    told = _("Both sides agreed at the comparison of %(begin)s to %(end)s.") % {
        "begin": run.begins_on.isoformat(),
        "end": run.ends_on.isoformat(),
    }
    for one in agreed:
        one.state, one.note, one.changed_at, one.changed_by = DifferenceState.CLOSED, told, at, None
        one.seen_last_by = run
    Difference.objects.bulk_update(
        agreed, ["state", "note", "changed_at", "changed_by", "seen_last_by"], batch_size=1000
    )


def explain(*, difference: Difference, text: str, by: User, at: datetime.datetime | None = None) -> Difference:
    """Say where it comes from and what was agreed; it stays until both sides agree or somebody closes it.

    Raises PermissionDenied, and Refused: note_missing, note_long, difference_closed.
    """
    return _change(difference, DifferenceState.EXPLAINED, "difference_explained", text, by, at)


def close(*, difference: Difference, text: str, by: User, at: datetime.datetime | None = None) -> Difference:
    """Nothing more is to be done about it. One that is found again comes back as a new difference.

    Raises PermissionDenied, and Refused: note_missing, note_long, difference_closed, difference_unexplained.
    """
    return _change(difference, DifferenceState.CLOSED, "difference_closed", text, by, at)


@transaction.atomic
def _change(
    difference: Difference, state: DifferenceState, action: str, text: str, by: User, at: datetime.datetime | None
) -> Difference:
    if not may_settle_differences(by, difference.institution.region_id):
        raise PermissionDenied
    text = text.strip()
    if not text:
        raise Refused("note_missing")
    if len(text) > MOST_NOTE:
        raise Refused("note_long", most=MOST_NOTE)
    at = at or clock.now()
    found = Difference.objects.select_for_update(no_key=True).get(pk=difference.pk)
    if found.state == DifferenceState.CLOSED:
        raise Refused("difference_closed")
    if state == DifferenceState.CLOSED and found.state == DifferenceState.OPEN:
        raise Refused("difference_unexplained")
    found.state, found.note, found.changed_at, found.changed_by = state, text, at, by
    found.save(update_fields=["state", "note", "changed_at", "changed_by"])
    audit.record(
        action=action,
        by=by,
        at=at,
        target=f"difference {found.public_id}",
        reason=text,
        details={"institution": difference.institution.code, "setl_id": found.setl_id, "kind": found.kind},
    )
    return found
