from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Region
from settlements.enums import CatalogueChange, FileState
from settlements.models.crediting import person
from settlements.models.parameters import CatalogueItem

# Somebody has released it.
LET_GO = [FileState.RELEASING, FileState.RELEASED]


class CatalogueFile(models.Model):
    """A catalogue of a region from a day on, uploaded by one person and released by another."""

    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"))
    valid_from = models.DateField(_("holds from"))
    # Codes that are not in the file end on that day.
    whole = models.BooleanField(_("the whole catalogue"))
    name = models.CharField(_("name of the file"), max_length=120)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField(_("bytes"))
    # Until it has been read; then the rows are kept and the file is not.
    content = models.BinaryField(null=True)
    state = models.CharField(_("state"), max_length=10, choices=FileState, default=FileState.READING)
    # Why the file as a whole could not be read, or was not brought in: {"code", "params"}.
    refused = models.JSONField(default=dict, blank=True)
    fault_count = models.IntegerField(_("rows with mistakes"), default=0)
    # rows, and of them new, changed and unchanged; ended beside them.
    totals = models.JSONField(_("control totals"), default=dict, blank=True)
    uploaded_by = person(_("uploaded by"))
    uploaded_at = models.DateTimeField(_("uploaded at"))
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    released_by = person(_("released by"))
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)

    class Meta:
        verbose_name = _("catalogue file")
        verbose_name_plural = _("catalogue files")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="catalogue_file_once",
                fields=["region", "valid_from", "sha256"],
                condition=~Q(state__in=[FileState.FAULTY, FileState.WITHDRAWN]),
            ),
            models.CheckConstraint(
                name="catalogue_released_by_another",
                condition=Q(released_by=None) | ~Q(released_by=F("uploaded_by")),
            ),
            models.CheckConstraint(
                name="catalogue_released_whole",
                condition=Q(state__in=LET_GO, released_by__isnull=False, released_at__isnull=False)
                | ~Q(state__in=LET_GO) & Q(released_by=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.region_id} {self.valid_from} {self.name}"


class CatalogueRow(models.Model):
    """A row of a catalogue file, with what it changes: `item` is the version that holds on the file's day."""

    file = models.ForeignKey(CatalogueFile, models.CASCADE, related_name="rows", db_index=False)
    line = models.IntegerField(_("line"))
    code = models.CharField(_("code"), max_length=50)
    name = models.CharField(_("name"), max_length=100)
    item_class = models.CharField(_("class"), max_length=1, choices=CatalogueItem.Class)
    self_pay_percent = models.DecimalField(max_digits=5, decimal_places=2)
    price_limit = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    change = models.CharField(max_length=9, choices=CatalogueChange, default=CatalogueChange.NEW)
    item = models.ForeignKey(CatalogueItem, models.SET_NULL, null=True, db_index=False, db_constraint=False)
    class_before = models.CharField(max_length=1, blank=True)
    percent_before = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    limit_before = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    # Where the version that holds has an end already, the new one ends there too.
    ends_on = models.DateField(null=True)

    class Meta:
        ordering = ["file", "line"]
        constraints = [models.UniqueConstraint(name="catalogue_code_once_in_file", fields=["file", "code"])]


class CatalogueFault(models.Model):
    """A mistake in a row of a catalogue file, with line and column; told by its code."""

    file = models.ForeignKey(CatalogueFile, models.CASCADE, related_name="faults")
    line = models.IntegerField(_("line"))
    column = models.CharField(_("column"), max_length=40, blank=True)
    code = models.CharField(_("mistake"), max_length=40)
    params = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["file", "line", "id"]
