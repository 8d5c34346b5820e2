from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Institution


class InstitutionSettings(models.Model):
    """How an institution's software wants to be answered, and from where it may call. Without a row: as usual."""

    institution = models.OneToOneField(
        Institution, models.PROTECT, primary_key=True, related_name="gateway_settings", verbose_name=_("institution")
    )
    infcode_as_text = models.BooleanField(
        _("infcode as text"),
        default=False,
        help_text=_('Some programs compare infcode with "0", others with 0. The interface says: a number.'),
    )
    extra_fields = models.JSONField(
        _("more fields of the answer"),
        default=dict,
        blank=True,
        help_text=_(
            'Fields that this software misses beside infcode, as JSON, for instance {"enctype": ""}. If it takes an answer'
            ' without output for a failure: {"output": {"result": "ok"}}, told where a transaction has none.'
        ),
    )
    networks = ArrayField(
        models.CharField(max_length=43),
        verbose_name=_("allowed addresses"),
        default=list,
        blank=True,
        help_text=_("Addresses or networks from which it calls, such as 203.0.113.0/24. Empty: from anywhere."),
    )
    one_is_own = models.BooleanField(
        _("acct_used_flag 1 is the own account alone"),
        default=False,
        help_text=_(
            "Usually 1 is the own account and then the relatives', 2 the relatives' alone. Where the region's edition"
            " knows 2 as the relatives' too, tick this: 1 is the own account alone, 2 the own and then the relatives'."
        ),
    )
    sign_in_required = models.BooleanField(
        _("sign in first"), default=False, help_text=_("Every call but 9001 and 9002 must hold a sign_no of the day.")
    )

    class Meta:
        verbose_name = _("interface settings")
        verbose_name_plural = _("interface settings")
        ordering = ["institution"]

    def __str__(self) -> str:
        return str(self.institution)


class SignIn(models.Model):
    """A sign-in of the day (9001): it ends with the day, or when it is signed out (9002)."""

    institution = models.ForeignKey(Institution, models.PROTECT, related_name="sign_ins", verbose_name=_("institution"))
    sign_no = models.CharField(_("sign-in number"), max_length=30)
    operator = models.CharField(_("operator"), max_length=20)
    mac = models.CharField(_("MAC address"), max_length=20)
    ip = models.CharField(_("address, as told"), max_length=50)
    signed_in_at = models.DateTimeField(_("signed in at"))
    expires_at = models.DateTimeField(_("ends by itself at"))
    signed_out_at = models.DateTimeField(_("signed out at"), null=True, blank=True)

    class Meta:
        verbose_name = _("sign-in")
        verbose_name_plural = _("sign-ins")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(name="sign_no_once", fields=["institution", "sign_no"]),
            models.CheckConstraint(
                name="sign_in_period",
                condition=models.Q(expires_at__gt=models.F("signed_in_at"))
                & (models.Q(signed_out_at=None) | models.Q(signed_out_at__gte=models.F("signed_in_at"))),
            ),
        ]

    def __str__(self) -> str:
        return self.sign_no
