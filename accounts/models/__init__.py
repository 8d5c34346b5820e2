from accounts.models.audit import AuditBlock, AuditEvent
from accounts.models.institutions import Institution
from accounts.models.messages import ConsentCode, Message, SmsOutbox
from accounts.models.people import Enrolment, Member
from accounts.models.region import BenefitYear, Region, ServiceCentre
from accounts.models.users import RoleAssignment, User

__all__ = [
    "AuditBlock",
    "AuditEvent",
    "BenefitYear",
    "ConsentCode",
    "Enrolment",
    "Institution",
    "Member",
    "Message",
    "Region",
    "RoleAssignment",
    "ServiceCentre",
    "SmsOutbox",
    "User",
]
