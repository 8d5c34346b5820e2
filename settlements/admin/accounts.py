"""Accounts and their movements in the administration: to read. What moves money goes through actions alone."""

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.actions import audit
from accounts.admin_base import RegionalAdmin
from settlements.admin.bases import year_filter
from settlements.models import LedgerTransaction, PersonalAccount

ENTRIES_A_PAGE = 50


@admin.register(PersonalAccount)
class PersonalAccountAdmin(RegionalAdmin):
    """Balances are those of the row: between the year's end and its rollover they are last year's split."""

    labels = {
        "current_products": _("Products of this year's balance"),
        "historical_products": _("Products of earlier years' balance"),
        "products_on": _("Products counted up to"),
    }
    list_display = ["id", "member", "region", "benefit_year", "current", "historical", "debt", "status"]
    list_filter = ["region", year_filter("benefit_year", _("benefit year")), "status"]
    list_select_related = ["member", "region"]
    search_fields = ["=id"]
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
