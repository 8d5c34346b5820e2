"""What comes after a grant: its terms, pausing and ending it, and ordering one's grantors. No settled bill changes."""

import datetime
from collections.abc import Sequence
from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts import clock
from accounts.actions import audit
from accounts.enums import Channel, Relation
from accounts.errors import Refused
from accounts.models import Enrolment, Member, User
from accounts.money import plain
from accounts.policies import is_member
from casework.actions.cases import refuse_own
from casework.policies import may_serve
from family import queries
from family.actions import notices
from family.actions.locks import lock_members
from family.domain import check as rule
from family.domain.check import Terms
from family.enums import EndReason
from family.models import DeductionOrder, SharingGrant
from family.policies import is_verified, may_adjust, may_end, may_order

# What ends grants by rule, whoever asks. Stopped contributions do not: the grantor is passed over until they go on.
ENDED_BY_RULE = (EndReason.DIED, EndReason.MOVED, EndReason.DIVORCED)


@transaction.atomic
def unbind(
    *,
    grant: SharingGrant,
    by: User | None,
    at: datetime.datetime,
    on_behalf_of: Member | None = None,
    channel: str = Channel.ONLINE,
) -> SharingGrant:
    """End a grant at the wish of either side; its `ends_on` is the first day without it.

    A clerk says for whom of the two (`on_behalf_of`). Raises Refused: too_early_to_unbind, not_bound (it ends by then
    anyway), own_case (a clerk who is one of the two); and PermissionDenied.
    """
    refuse_own(by, grant.grantor_id, grant.beneficiary_id)
    lock_members(grant.grantor_id, grant.beneficiary_id)
    grant = SharingGrant.objects.select_related("grantor", "beneficiary").get(pk=grant.pk)
    if not may_end(by, grant):
        raise PermissionDenied
    on = timezone.localdate(at)
    rules = queries.rules_on(grant.region_id, on)
    effective = rule.unbound_from(rules, on) if rules else on
    if grant.ends_on is not None and grant.ends_on <= effective:
        raise Refused("not_bound")
    if rules is not None:
        first = rule.may_unbind_from(rules, timezone.localdate(grant.bound_at))
        if on < first:
            raise Refused("too_early_to_unbind", from_on=first.isoformat(), months=rules.unbind_min_months)
    side = _side(on_behalf_of.pk if on_behalf_of else by and by.member_id, grant)
    return _end(grant, side, effective, by=by, at=at, channel=channel, on_behalf_of=on_behalf_of)


def _side(member_id: int | None, grant: SharingGrant) -> EndReason:
    sides = {grant.grantor_id: EndReason.GRANTOR, grant.beneficiary_id: EndReason.BENEFICIARY}
    return sides.get(member_id, EndReason.OFFICE)


@transaction.atomic
def end_for(
    *,
    member: Member,
    why: str,
    on: datetime.date,
    by: User | None = None,
    at: datetime.datetime | None = None,
    channel: str = Channel.SYSTEM,
    left: str = "",
) -> list[SharingGrant]:
    """End by rule what a death, a move or a divorce ends, from a day on: all grants the member gives or holds.

    `why`: died, moved, divorced (between spouses only), or stopped, which ends nothing (the grantor is passed over
    while he is suspended). `left`: the region that was moved from; what was bound since the member is insured elsewhere
    goes on. No minimum duration holds here. Gives the grants ended. ValueError for another `why`.
    """
    if why == "stopped":
        return []
    if why not in ENDED_BY_RULE:
        raise ValueError(f"nothing ends because of {why!r}")
    mine = (SharingGrant.objects.filter(grantor=member) | SharingGrant.objects.filter(beneficiary=member)).exclude(
        ends_on__lte=on
    )
    if why == EndReason.DIVORCED:
        mine = mine.filter(relation=Relation.SPOUSE)
    if why == EndReason.MOVED and left:
        there = Enrolment.objects.filter(Q(valid_to=None) | Q(valid_to__gt=OuterRef("starts_on")), member=member)
        there = there.filter(valid_from__lte=OuterRef("starts_on")).exclude(region=left)
        mine = mine.exclude(Exists(there), starts_on__gte=on)
    # He alone: whatever is done with his grants locks both of their members, and he may be locked already, after which
    # nobody with a lower id may be.
    lock_members(member.pk)
    at = at or clock.now()
    # A day reported late may lie before a grant began; that grant then never held.
    return [
        _end(grant, EndReason(why), max(on, grant.starts_on), by=by, at=at, channel=channel)
        for grant in mine.select_related("grantor", "beneficiary").order_by("id")
    ]


def _end(
    grant: SharingGrant,
    why: EndReason,
    effective: datetime.date,
    *,
    by: User | None,
    at: datetime.datetime,
    channel: str,
    on_behalf_of: Member | None = None,
) -> SharingGrant:
    grant.ends_on, grant.end_reason = effective, why
    grant.save(update_fields=["ends_on", "end_reason"])
    details = {"why": str(why), "from": effective.isoformat()}
    _record(grant, "sharing_ended", details, by=by, at=at, channel=channel, on_behalf_of=on_behalf_of)
    notices.ended(grant, at)
    return grant


