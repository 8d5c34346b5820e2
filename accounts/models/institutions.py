import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.enums import InstitutionKind, Level
from accounts.models.region import Region


class Institution(models.Model):
    """A designated hospital or pharmacy (定点医药机构)."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.CharField(_("code"), max_length=30, unique=True)
    name = models.CharField(_("name"), max_length=80)
    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"))
    kind = models.CharField(_("kind"), max_length=10, choices=InstitutionKind)
    level = models.CharField(_("level"), max_length=10, choices=Level, default=Level.PRIMARY)
    is_active = models.BooleanField(_("may settle"), default=True)

    class Meta:
        verbose_name = _("institution")
        verbose_name_plural = _("institutions")
        ordering = ["region", "code"]

    def __str__(self) -> str:
        return self.name
