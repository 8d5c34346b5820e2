"""Who may: one short function a permission. Roles are read at every request: one that has ended is gone at once."""

import datetime

from django.db.models import Q

from accounts import clock
from accounts.enums import IdentityLevel, Role
from accounts.models import Member, RoleAssignment, ServiceCentre, User

AnyUser = User  # also Django's AnonymousUser: every question here is answered False for him


def in_force(on: datetime.date, of: str = "") -> Q:
    """Roles that hold on a day. `of`: what leads to them from another table, such as `role_assignments__`."""
    return Q((f"{of}ended_at", None)) & (Q((f"{of}last_day", None)) | Q((f"{of}last_day__gte", on)))


def roles_of(user: AnyUser) -> list[RoleAssignment]:
    """The roles a staff login holds now; read once a request."""
    if not user.is_authenticated or not user.is_active or not user.is_staff:
        return []
    known: list[RoleAssignment] | None = getattr(user, "_portal_roles", None)
    if known is None:
        known = list(user.role_assignments.filter(in_force(clock.today())).select_related("region", "centre"))
        user._portal_roles = known  # type: ignore[attr-defined]
    return known


def has_role(user: AnyUser, role: Role | str, region: object = None) -> bool:
    """Whether the login holds a role, anywhere or in a region (or its code). One without region holds everywhere."""
    code = getattr(region, "pk", region)
    return any(
        held.role == role and (code is None or held.region_id is None or held.region_id == code)
        for held in roles_of(user)
    )


def has_any_role(user: AnyUser, *roles: Role | str) -> bool:
    """Whether the login holds at least one of the roles, in any region."""
    return any(held.role in roles for held in roles_of(user))


def regions_with_role(user: AnyUser, *roles: Role | str) -> set[str]:
    """The codes of the regions in which the login holds one of the roles."""
    return {held.region_id for held in roles_of(user) if held.role in roles and held.region_id is not None}


def centre_of(user: AnyUser, region_code: str) -> ServiceCentre | None:
    """Where a clerk sits, as his role says."""
    mine = [held for held in roles_of(user) if held.role == Role.CLERK and held.region_id == region_code]
    return next((held.centre for held in mine if held.centre is not None), None)


def is_member(user: AnyUser) -> bool:
    """A citizen with a claimed record."""
    return bool(user.is_authenticated and user.is_active and user.member_id is not None)


def has_identity(user: AnyUser, least: IdentityLevel | int) -> bool:
    """A citizen whose identity is proven at least so far."""
    return is_member(user) and user.identity_level >= least


def person_of(user: AnyUser) -> int | None:
    """The id of the member who owns a login: a citizen's own record, a staff member's by his ID number. None: unknown."""
    if user.member_id is not None or not user.person_index:
        return user.member_id
    found = Member.objects.filter(id_number_index=user.person_index).values_list("pk", flat=True).first()
    return None if found is None else int(found)


def serves_himself(user: AnyUser | None, *members: int) -> bool:
    """Whether a staff login belongs to one of the members (ids) it would act for. None is the system."""
    return user is not None and user.is_staff and person_of(user) in members


def may_use_admin(user: AnyUser) -> bool:
    """Region administrators, system administrators, and auditors for the log."""
    return has_any_role(user, Role.REGION_ADMIN, Role.SYSTEM_ADMIN, Role.AUDITOR)
