from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from accounts.clock import now
from gateway.actions import keys
from gateway.models import GatewayMessage, InstitutionKey


@admin.register(InstitutionKey)
class InstitutionKeyAdmin(admin.ModelAdmin):
    """Keys are issued and retired, never edited; the secret is shown once, when it is made."""

    list_display = ["key_id", "institution", "variant", "valid_from", "valid_until", "issued_by"]
    list_filter = ["variant"]
    search_fields = ["key_id", "institution__code", "institution__name"]
    list_select_related = ["institution", "issued_by"]
    fields = ["institution", "variant", "valid_until"]
    actions = ["retire"]

    def get_readonly_fields(self, request: HttpRequest, obj: InstitutionKey | None = None) -> list[str]:
        return self.list_display if obj else []

    def get_fields(self, request: HttpRequest, obj: InstitutionKey | None = None) -> list[str]:
        return self.list_display if obj else self.fields

    def has_delete_permission(self, request: HttpRequest, obj: InstitutionKey | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: InstitutionKey, form: Any, change: bool) -> None:
        if change:
            return
        key, obj.secret_shown_once = keys.issue(
            institution=obj.institution, by=request.user, variant=obj.variant, valid_until=obj.valid_until
        )
        obj.pk = key.pk
        obj.key_id = key.key_id

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        # On this page alone: a message would put the secret into a cookie.
        context = {**self.admin_site.each_context(request), "title": _("Key issued"), "key": obj, "opts": self.opts}
        response = TemplateResponse(request, "gateway/key_issued.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @admin.action(description=_("Retire the chosen keys now"), permissions=["change"])
    def retire(self, request: HttpRequest, chosen: Any) -> None:
        valid = [key for key in chosen if key.is_valid(now())]
        for key in valid:
            keys.retire(key=key, by=request.user)
        self.message_user(request, _("%(count)s keys sign nothing any more.") % {"count": len(valid)})


@admin.register(GatewayMessage)
class GatewayMessageAdmin(admin.ModelAdmin):
    """What was called and how it ended. Bodies are people's data and on no page."""

    list_display = ["received_at", "institution", "infno", "msgid", "outcome", "duration_ms"]
    list_filter = ["infno", "outcome", "received_at"]
    search_fields = ["msgid", "institution__code"]
    list_select_related = ["institution"]
    fields = ["received_at", "institution", "key", "infno", "msgid", "outcome", "duration_ms"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("body", "answer")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: GatewayMessage | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: GatewayMessage | None = None) -> bool:
        return False
