"""Who may: one short function a permission."""

from accounts.models import Member, User
from accounts.queries import members_visible_to


def may_issue(user: User | None, member: Member) -> bool:
    """The member himself, staff of a region where he is or was insured, the system."""
    return user is None or members_visible_to(user).filter(pk=member.pk).exists()
