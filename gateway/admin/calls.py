"""What institutions call with and what they called: keys, settings, sign-ins and messages."""

import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from accounts import dates, once
from accounts.admin_base import LongListAdmin, RoleAdmin
from accounts.admin_lists import DaysFilter, days_asked, known_values
from accounts.clock import now
from accounts.enums import Role
from accounts.models import Institution
from accounts.policies import regions_with_role
from gateway import documentation, texts
from gateway.actions import keys
from gateway.actions.messages import TRANSACTIONS
from gateway.forms.staff import KeyForm, SettingsForm
from gateway.models import GatewayMessage, InstitutionKey, InstitutionSettings, SignIn
from gateway.views import staff

# A message is looked for in so many days where none are chosen: in all of the calls it would take minutes.
DAYS_SEARCHED = 31
# In the session: the key whose secret its page has still to show.
SECRET_DUE = "gateway_secret_due"


def _transactions() -> list[tuple[str, str]]:
    return [(number, f"{number} {documentation.entry(number).name}") for number in sorted(TRANSACTIONS)]


class _EndedFilter(admin.SimpleListFilter):
    """How a call ended, in short; the calls of one refusal are found from the calls of a day."""

    title = _("outcome")
    parameter_name = "ended"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("ok", _("Succeeded")), ("refused", _("Refused")), ("failed", _("Failed by our fault"))]

    def queryset(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        # A refusal has a code, a fault of ours the name of its error, and what was never answered nothing.
        patterns = {"ok": "^ok$", "refused": "^(?!ok$)[a-z]", "failed": "^([A-Z]|$)"}
        return rows.filter(outcome__regex=patterns[self.value()]) if self.value() in patterns else rows


class _InstitutionField(ModelChoiceField):
    """Two institutions may have one name: the code is told with it."""

    def label_from_instance(self, institution: Any) -> str:
        return f"{institution.name} · {institution.code}"


def _institutions_of(user: Any, **only: Any) -> dict[str, Any]:
    """What a form offers: the institutions of the regions that somebody administers."""
    mine = Institution.objects.filter(region__in=regions_with_role(user, Role.REGION_ADMIN), **only)
    return {"queryset": mine, "form_class": _InstitutionField}


@admin.register(InstitutionKey)
class InstitutionKeyAdmin(RoleAdmin):
    """Keys are issued and retired, never edited; the secret is shown once, when it is made."""

    editors = (Role.REGION_ADMIN,)
    region_path = "institution__region"
    list_display = ["key_id", "institution", "variant", "valid_from", "valid_until", "signs_now", "issued_by"]
    labels = {"valid_from": _("Valid from"), "valid_until": _("Valid until")}
    list_filter = ["institution__region", "variant"]
    search_fields = ["key_id", "institution__code", "institution__name"]
    list_select_related = ["institution", "issued_by"]
    actions = ["retire"]

    @admin.display(description=_("Valid now"), boolean=True)
    def signs_now(self, key: InstitutionKey) -> bool:
        return key.is_valid(now())

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # Retiring is an act of the list; on its own page there is nothing to save.
        return obj is None and super().has_change_permission(request)

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **kwargs if obj else {**kwargs, "form": KeyForm})

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return self.list_display if obj else ["institution", "variant", "valid_until", once.FIELD]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return self.list_display if obj else []

    def formfield_for_foreignkey(self, field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if field.name == "institution":
            kwargs |= _institutions_of(request.user)
        return super().formfield_for_foreignkey(field, request, **kwargs)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        # After the key is issued comes the page with its secret, and no other.
        one_way = {"show_save_and_add_another": False, "show_save_and_continue": False}

        def page() -> HttpResponse:
            return super(InstitutionKeyAdmin, self).add_view(request, form_url, {**(extra_context or {}), **one_way})

        # A form sent again would leave a key behind that signs and that nobody has.
        return once.done_once(request, page) if request.method == "POST" else page()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            return
        key, _secret = keys.issue(
            institution=obj.institution, by=request.user, variant=obj.variant, valid_until=obj.valid_until
        )
        obj.pk, obj.key_id = key.pk, key.key_id

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        request.session[SECRET_DUE] = obj.pk
        return redirect("admin:gateway_institutionkey_issued", obj.pk)

    def get_urls(self) -> list[Any]:
        issued = self.admin_site.admin_view(self.issued)
        return [path("<int:pk>/issued/", issued, name="gateway_institutionkey_issued"), *super().get_urls()]

    def issued(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The key that was issued a moment ago, with its secret the first time that this page is opened."""
        key = get_object_or_404(self.get_queryset(request), pk=pk, issued_by=request.user)
        secret = key.secret if request.session.pop(SECRET_DUE, None) == pk else ""
        context = {**self.admin_site.each_context(request), "title": _("Key issued"), "key": key, "opts": self.opts}
        return TemplateResponse(request, "gateway/key_issued.html", {**context, "secret": secret})

    @admin.action(description=_("Retire the chosen keys now"), permissions=["change"])
    def retire(self, request: HttpRequest, chosen: QuerySet[InstitutionKey]) -> HttpResponse | None:
        """Asks first: an institution that is left without a key cannot settle from that moment on."""
        valid = [key for key in chosen if key.is_valid(now())]
        if valid and not request.POST.get("confirmed"):
            others = InstitutionKey.objects.filter(institution__in={key.institution_id for key in valid})
            staying = others.exclude(pk__in=[key.pk for key in valid])
            having = {key.institution_id for key in staying if key.is_valid(now())}
            rows = [{"key": key, "cut_off": key.institution_id not in having} for key in valid]
            context = {**self.admin_site.each_context(request), "title": _("Retire keys"), "rows": rows}
            return TemplateResponse(request, "gateway/keys_retire.html", {**context, "opts": self.opts})
        for key in valid:
            keys.retire(key=key, by=request.user)
        self.message_user(request, _("%(count)s keys sign nothing any more.") % {"count": len(valid)})
        return None


@admin.register(GatewayMessage)
class GatewayMessageAdmin(LongListAdmin):
    """What was called and how it ended. Bodies are people's data: on no page but for a reason that is kept."""

    region_path = "institution__region"
    list_display = ["received", "institution", "infno", "msgid", "ended", "duration_ms"]
    list_filter = [
        ("received_at", DaysFilter),
        _EndedFilter,
        known_values("infno", _("transaction number"), _transactions),
    ]
    search_fields = ["msgid"]
    search_help_text = _("The code of an institution, or a message ID or a part of it")
    list_select_related = ["institution"]
    fields = ["received_at", "institution", "key", "infno", "msgid", "outcome", "duration_ms"]

    @admin.display(description=_("received at"), ordering="received_at")
    def received(self, message: GatewayMessage) -> str:
        """To the second: institutions ask by their own logs."""
        return dates.second(message.received_at)

    @admin.display(description=_("outcome"), ordering="outcome")
    def ended(self, message: GatewayMessage) -> str:
        """In words, and the code by which it is searched for."""
        code = message.outcome
        return texts.outcome(code) if code in ("", GatewayMessage.OK) else f"{texts.outcome(code)} [{code}]"

    def get_urls(self) -> list[Any]:
        wrap, name = self.admin_site.admin_view, "gateway_gatewaymessage"
        return [
            path("today/", wrap(staff.today), name=f"{name}_today"),
            path("<int:pk>/change/", wrap(staff.message), name=f"{name}_change"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("body", "answer")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        words = search_term.strip()
        if not words:
            return queryset, False
        # A message ID begins with the code of its institution, as a rule.
        institution = Institution.objects.filter(code=words[:12]).first()
        if institution is not None:
            queryset = queryset.filter(institution=institution)
            if words == institution.code:
                return queryset, False
        if not any(request.GET.get(name) for name in days_asked("received_at")):
            queryset = queryset.filter(received_at__gte=now() - datetime.timedelta(days=DAYS_SEARCHED))
            note = _("Looked for in the last %(count)s days. Choose days to look for it in others.")
            messages.info(request, note % {"count": DAYS_SEARCHED})
        return queryset.filter(msgid__contains=words), False


class _OfInstitution(RoleAdmin):
    region_path = "institution__region"
    list_select_related = ["institution"]
    search_fields = ["institution__code", "institution__name"]


@admin.register(InstitutionSettings)
class InstitutionSettingsAdmin(_OfInstitution):
    """How an institution's software wants to be answered, and from where it may call. A change holds at once."""

    editors = (Role.REGION_ADMIN,)
    form = SettingsForm
    list_display = ["institution", "infcode_as_text", "sign_in_required", "networks"]
    list_filter = ["infcode_as_text", "one_is_own", "sign_in_required"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["institution"] if obj else []

    def formfield_for_foreignkey(self, field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if field.name == "institution":
            kwargs |= _institutions_of(request.user, gateway_settings=None)
        return super().formfield_for_foreignkey(field, request, **kwargs)


@admin.register(SignIn)
class SignInAdmin(_OfInstitution, LongListAdmin):
    """Who has signed in, at which institution, until when."""

    list_display = ["signed_in_at", "institution", "operator", "ip", "expires_at", "signed_out_at"]
    list_filter = [("signed_in_at", DaysFilter)]
    fields = ["institution", "sign_no", "operator", "mac", "ip", "signed_in_at", "expires_at", "signed_out_at"]
