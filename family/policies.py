"""Who may do what with family sharing."""

from accounts.enums import IdentityLevel
from accounts.models import Member, User
from accounts.policies import has_identity
from casework.domain.states import APPLICANT, CLERK, RELATIVE, SYSTEM
from casework.policies import may_serve
from family.models import SharingApplication, SharingGrant


def is_verified(user: User) -> bool:
    """A login whose person has been seen: by face check, by the government's single sign-on, or at a window."""
    return has_identity(user, IdentityLevel.VERIFIED)


def role_for_grantor(by: User | None, grantor: Member, region_code: str) -> str | None:
    """In what role a login applies for a grantor: himself, a clerk of the region, the system; None for anybody else."""
    if by is None:
        return SYSTEM
    if by.member_id == grantor.pk:
        return APPLICANT
    return CLERK if may_serve(by, region_code) else None


def role_for_consent(by: User, application: SharingApplication) -> str | None:
    """In what role a login may answer an invitation: the beneficiary, or a clerk of the region; None for others."""
    if by.member_id == application.beneficiary_id:
        return RELATIVE
    return CLERK if may_serve(by, application.case.region_id) else None


def may_end(by: User | None, grant: SharingGrant) -> bool:
    """Either side, a clerk of the region, the system."""
    if by is None or by.member_id in (grant.grantor_id, grant.beneficiary_id):
        return True
    return may_serve(by, grant.region_id)


def may_adjust(by: User | None, grant: SharingGrant) -> bool:
    """Limit, uses and pause are the grantor's affair, or a clerk's for him."""
    return by is None or by.member_id == grant.grantor_id or may_serve(by, grant.region_id)


def may_order(by: User | None, beneficiary: Member, region_code: str) -> bool:
    """The beneficiary, a clerk of his region, the system. Not a grantor: he would learn who else shares."""
    return by is None or by.member_id == beneficiary.pk or may_serve(by, region_code)
