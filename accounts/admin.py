"""Administration of people, regions and logins. Identifying numbers are never shown, and never searched in parts."""

from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from accounts import audit_texts, clock, lookups, masks, reasons
from accounts.actions import audit, users
from accounts.admin_base import ReadOnlyInline, RoleAdmin
from accounts.crypto import blind_index
from accounts.enums import Channel, Role
from accounts.errors import Refused
from accounts.forms import CheckedIdNumberField
from accounts.models import (
    AuditBlock,
    AuditEvent,
    BenefitYear,
    Enrolment,
    Institution,
    Member,
    Message,
    Region,
    RoleAssignment,
    ServiceCentre,
    SmsOutbox,
    User,
)
from accounts.policies import has_any_role, regions_with_role
from accounts.queries import find_member

# Rights are roles here, mail is not used, and second factors are reset by an act with a reason.
for model in (Group, EmailAddress, EmailConfirmation, Authenticator, UserSession):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class BenefitYearInline(ReadOnlyInline):
    model = BenefitYear
    fields = ["year", "starts_on"]


@admin.register(Region)
class RegionAdmin(RoleAdmin):
    """Regions come from regions/*.toml."""

    list_display = ["code", "name", "two_buckets", "loaded_at"]
    inlines = [BenefitYearInline]
    region_path = "pk"


