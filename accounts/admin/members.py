"""Members and how they are insured. Identifying numbers are never shown, and never searched in parts."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from accounts import clock, lookups, masks, reasons
from accounts.actions import audit
from accounts.admin_base import LongListAdmin, ReadOnlyInline
from accounts.enums import Role
from accounts.errors import Refused
from accounts.models import Enrolment, Member
from accounts.queries import find_member


class EnrolmentInline(ReadOnlyInline):
    model = Enrolment
    fields = ["region", "insurance", "status", "personal_status", "valid_from", "valid_to"]


@admin.register(Member)
class MemberAdmin(LongListAdmin):
    """Masked, for administrators of the region alone; found by a whole number only, and each look is recorded."""

    viewers = (Role.REGION_ADMIN,)
    labels = {"public_id": _("Number")}
    region_path = "enrolments__region"
    list_display = ["public_id", "masked_name", "masked_id_number", "birth_year", "sex"]
    fields = ["public_id", "masked_name", "masked_id_number", "masked_phone", "birth_year", "sex", "died_on"]
    readonly_fields = fields
    inlines = [EnrolmentInline]
    search_fields = ["=pk"]
    search_help_text = _("The whole ID number or social security card number")

    @admin.display(description=_("Name"))
    def masked_name(self, member: Member) -> str:
        return masks.mask_name(member.name)

    @admin.display(description=_("ID number"))
    def masked_id_number(self, member: Member) -> str:
        return masks.mask_id(member.id_number)

    @admin.display(description=_("telephone"))
    def masked_phone(self, member: Member) -> str:
        return masks.mask_phone(member.phone or "")

    @admin.display(description=_("year of birth"))
    def birth_year(self, member: Member) -> int:
        return member.birth.year

    def get_urls(self) -> list[URLPattern]:
        find = self.admin_site.admin_view(self.find)
        return [path("find/", find, name="accounts_member_find"), *super().get_urls()]

    def find(self, request: HttpRequest) -> HttpResponse:
        """Open the record with a number. It is posted: what stands in an address stays in histories and logs."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        number = request.POST.get("number", "").strip()
        if number:
            try:
                lookups.count(request)
            except Refused as refused:
                messages.error(request, str(reasons.tell_refused(refused)))
                return redirect("admin:accounts_member_changelist")
            found = find_member(id_number=number) or find_member(card_number=number)
            audit.record(action="admin_search", by=request.user, at=clock.now(), member=found)
            if found is not None and self.get_queryset(request).filter(pk=found.pk).exists():
                return redirect("admin:accounts_member_change", found.pk)
            messages.warning(request, _("Nobody with this number is insured in your regions. Check the number."))
        return redirect("admin:accounts_member_changelist")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        member = self.get_object(request, object_id)
        if member is not None:
            audit.record(action="admin_view", by=request.user, at=clock.now(), member=member)
        return super().change_view(request, object_id, form_url, extra_context)


@admin.register(Enrolment)
class EnrolmentAdmin(LongListAdmin):
    viewers = (Role.REGION_ADMIN,)
    region_path = "region"
    list_display = ["id", "member", "region", "insurance", "status", "personal_status", "valid_from", "valid_to"]
    list_filter = ["region", "insurance", "status", "personal_status"]
    list_select_related = ["member", "region"]
