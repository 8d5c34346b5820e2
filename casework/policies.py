"""Who may do what with cases."""

from accounts.enums import Role
from accounts.models import User
from accounts.policies import has_role, person_of, regions_with_role
from casework import kinds
from casework.domain import states
from casework.models import Case


def staff_regions(user: User) -> set[str]:
    """The regions whose cases a login sees as clerk or supervisor."""
    return regions_with_role(user, Role.CLERK, Role.SUPERVISOR)


def may_serve(user: User, region_code: str) -> bool:
    """A clerk of the region."""
    return has_role(user, Role.CLERK, region_code)


def had_a_hand(user: User, case: Case) -> bool:
    """Whether the login made or changed the case, or belongs to somebody whom it is about."""
    if case.opened_by_id == user.pk or person_of(user) in kinds.get(case.kind).parties(case):
        return True
    return case.events.filter(actor_id=user.pk, verb__in=states.MAKING).exists()


def may_act_as(user: User | None, role: str, case: Case) -> bool:
    """Whether a login may take a step in a role: staff in their region, members as what they are.

    The system has no login.
    """
    if user is None:
        return role == states.SYSTEM
    if role == states.CLERK:
        return may_serve(user, case.region_id)
    if role == states.SUPERVISOR:
        return has_role(user, Role.SUPERVISOR, case.region_id)
    if role == states.APPLICANT:
        return user.member_id == case.applicant_id
    if role == states.RELATIVE:
        return user.member_id != case.applicant_id and user.member_id in kinds.get(case.kind).parties(case)
    return False
