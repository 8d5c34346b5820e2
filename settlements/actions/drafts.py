"""A change of a scheme or of sharing rules: drafted by one person, published with a day by another (decision 0029)."""

import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts import clock
from accounts.actions import audit
from accounts.errors import Refused
from accounts.models import User
from family.models import SharingRules
from settlements.actions.rollover import clock_day
from settlements.domain.region_file import load_version_text
from settlements.domain.toml_text import version_text
from settlements.enums import DraftState, RulePart, TrialState
from settlements.models import RuleDraft, Scheme, Settlement, TrialDrift
from settlements.policies import may_change_rules

# A scheme with every stage and band of a region comes to some six thousand characters.
MAX_TEXT = 60_000

Version = Scheme | SharingRules


@transaction.atomic
def make(*, version: Version, by: User, at: datetime.datetime | None = None) -> RuleDraft:
    """A draft with the text of a version that has no end yet. Raises Refused: not_permitted, draft_version_ended."""
    at = at or clock.now()
    permitted(by, version.region_id)
    if version.valid_to is not None:
        raise Refused("draft_version_ended", ended_on=version.valid_to.isoformat())
    part = part_of(version)
    names = {"insurance": version.insurance, "kind": version.kind} if isinstance(version, Scheme) else {}
    draft = RuleDraft.objects.create(
        region_id=version.region_id,
        part=part,
        **names,
        **{part.value: version},
        text=version_text(part, {}, version.data),
        data=version.data,
        made_by=by,
        made_at=at,
        edited_at=at,
    )
    _record("draft", draft, by, at)
    return draft


@transaction.atomic
def edit(*, draft: RuleDraft, text: str, by: User, at: datetime.datetime | None = None) -> RuleDraft:
    """Give a draft another text; a what-if under way is ended, for it tries the old one.

    Raises Refused: not_permitted, draft_state, draft_of_another (only its maker edits: he may not publish it);
    BadRegionFile with line and key.
    """
    at = at or clock.now()
    permitted(by, draft.region_id)
    draft = _locked(draft)
    if draft.made_by_id != by.pk:
        raise Refused("draft_of_another")
    data = read(draft, text)
    if data != draft.data:
        _end_trials(draft, at)
    draft.text, draft.data, draft.edited_at = text, data, at
    draft.save(update_fields=["text", "data", "edited_at"])
    _record("edit", draft, by, at)
    return draft


def read(draft: RuleDraft, text: str) -> dict[str, Any]:
    """A text as the data of a version of the draft's region and part. Raises BadRegionFile."""
    known = draft.region.data
    return load_version_text(text, draft.part, known["levels"], known["counters"], str(draft.pk))


@transaction.atomic
def discard(*, draft: RuleDraft, by: User, reason: str = "", at: datetime.datetime | None = None) -> RuleDraft:
    """Give a draft up; it stays to be read, with who gave it up and why.

    Raises Refused: not_permitted, draft_state, draft_reason_missing (of another's draft its maker must hear why).
    """
    at = at or clock.now()
    permitted(by, draft.region_id)
    draft = _locked(draft)
    if draft.made_by_id != by.pk and not reason.strip():
        raise Refused("draft_reason_missing")
    _end_trials(draft, at)
    draft.state, draft.discarded_by, draft.discarded_at = DraftState.DISCARDED, by, at
    draft.discard_reason = reason.strip()
    draft.save(update_fields=["state", "discarded_by", "discarded_at", "discard_reason"])
    _record("discard", draft, by, at, reason=draft.discard_reason)
    return draft


