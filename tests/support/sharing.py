"""Grants for tests that begin after the binding."""

from decimal import Decimal

from accounts import clock
from accounts.models import Member
from family.models import SharingGrant
from family.queries import region_of


def make_grant(
    grantor: Member, beneficiary: Member, relation: str = "spouse", *, limit: Decimal | None = None, **more: object
) -> SharingGrant:
    """A grant in force from today on, in the grantor's region."""
    now, today = clock.now(), clock.today()
    return SharingGrant.objects.create(
        grantor=grantor,
        beneficiary=beneficiary,
        region_id=region_of(grantor, today),
        relation=relation,
        limit=limit,
        bound_at=now,
        starts_on=today,
        **more,
    )