@transaction.atomic
def adjust(
    *,
    grant: SharingGrant,
    by: User | None,
    at: datetime.datetime,
    limit: Decimal | None,
    uses_care: bool = True,
    uses_premium: bool = True,
    channel: str = Channel.ONLINE,
) -> SharingGrant:
    """The grantor (or a clerk for him) changes what a grant may be used for; `limit` in yuan a benefit year or None.

    What was used before counts toward the new limit. Raises Refused: bad_limit, no_use_chosen, use_not_offered,
    not_bound, needs_verification, own_case; and PermissionDenied.
    """
    grant, on = _of_grantor(grant, by, at), timezone.localdate(at)
    rules = queries.rules_on(grant.region_id, on)
    terms = Terms(care=uses_care, premium=uses_premium, limit=limit)
    findings = rule.check_terms(rules, terms, on) if rules else []
    if findings:
        raise Refused(findings[0].code, **findings[0].params)
    grant.limit, grant.uses_care, grant.uses_premium = limit, uses_care, uses_premium
    grant.save(update_fields=["limit", "uses_care", "uses_premium"])
    details = {"limit": None if limit is None else plain(limit), "care": uses_care, "premium": uses_premium}
    _record(grant, "sharing_adjusted", details, by=by, at=at, channel=channel, on_behalf_of=_served(by, grant))
    notices.changed(grant, "adjusted", at)
    return grant


@transaction.atomic
def pause(
    *, grant: SharingGrant, by: User | None, at: datetime.datetime, channel: str = Channel.ONLINE
) -> SharingGrant:
    """The grantor (or a clerk for him) stops the use of a grant without ending it; twice is as once.

    Raises Refused (not_bound, needs_verification, own_case) and PermissionDenied.
    """
    return _set_paused(grant, at, by=by, at=at, channel=channel)


@transaction.atomic
def resume(
    *, grant: SharingGrant, by: User | None, at: datetime.datetime, channel: str = Channel.ONLINE
) -> SharingGrant:
    """The use of a paused grant goes on. Refusals as `pause`."""
    return _set_paused(grant, None, by=by, at=at, channel=channel)


def _set_paused(
    grant: SharingGrant, paused_at: datetime.datetime | None, *, by: User | None, at: datetime.datetime, channel: str
) -> SharingGrant:
    grant = _of_grantor(grant, by, at)
    if (grant.paused_at is None) == (paused_at is None):
        return grant
    grant.paused_at = paused_at
    grant.save(update_fields=["paused_at"])
    what = "resumed" if paused_at is None else "paused"
    _record(grant, f"sharing_{what}", {}, by=by, at=at, channel=channel, on_behalf_of=_served(by, grant))
    notices.changed(grant, what, at)
    return grant


def _of_grantor(grant: SharingGrant, by: User | None, at: datetime.datetime) -> SharingGrant:
    """The grant as it is now, locked, for one who may change its terms."""
    refuse_own(by, grant.grantor_id, grant.beneficiary_id)
    lock_members(grant.grantor_id, grant.beneficiary_id)
    grant = SharingGrant.objects.select_related("grantor", "beneficiary").get(pk=grant.pk)
    if not may_adjust(by, grant):
        raise PermissionDenied
    if by is not None and is_member(by) and not is_verified(by):
        raise Refused("needs_verification")
    if grant.ends_on is not None and grant.ends_on <= timezone.localdate(at):
        raise Refused("not_bound")
    return grant


def _served(by: User | None, grant: SharingGrant) -> Member | None:
    """The grantor, where a clerk acts for him."""
    return None if by is None or is_member(by) else grant.grantor


def _record(
    grant: SharingGrant,
    action: str,
    details: dict[str, object],
    *,
    by: User | None,
    at: datetime.datetime,
    channel: str,
    on_behalf_of: Member | None,
) -> None:
    for member in (grant.grantor, grant.beneficiary):
        audit.record(
            action=action,
            by=by,
            at=at,
            member=member,
            target=f"grant {grant.public_id}",
            details=details,
            on_behalf_of=on_behalf_of,
            channel=channel,
        )


@transaction.atomic
def reorder(
    *,
    beneficiary: Member,
    grant_ids: Sequence[int],
    version: int | None,
    by: User | None,
    at: datetime.datetime,
    channel: str = Channel.ONLINE,
) -> DeductionOrder:
    """File the order in which a beneficiary's grantors are charged: ids of his grants; those left out go last.

    `version` is what `family.queries.order_of` gave with the order that was changed; None takes any. Raises Refused:
    not_adjustable, needs_verification, own_case, stale_order (ordered anew or a grant ended meanwhile); and PermissionDenied.
    """
    on = timezone.localdate(at)
    region_code = queries.region_of(beneficiary, on) or ""
    if not may_order(by, beneficiary, region_code):
        raise PermissionDenied
    if by is not None and is_member(by) and not is_verified(by):
        raise Refused("needs_verification")
    rules = queries.rules_on(region_code, on)
    if rules is None or not rules.order_adjustable:
        raise Refused("not_adjustable")
    lock_members(beneficiary.pk)
    before, known = queries.order_of(beneficiary.pk)
    shared = list(queries.who_shares_with(beneficiary, on))
    held = {grant.pk for grant in shared}
    # The order decides whose money goes first: a clerk who is one of the grantors leaves it to a colleague.
    refuse_own(by, beneficiary.pk, *(grant.grantor_id for grant in shared))
    if version not in (None, known) or len(set(grant_ids)) < len(grant_ids) or not held.issuperset(grant_ids):
        raise Refused("stale_order")
    order, _ = DeductionOrder.objects.update_or_create(
        beneficiary=beneficiary, defaults={"grant_ids": list(grant_ids), "version": known + 1, "changed_at": at}
    )
    audit.record(
        action="sharing_reordered",
        by=by,
        at=at,
        member=beneficiary,
        target=f"member {beneficiary.public_id}",
        details={"before": before, "after": list(grant_ids)},
        on_behalf_of=beneficiary if by is not None and may_serve(by, region_code) else None,
        channel=channel,
    )
    notices.reordered(beneficiary, at)
    return order
