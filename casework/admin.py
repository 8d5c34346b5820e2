"""Cases to be looked at (they change through their actions alone), and the working calendar."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import ReadOnlyInline, RegionalAdmin, RoleAdmin
from accounts.enums import Role
from casework.models import Case, CaseEvent, WorkingDayException

EVENT_LABELS = {
    "at": _("at"),
    "case": _("Case"),
    "from_state": _("State before"),
    "to_state": _("State afterwards"),
    "actor": _("Who did it"),
    "note": _("Note"),
}


class CaseEventInline(ReadOnlyInline):
    model = CaseEvent
    labels = EVENT_LABELS
    fields = ["at", "verb", "from_state", "to_state", "actor", "actor_role", "note"]


@admin.register(Case)
class CaseAdmin(RegionalAdmin):
    labels = {"version": _("Version")}
    list_display = ["number", "kind", "state", "region", "applicant", "channel", "opened_at", "due_on", "checked_by"]
    list_filter = ["state", "kind", "channel", "region"]
    list_select_related = ["region", "applicant", "checked_by"]
    search_fields = ["number"]
    date_hierarchy = "opened_at"
    inlines = [CaseEventInline]


@admin.register(CaseEvent)
class CaseEventAdmin(RegionalAdmin):
    labels = EVENT_LABELS
    region_path = "case__region"
    list_display = ["at", "case", "verb", "from_state", "to_state", "actor", "actor_role"]
    list_filter = ["verb", "actor_role"]
    list_select_related = ["case", "actor"]
    search_fields = ["case__number"]


@admin.register(WorkingDayException)
class WorkingDayExceptionAdmin(RoleAdmin):
    """The official calendar, typed in once a year when it is announced."""

    editors = (Role.REGION_ADMIN, Role.SYSTEM_ADMIN)
    list_display = ["day", "is_working", "name"]
    list_filter = ["is_working"]
    date_hierarchy = "day"
