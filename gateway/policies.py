"""Who may: one short function a permission."""

from accounts.enums import Role
from accounts.models import User
from accounts.policies import has_role


def may_settle_differences(user: User, region: object) -> bool:
    """Explain and close differences with the institutions of a region: its administrators."""
    return has_role(user, Role.REGION_ADMIN, region)
