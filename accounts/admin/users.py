"""Logins of staff and their roles. Those of citizens are not kept by administrators."""

from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from accounts import clock, inputs
from accounts.actions import users
from accounts.admin_base import RoleAdmin
from accounts.crypto import blind_index
from accounts.enums import Role
from accounts.models import RoleAssignment, User
from accounts.policies import has_any_role, in_force

# Rights are roles here, mail is not used, and second factors are reset by an act with a reason.
for model in (Group, EmailAddress, EmailConfirmation, Authenticator, UserSession):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class RoleInline(admin.TabularInline):
    """Roles are given and ended, never changed."""

    model = RoleAssignment
    fk_name = "user"
    extra = 0
    fields = ["role", "region", "centre", "last_day", "granted_by", "granted_at"]
    readonly_fields = ["granted_by", "granted_at"]
    verbose_name_plural = _("roles (delete to end one)")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(in_force(clock.today()))

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

    id_number = inputs.IdNumberField(
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
    """Set by an administrator, it lasts until the next login. Nobody logs in without one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("usable_password", None)

    def save(self, commit: bool = True) -> User:
        self.user.password_set_at = None
        return super().save(commit)


class StaffChangeForm(OwnNumberForm, UserChangeForm):
    """A login of staff; without a new ID number the one that was given stays."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "id_number" in self.fields:
            self.fields["id_number"].required = False


class ResetForm(forms.Form):
    """Why second factors are reset: the one thing that stands between a stolen password and the record."""

    reason = forms.CharField(
        label=_("Reason, and how you made sure who asks for it"),
        max_length=200,
        widget=forms.TextInput({"class": "vLargeTextField"}),
        error_messages={
            "required": _("Write why, and how you made sure who asks for it: it is kept in the log"),
            "max_length": _("Write at most 200 characters"),
        },
    )


@admin.action(description=_("Reset the second factor (the person sets up a new one at the next login)"))
def reset_second_factor(
    modeladmin: "UserAdmin", request: HttpRequest, queryset: QuerySet[User]
) -> TemplateResponse | None:
    """Names the logins and asks for the reason first: ticked by mistake, a whole office would be logged out."""
    chosen = list(queryset.exclude(pk=request.user.pk))
    form = ResetForm(request.POST if "confirmed" in request.POST else None)
    if chosen and not form.is_valid():
        context = {**modeladmin.admin_site.each_context(request), "title": _("Reset second factors")}
        context |= {"chosen": chosen, "form": form, "opts": modeladmin.opts}
        return TemplateResponse(request, "admin/accounts/user/reset.html", context, status=422 if form.errors else 200)
    for user in chosen:
        users.reset_second_factor(user=user, by=request.user, at=clock.now(), reason=form.cleaned_data["reason"])
    if chosen:
        messages.success(request, _("Second factors were reset."))
    else:
        messages.warning(request, _("Your own second factor is reset by another system administrator."))
    return None


@admin.register(User)
class UserAdmin(RoleAdmin, DjangoUserAdmin):
    """Logins of staff. Citizens' logins are not kept by administrators."""

    viewers = (Role.SYSTEM_ADMIN,)
    editors = (Role.SYSTEM_ADMIN,)
    form = StaffChangeForm
    add_form = StaffCreationForm
    add_form_template = "admin/accounts/user/add_form.html"
    change_password_form = StaffPasswordForm
    list_display = ["username", "display_name", "is_active", "last_login"]
    list_filter = ["is_active", "role_assignments__role"]
    search_fields = ["username", "display_name"]
    ordering = ["username"]
    fieldsets = [(None, {"fields": ["username", "display_name", "id_number", "password", "is_active"]})]
    add_fieldsets = [
        (
            None,
            {"fields": ["username", "display_name", "id_number", "password1", "password2"]},
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

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        changed = self.get_object(request, unquote(object_id)) if object_id and request.method == "POST" else None
        if changed is not None:
            # Before the form is checked, which looks at the database's constraints.
            users.end_roles_over(at=clock.now(), of=changed)
        return super().changeform_view(request, object_id, *args, **kwargs)

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
