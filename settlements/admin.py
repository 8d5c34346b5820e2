"""The administration's view of accounts, rules and rollovers. What moves money goes through actions alone."""

import re
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.actions import audit
from accounts.admin_base import RegionalAdmin, RoleAdmin, RulesAdmin
from accounts.enums import Role
from accounts.policies import has_any_role
from settlements import (
    admin_closing,
    admin_crediting,  # noqa: F401 - registers its own models
    admin_paying,  # noqa: F401 - registers its own models
    admin_rules,  # noqa: F401 - registers its own models
)
from settlements.models import (
    CatalogueItem,
    CreditRule,
    LedgerTransaction,
    PersonalAccount,
    RolloverRun,
    Scheme,
    Settlement,
)
from settlements.views import adjusting, rollover

ENTRIES_A_PAGE = 50


@admin.register(RolloverRun)
class RolloverRunAdmin(RoleAdmin):
    """The list is Django's; planning, watching and every button are pages of our own."""

    viewers = (Role.REGION_ADMIN, Role.AUDITOR)
    list_display = ["year", "region", "state", "current_rate", "historical_rate", "released_at", "closed_at"]
    region_path = "region"
    list_filter = ["state", "region"]
    list_select_related = ["region"]

    def has_add_permission(self, request):
        return has_any_role(request.user, Role.REGION_ADMIN)

    def get_urls(self):
        wrap = self.admin_site.admin_view
        name = "settlements_rolloverrun"
        return [
            path("<int:pk>/progress/", wrap(rollover.progress_part), name=f"{name}_progress"),
            path("<int:pk>/status.json", wrap(rollover.status_json), name=f"{name}_status"),
            path("status.json", wrap(rollover.status_all), name=f"{name}_statuses"),
            path("<int:pk>/report.csv", wrap(rollover.report), name=f"{name}_report"),
            path("<int:pk>/report.pdf", wrap(rollover.report_pdf), name=f"{name}_paper"),
            path("<int:pk>/adjust/", wrap(adjusting.plan), name=f"{name}_adjust"),
            path("adjustments/<int:pk>/", wrap(adjusting.detail), name=f"{name}_adjustment"),
            path("adjustments/<int:pk>/do/<slug:name>/", wrap(adjusting.act), name=f"{name}_adjustmentact"),
            path("<int:pk>/do/<slug:name>/", wrap(rollover.act), name=f"{name}_act"),
            path("<int:pk>/change/", wrap(rollover.detail), name=f"{name}_change"),
            path("add/", wrap(rollover.plan), name=f"{name}_add"),
            *super().get_urls(),
        ]


@admin.register(PersonalAccount)
class PersonalAccountAdmin(RegionalAdmin):
    """Balances are those of the row: between the year's end and its rollover they are last year's split."""

    labels = {
        "current_products": _("Products of this year's balance"),
        "historical_products": _("Products of earlier years' balance"),
        "products_on": _("Products counted up to"),
    }
    list_display = ["id", "member", "region", "benefit_year", "current", "historical", "debt", "status"]
    list_filter = ["region", "benefit_year", "status"]
    list_select_related = ["member", "region"]
    search_fields = ["=id"]
    show_full_result_count = False
    readonly_fields = ["entries_link"]

    def get_urls(self):
        page = self.admin_site.admin_view(self.entries)
        return [path("<int:pk>/entries/", page, name="settlements_personalaccount_entries"), *super().get_urls()]

    @admin.display(description=_("entries"))
    def entries_link(self, account):
        url = reverse("admin:settlements_personalaccount_entries", args=[account.pk])
        return format_html('<a href="{}">{}</a>', url, _("All movements of this account"))

    def change_view(self, request, object_id, form_url="", extra_context=None):
        account = self.get_object(request, object_id)
        if account is not None:
            _record_reading(request, account)
        return super().change_view(request, object_id, form_url, extra_context)

    def entries(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The entries have a composite key, which the admin cannot register: they are read here."""
        account = get_object_or_404(self.get_queryset(request), pk=pk)
        _record_reading(request, account)
        pages = Paginator(account.entries.select_related("transaction").order_by("-version"), ENTRIES_A_PAGE)
        context = {
            **self.admin_site.each_context(request),
            "title": _("All movements of this account"),
            "account": account,
            "opts": self.opts,
            "page_obj": pages.get_page(request.GET.get("page")),
        }
        return render(request, "admin/settlements/personalaccount/entries.html", context)


def _record_reading(request: HttpRequest, account: PersonalAccount) -> None:
    audit.record(
        action="admin_view", by=request.user, at=clock.now(), member=account.member, target=f"account {account.pk}"
    )


@admin.register(LedgerTransaction)
class LedgerTransactionAdmin(RegionalAdmin):
    labels = {"request_hash": _("Digest of the request")}
    list_display = ["id", "kind", "business_date", "region", "scope", "key", "refused", "reverses"]
    list_filter = ["kind", "region"]
    list_select_related = ["region", "reverses"]
    search_fields = ["=key", "=id"]
    show_full_result_count = False


@admin.register(Settlement)
class SettlementAdmin(RegionalAdmin):
    labels = {"transaction": _("Ledger transaction")}
    list_display = ["told_number", "settled_on", "institution", "kind", "fund", "shared", "cash", "reversed_on"]
    list_filter = ["kind", "region"]
    list_select_related = ["institution"]
    search_fields = ["public_id"]
    show_full_result_count = False
    # How a bill was worked out tells nothing of the disease, and is for the member and the institution to see.
    exclude = ["steps", "order", "counters"]

    def get_urls(self):
        page = self.admin_site.admin_view(admin_closing.after_death)
        return [path("after-death/", page, name="settlements_settlement_after_death"), *super().get_urls()]

    @admin.display(description=_("Number"), ordering="public_id")
    def told_number(self, settlement):
        return settlement.number

    def get_search_results(self, request, queryset, search_term):
        """By the short number that a member tells, or by the whole id."""
        digits = search_term.replace("-", "").strip().lower()
        if not digits:
            return queryset, False
        if not re.fullmatch(r"[0-9a-f]{8,32}", digits):
            return queryset.none(), False
        ends = (UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f")))
        return queryset.filter(public_id__range=ends), False

    def change_view(self, request, object_id, form_url="", extra_context=None):
        settlement = self.get_object(request, object_id)
        if settlement is not None:
            audit.record(
                action="admin_view",
                by=request.user,
                at=clock.now(),
                member=settlement.patient,
                target=f"settlement {settlement.public_id}",
            )
        return super().change_view(request, object_id, form_url, extra_context)


@admin.register(Scheme)
class SchemeAdmin(RulesAdmin):
    keys = ("insurance", "kind")


@admin.register(CreditRule)
class CreditRuleAdmin(RulesAdmin):
    pass


@admin.register(CatalogueItem)
class CatalogueItemAdmin(RoleAdmin):
    list_display = ["code", "name", "region", "item_class", "self_pay_percent", "price_limit", "valid_from", "valid_to"]
    list_filter = ["region"]
    list_select_related = ["region"]
    search_fields = ["code", "name"]
