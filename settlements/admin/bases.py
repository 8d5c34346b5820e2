"""What several pages of the administration have in common."""

import re
from uuid import UUID

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.actions import audit
from accounts.admin_base import RegionalAdmin, RoleAdmin
from accounts.admin_lists import known_values
from accounts.enums import Role
from accounts.policies import has_any_role


def year_filter(field, title):
    """Next year and the five before it: older ones are searched for by their rows."""
    return known_values(field, title, lambda: [(str(year), year) for year in _years()])


def _years():
    this = clock.today().year
    return range(this + 1, this - 5, -1)


class OwnPagesAdmin(RoleAdmin):
    """The list is Django's; adding and every act are pages of our own, for the administrators of a region."""

    viewers = (Role.REGION_ADMIN, Role.AUDITOR)
    region_path = "region"

    def has_add_permission(self, request):
        return has_any_role(request.user, Role.REGION_ADMIN)


class NumberedAdmin(RegionalAdmin):
    """Found by the short number that a member tells, or by the whole id; a look at one is recorded for its people."""

    search_fields = ["public_id"]
    search_help_text = _("The number that a member tells, such as 7DDC-0CE7")
    people: tuple[str, ...] = ()

    @admin.display(description=_("Number"), ordering="public_id")
    def told_number(self, row):
        return row.number

    def get_search_results(self, request, queryset, search_term):
        digits = search_term.replace("-", "").strip().lower()
        if not digits:
            return queryset, False
        if not re.fullmatch(r"[0-9a-f]{8,32}", digits):
            return queryset.none(), False
        ends = (UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f")))
        return queryset.filter(public_id__range=ends), False

    def change_view(self, request, object_id, form_url="", extra_context=None):
        row = self.get_object(request, object_id)
        if row is not None:
            target = f"{row._meta.model_name} {row.public_id}"
            for person in self.people:
                member = getattr(row, person)
                audit.record(action="admin_view", by=request.user, at=clock.now(), member=member, target=target)
        return super().change_view(request, object_id, form_url, extra_context)
