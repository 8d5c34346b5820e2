from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Insurance(models.TextChoices):
    EMPLOYEE = "employee", _("Employee medical insurance")
    RESIDENT = "resident", _("Resident medical insurance")


class EnrolmentStatus(models.TextChoices):
    NORMAL = "normal", _("Normal")
    SUSPENDED = "suspended", _("Suspended: contributions stopped")
    FROZEN = "frozen", _("Frozen")
    # 终止参保: an account is 已注销, a run 已关闭.
    CLOSED = "closed", pgettext_lazy("insurance", "Closed")


class PersonalStatus(models.TextChoices):
    ACTIVE = "active", _("Working")
    RETIRED = "retired", _("Retired")


class Relation(models.TextChoices):
    """What the beneficiary is to the grantor."""

    SPOUSE = "spouse", _("Spouse")
    PARENT = "parent", _("Parent")
    CHILD = "child", _("Child")
    SIBLING = "sibling", _("Brother or sister")
    GRANDPARENT = "grandparent", _("Grandparent")
    GRANDCHILD = "grandchild", _("Grandchild")
    # Offered so that the refusal can be explained: a spouse's parents are not near relatives.
    PARENT_IN_LAW = "parent_in_law", _("Spouse's parent")


class Level(models.TextChoices):
    PRIMARY = "primary", _("Community or first level")
    SECONDARY = "secondary", _("Second level")
    TERTIARY = "tertiary", _("Third level")
    TOP = "top", _("Top hospital")


class InstitutionKind(models.TextChoices):
    HOSPITAL = "hospital", _("Hospital or clinic")
    PHARMACY = "pharmacy", _("Pharmacy")


class Role(models.TextChoices):
    CLERK = "clerk", _("Clerk")
    SUPERVISOR = "supervisor", _("Supervisor")
    REGION_ADMIN = "region_admin", _("Region administrator")
    SYSTEM_ADMIN = "system_admin", _("System administrator")
    AUDITOR = "auditor", _("Auditor")


class IdentityLevel(models.IntegerChoices):
    NONE = 0, _("Not proven")
    REGISTERED = 1, _("Registered")
    VERIFIED = 2, _("Verified")
    IN_PERSON = 3, _("Seen in person")


class Channel(models.TextChoices):
    ONLINE = "online", _("Online")
    WINDOW = "window", _("At the window")
    GATEWAY = "gateway", _("By an institution")
    SYSTEM = "system", _("By the system")
