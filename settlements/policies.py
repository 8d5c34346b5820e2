"""Who may: one short function a permission."""

from accounts.enums import Role
from accounts.models import Member, User
from accounts.policies import has_role, is_member, serves_himself
from settlements.models import Settlement


def may_run_rollover(user: User, region: object) -> bool:
    """Plan, rehearse, release, pause, resume, cancel and close the rollover of a region: its administrators."""
    return has_role(user, Role.REGION_ADMIN, region)


def may_credit(user: User, region: object) -> bool:
    """Upload, release and withdraw contributions; plan, release, pause and resume crediting: the region's administrators."""
    return has_role(user, Role.REGION_ADMIN, region)


def may_release(user: User, planned_by_id: int | None) -> bool:
    """Two people: who planned does not release."""
    return user.pk != planned_by_id


def may_act_for(by: User | None, member: Member, region_code: str) -> bool:
    """Money of a member moves at his own wish, or by a clerk of the region for him (not for himself); None: the system."""
    if by is None or by.member_id == member.pk:
        return True
    return has_role(by, Role.CLERK, region_code) and not serves_himself(by, member.pk)


def may_close(user: User, planned_by_id: int | None) -> bool:
    """Who planned does not close either; whoever released may."""
    return user.pk != planned_by_id


def may_see_whole(user: User, settlement: Settlement) -> bool:
    """The patient himself and staff who serve in the region. A relative whose account paid sees only his own leg."""
    if is_member(user):
        return user.member_id == settlement.patient_id
    return any(has_role(user, role, settlement.region_id) for role in (Role.CLERK, Role.SUPERVISOR))


def may_pay_out(user: User, region: object) -> bool:
    """Note what the bank has paid out to members of a region: its supervisors."""
    return has_role(user, Role.SUPERVISOR, region)


def may_change_rules(user: User, region: object) -> bool:
    """Make, edit, try, discard and publish drafts of a region's rules, and bring in its catalogue: its administrators."""
    return has_role(user, Role.REGION_ADMIN, region)
