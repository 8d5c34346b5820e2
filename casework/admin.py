"""Cases to be looked at (they change through their actions alone), and the working calendar."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts import masks
from accounts.admin_base import ReadOnlyInline, RegionalAdmin, RoleAdmin
from accounts.admin_lists import DaysFilter, known_values
from accounts.enums import Role
from accounts.naming import in_house
from casework import kinds, telling
from casework.enums import CaseState
from casework.models import Case, CaseEvent, WorkingDayException

EVENT_LABELS = {
    "at": _("at"),
    "case": _("Case"),
    "from_state": _("State before"),
    "to_state": _("State afterwards"),
    "actor": _("Who did it"),
    "note": _("Note"),
}


class ToldEvent:
    """A step in words; citizens are not named, staff are."""

    @admin.display(description=_("step"))
    def told_step(self, event):
        return telling.step_of(event)

    @admin.display(description=EVENT_LABELS["from_state"])
    def told_before(self, event):
        return _state(event.from_state)

    @admin.display(description=EVENT_LABELS["to_state"])
    def told_after(self, event):
        return _state(event.to_state)

    @admin.display(description=EVENT_LABELS["actor"])
    def told_actor(self, event):
        role = str(telling.ROLES.get(event.actor_role, event.actor_role))
        return f"{role} {in_house(event.actor)}" if event.actor is not None and event.actor.is_staff else role

    @admin.display(description=EVENT_LABELS["note"])
    def told_note(self, event):
        return _("on paper") if telling.is_on_paper(event) else event.note


def _state(code):
    return CaseState(code).label if code else "—"


class CaseEventInline(ToldEvent, ReadOnlyInline):
    model = CaseEvent
    fields = ["at", "told_step", "told_before", "told_after", "told_actor", "told_note"]
    readonly_fields = fields
    labels = EVENT_LABELS

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("actor")


@admin.register(Case)
class CaseAdmin(RegionalAdmin):
    labels = {"version": _("Version")}
    list_display = [
        "number", "told_kind", "state", "region", "applicant", "channel", "opened_at", "due_on", "checked_by",
    ]  # fmt: skip
    list_filter = [
        "state",
        known_values("kind", _("kind"), lambda: [(kind.code, kind.title) for kind in kinds.known()]),
        "channel",
        ("opened_at", DaysFilter),
        "region",
    ]
    # Citizens and their agents are masked here as everywhere in the administration.
    exclude = ["kind", "opened_by", "agent_name"]
    readonly_fields = ["told_kind", "told_opener", "told_agent"]
    list_select_related = ["region", "applicant", "checked_by"]
    search_fields = ["number"]
    inlines = [CaseEventInline]

    @admin.display(description=_("kind"))
    def told_kind(self, case):
        return kinds.get(case.kind).title

    @admin.display(description=_("opened by"))
    def told_opener(self, case):
        opener = case.opened_by
        return in_house(opener) if opener is not None and opener.is_staff else case.applicant

    @admin.display(description=_("agent"))
    def told_agent(self, case):
        return masks.mask_name(case.agent_name) or "—"


@admin.register(CaseEvent)
class CaseEventAdmin(ToldEvent, RegionalAdmin):
    labels = EVENT_LABELS
    region_path = "case__region"
    list_display = ["at", "case", "told_step", "told_before", "told_after", "told_actor"]
    list_filter = [
        known_values("verb", _("step"), telling.VERBS.items),
        known_values("actor_role", _("role"), telling.ROLES.items),
    ]
    fields = ["at", "case", "told_step", "told_before", "told_after", "told_actor", "told_note"]
    readonly_fields = fields
    list_select_related = ["case", "actor"]
    search_fields = ["case__number"]


@admin.register(WorkingDayException)
class WorkingDayExceptionAdmin(RoleAdmin):
    """The official calendar, typed in once a year when it is announced."""

    editors = (Role.REGION_ADMIN, Role.SYSTEM_ADMIN)
    list_display = ["day", "is_working", "name"]
    list_filter = ["is_working", ("day", DaysFilter)]
