from django.contrib import admin

from accounts import clock
from accounts.actions import audit
from accounts.enums import Role
from accounts.policies import has_any_role, regions_with_role
from casework.models import Case, CaseEvent, WorkingDayException

ADMINISTRATORS = (Role.REGION_ADMIN, Role.SYSTEM_ADMIN)


class ReadOnlyAdmin(admin.ModelAdmin):
    """To be looked at by administrators; what it shows changes through actions or region files alone."""

    viewers: tuple[str, ...] = ADMINISTRATORS

    def has_module_permission(self, request):
        return has_any_role(request.user, *self.viewers)

    def has_view_permission(self, request, obj=None):
        return has_any_role(request.user, *self.viewers)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class RegionalAdmin(ReadOnlyAdmin):
    """About people: only for administrators of the region, and not for those of the system."""

    viewers = (Role.REGION_ADMIN,)
    region_path = "region"

    def get_queryset(self, request):
        regions = regions_with_role(request.user, Role.REGION_ADMIN)
        return super().get_queryset(request).filter(**{f"{self.region_path}__in": regions})


class CaseEventInline(admin.TabularInline):
    model = CaseEvent
    fields = ["at", "verb", "from_state", "to_state", "actor", "actor_role", "note"]
    can_delete = False

    def has_view_permission(self, request, obj=None):
        return has_any_role(request.user, Role.REGION_ADMIN)

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(Case)
class CaseAdmin(RegionalAdmin):
    list_display = ["number", "kind", "state", "region", "applicant", "channel", "opened_at", "due_on", "checked_by"]
    list_filter = ["state", "kind", "channel", "region"]
    list_select_related = ["region", "applicant", "checked_by"]
    search_fields = ["number"]
    date_hierarchy = "opened_at"
    inlines = [CaseEventInline]


@admin.register(CaseEvent)
class CaseEventAdmin(RegionalAdmin):
    region_path = "case__region"
    list_display = ["at", "case", "verb", "from_state", "to_state", "actor", "actor_role"]
    list_filter = ["verb", "actor_role"]
    list_select_related = ["case", "actor"]
    search_fields = ["case__number"]


@admin.register(WorkingDayException)
class WorkingDayExceptionAdmin(admin.ModelAdmin):
    """The official calendar, typed in once a year when it is announced."""

    list_display = ["day", "is_working", "name"]
    list_filter = ["is_working"]
    date_hierarchy = "day"

    def _may(self, request):
        return has_any_role(request.user, *ADMINISTRATORS)

    def has_module_permission(self, request):
        return self._may(request)

    def has_view_permission(self, request, obj=None):
        return self._may(request)

    def has_add_permission(self, request):
        return self._may(request)

    def has_change_permission(self, request, obj=None):
        return self._may(request)

    def has_delete_permission(self, request, obj=None):
        return self._may(request)

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        self._record(request, "calendar_changed", obj)

    def delete_model(self, request, obj):
        self._record(request, "calendar_deleted", obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request, queryset):
        for day in queryset:
            self.delete_model(request, day)

    def _record(self, request, action, day):
        # The admin's own views run in one transaction, so the line stays or goes with the change.
        audit.record(
            action=action,
            by=request.user,
            at=clock.now(),
            target=str(day.day),
            details={"is_working": day.is_working, "name": day.name},
        )
