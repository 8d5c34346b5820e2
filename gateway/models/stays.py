import datetime

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.fields import EncryptedTextField
from accounts.models import Member
from gateway.enums import StayState
from gateway.models.visits import Visit


class Stay(models.Model):
    """What an inpatient visit has beyond any other (2401 to 2405). Its fee lines are of one charge batch, or of several
    where parts of the stay were settled before its end: "1", "2", ...

    `admitted_at` is the visit's `begun_at`. `admission`, `discharge`: what the hospital said, field by field, as JSON;
    health data and telephones, so encrypted.
    """

    visit = models.OneToOneField(Visit, models.PROTECT, primary_key=True, related_name="stay", verbose_name=_("visit"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="stays", verbose_name=_("member"))
    state = models.CharField(_("state"), max_length=10, choices=StayState, default=StayState.ADMITTED)
    admitted_at = models.DateTimeField(_("admitted at"))
    discharged_at = models.DateTimeField(_("discharged at"), null=True)
    admission = EncryptedTextField(_("admission"))
    discharge = EncryptedTextField(_("discharge"), null=True)

    class Meta:
        verbose_name = _("stay in hospital")
        verbose_name_plural = _("stays in hospital")
        ordering = ["-visit"]
        constraints = [
            models.CheckConstraint(
                name="stay_discharged_when_it_says_so",
                condition=Q(state__in=["admitted", "cancelled"], discharged_at=None, discharge=None)
                | Q(state__in=["discharged", "settled"], discharged_at__isnull=False, discharge__isnull=False),
            ),
            models.CheckConstraint(
                name="stay_ends_after_it_begins",
                condition=Q(discharged_at=None) | Q(discharged_at__gte=F("admitted_at")),
            ),
            # Nobody lies in two beds. The binaries bring no btree_gist: a range of the key stands in for equality.
            ExclusionConstraint(
                name="stay_no_overlap",
                expressions=[
                    (Func(F("member"), F("member"), Value("[]"), function="int8range"), "&&"),
                    (
                        Func(
                            F("admitted_at"),
                            F("discharged_at"),
                            Value("[)"),
                            function="tstzrange",
                            output_field=DateTimeRangeField(),
                        ),
                        "&&",
                    ),
                ],
                condition=~Q(state="cancelled"),
            ),
        ]

    def __str__(self) -> str:
        return str(self.visit_id)

    @property
    def days(self) -> tuple[datetime.date, datetime.date | None]:
        """Day of admission, day of discharge."""
        return timezone.localdate(self.admitted_at), self.discharged_at and timezone.localdate(self.discharged_at)
