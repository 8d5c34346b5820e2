"""Who may: one short function a permission."""

from accounts.enums import Role
from accounts.models import User
from accounts.policies import has_role


def may_run_rollover(user: User, region: object) -> bool:
    """Plan, rehearse, release, pause, resume, cancel and close the rollover of a region: its administrators."""
    return has_role(user, Role.REGION_ADMIN, region)


def may_release(user: User, planned_by_id: int | None) -> bool:
    """Two people: who planned does not release."""
    return user.pk != planned_by_id
