"""Who may be served by whom."""

from accounts.enums import Role
from accounts.models import Enrolment, Member, User
from accounts.policies import regions_with_role, serves_himself
from family.models import SharingApplication


def may_open(user: User, member: Member) -> bool:
    """A clerk of a region where the member is or was insured, and not the member himself."""
    if serves_himself(user, member.pk):
        return False
    regions = regions_with_role(user, Role.CLERK)
    return Enrolment.objects.filter(member=member, region__in=regions).exists()


def may_work_on(user: User, application: SharingApplication) -> bool:
    """A clerk of the region of the case who is none of its people."""
    if serves_himself(user, application.grantor_id, application.beneficiary_id):
        return False
    return application.case.region_id in regions_with_role(user, Role.CLERK)
