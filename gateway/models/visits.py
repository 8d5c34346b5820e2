from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.crypto import blind_index
from accounts.enums import Insurance
from accounts.fields import EncryptedTextField
from accounts.models import Institution, Member, Region
from gateway.domain.life import stage_of
from gateway.enums import VisitState
from settlements.enums import CareKind
from settlements.models import CatalogueItem, Settlement
from settlements.models.fields import Yuan


class Visit(models.Model):
    """A registered visit of a member at an institution (2201); its fee lines are settled in charge batches.

    What may follow what is `gateway.domain.life`. `ended`: cancelled (2202) or expired, else empty.
    """

    mdtrt_id = models.CharField(_("visit ID"), max_length=30)
    institution = models.ForeignKey(
        Institution, models.PROTECT, db_index=False, related_name="visits", verbose_name=_("institution")
    )
    # Members are never deleted: no constraint (decision 0028).
    member = models.ForeignKey(
        Member, models.PROTECT, db_constraint=False, related_name="visits", verbose_name=_("member")
    )
    region = models.ForeignKey(Region, models.PROTECT, db_index=False, verbose_name=_("region of insurance"))
    insurance = models.CharField(_("insurance"), max_length=10, choices=Insurance)
    kind = models.CharField(_("kind of care"), max_length=10, choices=CareKind)
    ipt_otp_no = models.CharField(_("the institution's own number"), max_length=30)
    begun_at = models.DateTimeField(_("begun at"))
    registered_at = models.DateTimeField(_("registered at"))
    # From 2203: one medical category a visit, and the condition and disease it is for, as `stating.illness` makes it.
    med_type = models.CharField(_("medical category"), max_length=6, default="")
    illness = EncryptedTextField(_("condition and disease"), null=True)
    ended = models.CharField(_("ended"), max_length=10, default="")
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        ordering = ["-id"]
        indexes = [
            models.Index(name="visit_by_institution", fields=["institution", "-registered_at"]),
            # What the nightly job looks through: visits that may yet be given up.
            models.Index(name="visit_going_on", fields=["registered_at"], condition=Q(ended="")),
        ]
        constraints = [
            # Not unique=True, here and below: for a text that makes a second index, for a search that nobody does.
            models.UniqueConstraint(name="visit_number_once", fields=["mdtrt_id"]),
            models.CheckConstraint(
                name="visit_ended_whole",
                condition=Q(ended="", ended_at=None) | Q(ended__in=["cancelled", "expired"], ended_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.mdtrt_id

    @property
    def state(self) -> VisitState:
        """Settled as long as one charge batch is; reversed when all that were settled have been taken back."""
        reversals = list(self.settlements.values_list("reversed_at", flat=True))
        stage = stage_of(
            self.ended,
            lines=self.lines.filter(cancelled_at=None).exists(),
            settled=None in reversals,
            reversed_once=bool(reversals),
        )
        return VisitState(stage)


class Diagnosis(models.Model):
    """A diagnosis of a visit (2203); one that was voided is deleted, as the interface has it sent again as invalid.

    A stay has those of its admission (2401, 2403) and those of its discharge (2402). `said`: code, name, department and
    doctor, as `stating.diagnosis` makes it; health data, so encrypted.
    """

    visit = models.ForeignKey(Visit, models.CASCADE, related_name="diagnoses", verbose_name=_("visit"))
    at_discharge = models.BooleanField(_("at discharge"), default=False)
    # Of a stay; outpatients have the main one first in order.
    is_main = models.BooleanField(_("main diagnosis"), default=False)
    kind = models.CharField(_("diagnosis category"), max_length=3)
    # Of visit and code, so that the same disease of two people does not look alike.
    code_index = models.CharField(max_length=64, editable=False)
    order = models.IntegerField(_("order"))
    said = EncryptedTextField(_("diagnosis"))
    diagnosed_at = models.DateTimeField(_("diagnosed at"))

    class Meta:
        verbose_name = _("diagnosis")
        verbose_name_plural = _("diagnoses")
        ordering = ["visit", "order", "id"]
        constraints = [
            models.UniqueConstraint(name="diagnosis_once", fields=["visit", "at_discharge", "kind", "code_index"])
        ]

    def __str__(self) -> str:
        return str(self.order)

    @staticmethod
    def index_of(visit_id: int, code: str) -> str:
        """What `code_index` is for a diagnosis code of a visit."""
        return blind_index(f"{visit_id} {code}")


class FeeLine(models.Model):
    """A line of a charge batch (2204) as the catalogue of the day classified it; its parts are the whole line.

    A cancelled one (2205, 2103, 2302) stays, for a settlement that was reversed is explained by its lines. A line of a
    stay may take another back (2301, negative quantity); the two together are the line of what is left.
    """

    # Visits are never deleted either.
    visit = models.ForeignKey(Visit, models.PROTECT, db_constraint=False, related_name="lines", verbose_name=_("visit"))
    sn = models.CharField(_("line number"), max_length=30)
    batch = models.CharField(_("charge batch"), max_length=30)
    code = models.CharField(_("catalogue code"), max_length=50)
    own_code = models.CharField(_("the institution's own code"), max_length=150)
    occurred_at = models.DateTimeField(_("occurred at"))
    quantity = models.DecimalField(_("quantity"), max_digits=16, decimal_places=4)
    price = models.DecimalField(_("unit price, yuan"), max_digits=16, decimal_places=6)
    amount = Yuan(_("amount"))
    item_class = models.CharField(_("class"), max_length=1, choices=CatalogueItem.Class)
    self_pay_percent = models.DecimalField(_("pre-self-pay, percent"), max_digits=5, decimal_places=2)
    price_limit = models.DecimalField(_("price limit, yuan"), max_digits=14, decimal_places=2, null=True)
    in_scope = Yuan(_("in scope"))
    pre_self_pay = Yuan(_("pre-self-pay"))
    over_limit = Yuan(_("over the price limit"))
    off_catalogue = Yuan(_("off-catalogue"))
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True)
    takes_back = models.ForeignKey(
        "self", models.PROTECT, null=True, db_index=False, related_name="refunds", verbose_name=_("line taken back")
    )

    class Meta:
        verbose_name = _("fee line")
        verbose_name_plural = _("fee lines")
        ordering = ["visit", "id"]
        constraints = [
            models.UniqueConstraint(name="fee_line_once", fields=["visit", "sn"], condition=Q(cancelled_at=None)),
            models.CheckConstraint(
                name="fee_line_adds_up",
                condition=Q(amount=F("in_scope") + F("pre_self_pay") + F("over_limit") + F("off_catalogue")),
            ),
            models.CheckConstraint(
                name="fee_line_never_negative",
                condition=Q(in_scope__gte=0, pre_self_pay__gte=0, over_limit__gte=0, off_catalogue__gte=0)
                | Q(takes_back__isnull=False, quantity__lt=0, amount__lte=0),
            ),
        ]

    def __str__(self) -> str:
        return self.sn


class VisitSettlement(models.Model):
    """A settled charge batch of a visit (2207), under the numbers by which the institution knows it.

    One that was settled anew since stands here as the institution was told; if it goes back at the window, `reversal_msgid`
    names the case (decision 0022).
    """

    AT_WINDOW = "case "

    setl_id = models.CharField(_("settlement ID"), max_length=30)
    # Neither visits nor settlements are ever deleted.
    visit = models.ForeignKey(
        Visit, models.PROTECT, db_constraint=False, related_name="settlements", verbose_name=_("visit")
    )
    batch = models.CharField(_("charge batch"), max_length=30)
    settlement = models.OneToOneField(
        Settlement,
        models.PROTECT,
        db_constraint=False,
        related_name="visit_settlement",
        verbose_name=_("settlement"),
    )
    msgid = models.CharField(_("message ID"), max_length=30)
    med_type = models.CharField(_("medical category"), max_length=6)
    mdtrt_cert_type = models.CharField(_("credential"), max_length=3)
    settled_at = models.DateTimeField(_("settled at"))
    reversal_setl_id = models.CharField(_("settlement ID of the reversal"), max_length=30, null=True)
    reversal_msgid = models.CharField(_("message ID of the reversal"), max_length=30, null=True)
    reversed_at = models.DateTimeField(_("reversed at"), null=True)

    class Meta:
        verbose_name = _("settlement of a visit")
        verbose_name_plural = _("settlements of visits")
        ordering = ["-id"]
        indexes = [
            # What was taken back on a day; a bill that stands is not in it.
            models.Index(name="visit_settlement_back", fields=["reversed_at"], condition=Q(reversed_at__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(name="visit_settlement_number_once", fields=["setl_id"]),
            models.UniqueConstraint(
                name="visit_batch_settled_once", fields=["visit", "batch"], condition=Q(reversed_at=None)
            ),
            # Few are reversed: the others have no entry.
            models.UniqueConstraint(
                name="visit_reversal_once", fields=["reversal_setl_id"], condition=~Q(reversal_setl_id=None)
            ),
            models.CheckConstraint(
                name="visit_settlement_reversal_whole",
                condition=Q(reversed_at=None, reversal_setl_id=None, reversal_msgid=None)
                | Q(reversed_at__isnull=False, reversal_setl_id__isnull=False, reversal_msgid__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.setl_id

    @property
    def is_reversed_at_window(self) -> bool:
        """Taken back, and not by the institution."""
        return (self.reversal_msgid or "").startswith(self.AT_WINDOW)
