"""How much waits for an administrator: what another has prepared and he may release, publish or close."""

from django.db.models import Q

from accounts.enums import Role
from accounts.models import User
from accounts.policies import regions_with_role
from settlements.enums import AdjustmentState, CreditState, DraftState, FileState, RunState
from settlements.models import (
    CatalogueFile,
    ContributionFile,
    CreditRun,
    RolloverAdjustment,
    RolloverRun,
    RuleDraft,
)


def rollovers(user: User) -> int:
    """Rollovers without rates, to be released or to be closed, and corrections to be released."""
    second = Q(state__in=[RunState.REHEARSED, RunState.RECONCILED]) & ~Q(planned_by=user)
    runs = RolloverRun.objects.filter(Q(state=RunState.OPENED) | second, region__in=_regions(user))
    adjustments = RolloverAdjustment.objects.filter(state=AdjustmentState.COUNTED, run__region__in=_regions(user))
    return runs.count() + adjustments.exclude(planned_by=user).count()


def contributions(user: User) -> int:
    """Contribution files to be released."""
    files = ContributionFile.objects.filter(state=FileState.READY, region__in=_regions(user))
    return files.exclude(uploaded_by=user).count()


def clearings(user: User) -> int:
    """Clearings to be released."""
    runs = CreditRun.objects.filter(state=CreditState.PLANNED, region__in=_regions(user))
    return runs.exclude(planned_by=user).count()


def drafts(user: User) -> int:
    """Drafts of rules that may be published."""
    return RuleDraft.objects.filter(state=DraftState.DRAFT, region__in=_regions(user)).exclude(made_by=user).count()


def catalogues(user: User) -> int:
    """Catalogue files to be released."""
    files = CatalogueFile.objects.filter(state=FileState.READY, region__in=_regions(user))
    return files.exclude(uploaded_by=user).count()


def _regions(user: User) -> set[str]:
    return regions_with_role(user, Role.REGION_ADMIN)
