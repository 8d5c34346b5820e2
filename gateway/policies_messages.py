"""Who may look at calls of institutions, and who may read what was said in them."""

from accounts.enums import Role
from accounts.policies import AnyUser, has_any_role, has_role


def may_watch_calls(user: AnyUser) -> bool:
    """Region administrators for their regions, system administrators everywhere: who called what, and how it ended."""
    return has_any_role(user, Role.REGION_ADMIN, Role.SYSTEM_ADMIN)


def may_open_messages(user: AnyUser, region: object) -> bool:
    """Administrators of the region alone: bodies are people's data."""
    return has_role(user, Role.REGION_ADMIN, region)
