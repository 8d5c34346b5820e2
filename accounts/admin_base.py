"""What the administration pages of every app stand on: rights come from roles, and every change is an audit line."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import lookup_spawns_duplicates
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from accounts import clock, policies, rule_text
from accounts.actions import audit
from accounts.admin_lists import ShortCount
from accounts.enums import Role
from accounts.models import Region

# Django's own pages, whose Chinese reads word for word or is missing. Named here they stand in our catalogue, which is
# asked first.
SAID_BY_DJANGO = (_("Select %s to change"), _("Select %s to view"), _(" By %(filter_title)s "), _("Error:"))


def _column(name: str, label: Any) -> Any:
    @admin.display(description=label, ordering=name)
    def shown(row: Any) -> Any:
        told = getattr(row, f"get_{name}_display", None)
        return told() if told else getattr(row, name)

    return shown


def _with_labels(labels: dict[str, Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    return {**kwargs, "labels": labels} if labels else kwargs


class RoleAdmin(admin.ModelAdmin):
    """`viewers` look, `editors` add and change, nobody deletes. `region_path` keeps region administrators to theirs."""

    viewers: tuple[str, ...] = (Role.REGION_ADMIN, Role.SYSTEM_ADMIN)
    editors: tuple[str, ...] = ()
    region_path = ""
    # Nothing is asked of all rows of a table: how many there are, of what kind how many.
    paginator = ShortCount
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    # What fields are called where their model does not say it.
    labels: ClassVar[dict[str, Any]] = {}

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        names = super().get_list_display(request)
        return [_column(name, self.labels[name]) if name in self.labels else name for name in names]

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change=change, **_with_labels(self.labels, kwargs))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        for spec in found.filter_specs:
            spec.title = self.labels.get(getattr(spec, "field_path", ""), spec.title)
        return found

    def regions_seen(self, request: HttpRequest) -> set[str] | None:
        """The codes of the regions whose rows this person sees here; None for all."""
        everywhere = [role for role in self.viewers if role in (Role.SYSTEM_ADMIN, Role.AUDITOR)]
        if not self.region_path or policies.has_any_role(request.user, *everywhere):
            return None
        return policies.regions_with_role(request.user, *self.viewers)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows, regions = super().get_queryset(request), self.regions_seen(request)
        if regions is None:
            return rows
        within = {f"{self.region_path}__in": regions}
        if not lookup_spawns_duplicates(self.opts, self.region_path):
            return rows.filter(**within)
        # A path over several rows doubles them; on a million members DISTINCT would sort them all.
        return rows.filter(Exists(self.model._base_manager.filter(pk=OuterRef("pk"), **within)))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return policies.has_any_role(request.user, *self.viewers)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return policies.has_any_role(request.user, *self.viewers)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return policies.has_any_role(request.user, *self.editors)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return policies.has_any_role(request.user, *self.editors)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    # Django calls these for every way to add or change, setting a password included.
    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        _record(request, "admin_add", obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        _record(request, "admin_change", obj, message)
        return super().log_change(request, obj, message)


def _record(request: HttpRequest, action: str, obj: Model, message: Any) -> None:
    target = f"{obj._meta.label_lower}:{obj.pk}"
    audit.record(action=action, by=request.user, at=clock.now(), target=target, details={"what": message})


class RegionFilter(admin.RelatedFieldListFilter):
    """Only the regions whose rows this person sees; Django leaves a filter out where there is nothing to choose."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        seen = model_admin.regions_seen(request)
        limit = {} if seen is None else {"pk__in": seen}
        ordering = self.field_admin_ordering(field, request, model_admin)
        return field.get_choices(include_blank=False, ordering=ordering, limit_choices_to=limit)


admin.FieldListFilter.register(lambda field: field.related_model is Region, RegionFilter, take_priority=True)


class RulesAdmin(RoleAdmin):
    """Dated rules of a region as its file says them: to look at, with where they come from. `keys`: what tells them apart."""

    keys: tuple[str, ...] = ()
    list_filter = ["region"]
    list_select_related = ["region"]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return ["region", *self.keys, "valid_from", "valid_to", "source", "grade", "short_note"]

    def get_list_filter(self, request: HttpRequest) -> list[str]:
        return ["region", *self.keys]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["region", *self.keys, "valid_from", "valid_to", "source", "grade", "note", "rules"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return self.get_fields(request, obj)

    @admin.display(description=_("source"))
    def source(self, row: Any) -> str:
        return str(row.data.get("source", ""))

    @admin.display(description=_("grade"))
    def grade(self, row: Any) -> str:
        return str(row.data.get("grade", ""))

    @admin.display(description=_("note"))
    def note(self, row: Any) -> str:
        return rule_text.note(row.data) or "-"

    @admin.display(description=_("note"))
    def short_note(self, row: Any) -> str:
        return Truncator(rule_text.note(row.data)).chars(80)

    @admin.display(description=_("rules"))
    def rules(self, row: Any) -> SafeString:
        return format_html("<pre>{}</pre>", "\n".join(rule_text.lines(row.data)))


class LongListAdmin(RoleAdmin):
    """A table that grows with every bill or call: the newest first, by key; sorting millions by another column is for
    reports."""

    ordering = ("-pk",)
    sortable_by = ()


class RegionalAdmin(LongListAdmin):
    """About people and their money: only for administrators of the region, and not for those of the system."""

    viewers = (Role.REGION_ADMIN,)
    region_path = "region"


class ReadOnlyInline(admin.TabularInline):
    """Rows beside the row that is looked at."""

    can_delete = False
    extra = 0
    labels: ClassVar[dict[str, Any]] = {}

    def get_formset(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, **_with_labels(self.labels, kwargs))

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
