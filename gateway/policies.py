"""Who may: one short function a permission."""

from accounts.enums import Role
from accounts.models import User
from accounts.policies import AnyUser, has_any_role, has_role


def may_watch_calls(user: AnyUser) -> bool:
    """Region administrators for their regions, system administrators everywhere: who called what, and how it ended."""
    return has_any_role(user, Role.REGION_ADMIN, Role.SYSTEM_ADMIN)


def may_open_messages(user: AnyUser, region: object) -> bool:
    """Administrators of the region alone: bodies are people's data."""
    return has_role(user, Role.REGION_ADMIN, region)


def may_settle_differences(user: User, region: object) -> bool:
    """Explain and close differences with the institutions of a region: its administrators."""
    return has_role(user, Role.REGION_ADMIN, region)