class OfRegionAdmin(RoleAdmin):
    """What a region administrator keeps for his own regions."""

    editors = (Role.REGION_ADMIN,)
    region_path = "region"
    list_filter = ["region"]

    def formfield_for_foreignkey(self, field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if field.name == "region":
            kwargs["queryset"] = Region.objects.filter(pk__in=regions_with_role(request.user, Role.REGION_ADMIN))
        return super().formfield_for_foreignkey(field, request, **kwargs)


@admin.register(Institution)
class InstitutionAdmin(OfRegionAdmin):
    list_display = ["code", "name", "region", "kind", "level", "is_active"]
    list_filter = ["region", "kind", "level", "is_active"]
    search_fields = ["code", "name"]


@admin.register(ServiceCentre)
class ServiceCentreAdmin(OfRegionAdmin):
    list_display = ["name", "region", "address", "phone"]
    search_fields = ["name"]


class EnrolmentInline(ReadOnlyInline):
    model = Enrolment
    fields = ["region", "insurance", "status", "personal_status", "valid_from", "valid_to"]


@admin.register(Member)
class MemberAdmin(RoleAdmin):
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
    show_full_result_count = False
    ordering = ["-id"]

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
class EnrolmentAdmin(RoleAdmin):
    viewers = (Role.REGION_ADMIN,)
    region_path = "region"
    list_display = ["id", "member", "region", "insurance", "status", "personal_status", "valid_from", "valid_to"]
    list_filter = ["region", "insurance", "status", "personal_status"]
    list_select_related = ["member", "region"]
    show_full_result_count = False


class RoleInline(admin.TabularInline):
    """Roles are given and ended, never changed."""

    model = RoleAssignment
    fk_name = "user"
    extra = 0
    fields = ["role", "region", "centre", "last_day", "granted_by", "granted_at"]
    readonly_fields = ["granted_by", "granted_at"]
    verbose_name_plural = _("roles (delete to end one)")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(ended_at=None)

    def _may(self, request: HttpRequest, user: User | None) -> bool:
        return has_any_role(request.user, Role.SYSTEM_ADMIN) and (user is None or user.pk != request.user.pk)

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return has_any_role(request.user, Role.SYSTEM_ADMIN)

    def has_add_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._may(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._may(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


class OwnNumberForm(forms.ModelForm):
    """Whose login it is: only the index of the ID number is kept, so it is never shown again."""

    id_number = CheckedIdNumberField(
        label=_("ID number of the staff member"),
        help_text=_("So that nobody serves or checks himself. It is not kept and never shown; enter it to replace it."),
        error_messages={"required": _("Enter the ID number of the staff member")},
    )

    def _post_clean(self) -> None:
        super()._post_clean()
        if self.cleaned_data.get("id_number"):
            self.instance.person_index = blind_index(self.cleaned_data["id_number"])


class StaffCreationForm(OwnNumberForm, AdminUserCreationForm):
    """A new login of staff."""

    def _post_clean(self) -> None:
        # Before the password is checked: staff need a longer one.
        self.instance.is_staff = True
        super()._post_clean()


class StaffPasswordForm(AdminPasswordChangeForm):
    """Set by an administrator, it lasts until the next login."""

    def save(self, commit: bool = True) -> User:
        self.user.password_set_at = None
        return super().save(commit)


class StaffChangeForm(OwnNumberForm, UserChangeForm):
    """A login of staff; without a new ID number the one that was given stays."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "id_number" in self.fields:
            self.fields["id_number"].required = False


@admin.action(description=_("Reset the second factor (the person sets up a new one at the next login)"))
def reset_second_factor(modeladmin: Any, request: HttpRequest, queryset: QuerySet[User]) -> None:
    others = queryset.exclude(pk=request.user.pk)
    for user in others:
        users.reset_second_factor(user=user, by=request.user, at=clock.now(), reason="administration")
    messages.success(request, _("Second factors were reset."))


@admin.register(User)
class UserAdmin(RoleAdmin, DjangoUserAdmin):
    """Logins of staff. Citizens' logins are not kept by administrators."""

    viewers = (Role.SYSTEM_ADMIN,)
    editors = (Role.SYSTEM_ADMIN,)
    form = StaffChangeForm
    add_form = StaffCreationForm
    change_password_form = StaffPasswordForm
    list_display = ["username", "display_name", "is_active", "last_login"]
    list_filter = ["is_active", "role_assignments__role"]
    search_fields = ["username", "display_name"]
    ordering = ["username"]
    fieldsets = [(None, {"fields": ["username", "display_name", "id_number", "password", "is_active"]})]
    add_fieldsets = [
        (
            None,
            {"fields": ["username", "display_name", "id_number", "usable_password", "password1", "password2"]},
        )
    ]
    filter_horizontal = []
    inlines = [RoleInline]
    actions = [reset_second_factor]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).filter(is_staff=True)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.pk != request.user.pk)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """One's own login is only looked at: without what is only ever written."""
        if obj is not None and not self.has_change_permission(request, obj):
            return [(None, {"fields": ["username", "display_name", "is_active", "last_login"]})]
        return super().get_fieldsets(request, obj)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[type[RoleInline]]:
        return self.inlines if obj is not None else []

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        obj.is_staff = True
        super().save_model(request, obj, form, change)
        if change and not obj.is_active:
            users.end_sessions(obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)
        for assignment in formset.deleted_objects:
            users.end_role(assignment=assignment, by=request.user, at=clock.now())
        for new in formset.new_objects:
            users.grant_role(
                user=new.user,
                role=new.role,
                region=new.region,
                centre=new.centre,
                last_day=new.last_day,
                by=request.user,
                at=clock.now(),
            )


@admin.register(AuditEvent)
class AuditEventAdmin(RoleAdmin):
    """For auditors, who hold no other power."""

    viewers = (Role.AUDITOR,)
    labels = {"session": _("Session"), "ip": _("Address")}
    list_display = ["at", "actor", "told_action", "target", "member_id", "reason", "told_channel", "ip"]
    list_filter = ["action", "channel"]
    search_fields = ["actor", "target", "reason"]
    date_hierarchy = "at"
    show_full_result_count = False

    @admin.display(description=_("act"), ordering="action")
    def told_action(self, event: AuditEvent) -> str:
        """In words where the act has a name, and always as it is searched for."""
        known = event.action in audit_texts.registered()
        return f"{audit_texts.tell(event.action)} · {event.action}" if known else event.action

    @admin.display(description=_("channel"), ordering="channel")
    def told_channel(self, event: AuditEvent) -> str:
        return str(dict(Channel.choices).get(event.channel, event.channel))


@admin.register(AuditBlock)
class AuditBlockAdmin(RoleAdmin):
    viewers = (Role.AUDITOR,)
    list_display = ["id", "first_event", "last_event", "lines", "hash", "sealed_at"]
    labels = {
        "first_event": _("First line"),
        "last_event": _("Last line"),
        "lines": _("Number of lines"),
        "previous_hash": _("Digest of the block before"),
        "hash": _("Digest"),
        "sealed_at": _("Sealed at"),
    }


@admin.register(Message)
class MessageAdmin(RoleAdmin):
    """Whether messages arrive, not what they say."""

    viewers = (Role.SYSTEM_ADMIN,)
    list_display = ["kind", "created_at", "read_at"]
    list_filter = ["kind"]
    fields = list_display
    labels = {"created_at": _("Written at"), "read_at": _("Read at")}
    show_full_result_count = False


@admin.register(SmsOutbox)
class SmsOutboxAdmin(RoleAdmin):
    """Whether text messages go out, not to whom and not what they say."""

    viewers = (Role.SYSTEM_ADMIN,)
    list_display = ["id", "kind", "state", "tries", "created_at", "sent_at"]
    list_filter = ["state", "kind"]
    fields = list_display[1:]
    labels = {"tries": _("Tries"), "created_at": _("Written at"), "sent_at": _("Sent at")}
    show_full_result_count = False