@transaction.atomic
def publish(
    *,
    draft: RuleDraft,
    valid_from: datetime.date,
    by: User,
    seen: datetime.datetime | None = None,
    at: datetime.datetime | None = None,
) -> Version:
    """Let a draft hold from a day on: the present version ends that day, and the new one begins.

    `seen`: when the draft was last edited as its reader saw it. Raises Refused: not_permitted, draft_state, same_person,
    draft_changed, draft_same, draft_version_ended, draft_day_early (before tomorrow, or not after the version's own first
    day), draft_day_settled (bills of care, or days of settlement, lie there already).
    """
    at = at or clock.now()
    permitted(by, draft.region_id)
    draft = _locked(draft)
    if draft.made_by_id == by.pk:
        raise Refused("same_person", why="rules")
    if seen is not None and draft.edited_at != seen:
        raise Refused("draft_changed")
    base = type(draft.base).objects.select_for_update().get(pk=draft.base.pk)
    if base.valid_to is not None:
        raise Refused("draft_version_ended", ended_on=base.valid_to.isoformat())
    if base.data == draft.data:
        raise Refused("draft_same")
    _check_day(base, valid_from, at)
    # It was right when it was typed; the region's counters may have changed since.
    draft.data = read(draft, draft.text)
    _end(base, valid_from)
    version = _successor(draft, base, valid_from)
    draft.state, draft.published_by, draft.published_at = DraftState.PUBLISHED, by, at
    draft.valid_from = valid_from
    setattr(draft, f"published_{draft.part}", version)
    _end_trials(draft, at)
    draft.save()
    _record("publish", draft, by, at, valid_from=valid_from.isoformat(), version=version.pk)
    return version


def earliest(version: Version, at: datetime.datetime) -> datetime.date:
    """The first day from which a successor of a version may hold."""
    day = max(clock_day(at), version.valid_from) + datetime.timedelta(days=1)
    settled = _last_settled(version)
    return max(day, settled + datetime.timedelta(days=1)) if settled else day


def part_of(version: Version) -> RulePart:
    """Which part of the rules a version is of."""
    return RulePart.SCHEME if isinstance(version, Scheme) else RulePart.SHARING


def _check_day(base: Version, day: datetime.date, at: datetime.datetime) -> None:
    if day <= max(clock_day(at), base.valid_from):
        raise Refused("draft_day_early", earliest_on=earliest(base, at).isoformat())
    if day < earliest(base, at):
        raise Refused("draft_day_settled", earliest_on=earliest(base, at).isoformat())


def _last_settled(version: Version) -> datetime.date | None:
    """The last day that the version has decided: of care for a scheme, of settlement for sharing rules."""
    if isinstance(version, Scheme):
        found = version.settlement_set.aggregate(last=Max("service_on"))
    else:
        found = Settlement.objects.filter(region_id=version.region_id).aggregate(last=Max("settled_on"))
    last: datetime.date | None = found["last"]
    return last


def _end(base: Version, day: datetime.date) -> None:
    base.valid_to = day
    base.save(update_fields=["valid_to"])


def _successor(draft: RuleDraft, base: Version, day: datetime.date) -> Version:
    if isinstance(base, Scheme):
        return Scheme.objects.create(
            region_id=draft.region_id,
            insurance=draft.insurance,
            kind=draft.kind,
            valid_from=day,
            data=draft.data,
        )
    return SharingRules.objects.create(region_id=draft.region_id, valid_from=day, data=draft.data)


def _end_trials(draft: RuleDraft, at: datetime.datetime) -> None:
    """A what-if under way tries something that is no longer the draft's."""
    under_way = draft.trials.filter(state__in=[TrialState.RUNNING, TrialState.PAUSED])
    TrialDrift.objects.filter(trial__in=list(under_way)).delete()
    under_way.update(state=TrialState.CANCELLED, finished_at=at, resumed_at=None)


def _locked(draft: RuleDraft) -> RuleDraft:
    """The draft as it is now, held so that two buttons pressed at once follow each other."""
    draft = RuleDraft.objects.select_for_update(of=("self",)).select_related("region").get(pk=draft.pk)
    if not draft.is_open:
        raise Refused("draft_state", state=str(draft.state))
    return draft


def permitted(by: User, region: str) -> None:
    """Raises Refused("not_permitted")."""
    if not may_change_rules(by, region):
        raise Refused("not_permitted")


def _record(verb: str, draft: RuleDraft, by: User, at: datetime.datetime, **details: Any) -> None:
    target = " ".join(filter(None, ["rules", str(draft.pk), draft.region_id, draft.part, draft.insurance, draft.kind]))
    audit.record(action=f"rules.{verb}", by=by, at=at, target=target, details=details)
