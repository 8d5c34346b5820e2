"""The administration's view of reconciliation: lists are Django's, differences and clearing are pages of our own."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_base import RoleAdmin
from accounts.admin_lists import DaysFilter
from accounts.amounts import yuan
from accounts.enums import Insurance, Role
from accounts.models import Region
from accounts.wording import comma
from gateway.actions import clearing_paper
from gateway.enums import DayState
from gateway.models import Difference, GatewayFile, Reconciliation, ReconciliationDay
from gateway.views import reconciling


class _InstitutionAdmin(RoleAdmin):
    viewers = (Role.REGION_ADMIN, Role.AUDITOR)
    region_path = "institution__region"
    list_select_related = ["institution"]
    search_fields = ["institution__code", "institution__name"]


def _told(amount: Decimal | None) -> str:
    return "—" if amount is None else yuan(amount)


@admin.register(Difference)
class DifferenceAdmin(_InstitutionAdmin):
    """What an institution and the portal do not agree on, and the clearing statements beside it."""

    list_display = ["setl_id", "kind", "institution", "amounts", "state", "found_at"]
    list_filter = ["state", "kind", "institution__region"]
    search_fields = ["setl_id", "mdtrt_id", "msgid", "institution__code"]
    labels = {"kind": gettext_lazy("Kind")}

    @admin.display(description=gettext_lazy("what differs, yuan (here / there)"))
    def amounts(self, difference: Difference) -> str:
        """The sums that differ; the whole cost where only one side has the settlement."""
        sides = {
            _("Total"): (difference.our_total, difference.their_total),
            _("Funds"): (difference.our_fund, difference.their_fund),
            _("Accounts"): (difference.our_accounts, difference.their_accounts),
        }
        if None in sides[_("Total")]:
            sides = {_("Total"): sides[_("Total")]}
        told = [f"{name} {_told(ours)} / {_told(theirs)}" for name, (ours, theirs) in sides.items() if ours != theirs]
        return comma().join(told) or "—"

    def get_urls(self) -> list[Any]:
        wrap, name = self.admin_site.admin_view, "gateway_difference"
        own: list[URLPattern] = [
            path("board/", wrap(reconciling.board), name=f"{name}_board"),
            path("clearing/", wrap(reconciling.clearing), name=f"{name}_clearing"),
            path("clearing.csv", wrap(reconciling.clearing_csv), name=f"{name}_clearingcsv"),
            path("clearing.pdf", wrap(reconciling.clearing_pdf), name=f"{name}_clearingpdf"),
            path("<int:pk>/change/", wrap(reconciling.detail), name=f"{name}_change"),
        ]
        return [*own, *super().get_urls()]


# What is kept of a comparison, by the names of the interface and of the portal.
SUMS = {
    "count": gettext_lazy("Settlements"),
    "settled": gettext_lazy("Settlements"),
    "reversed": gettext_lazy("Reversals"),
    "medfee_sumamt": gettext_lazy("Total"),
    "fund_pay_sumamt": gettext_lazy("Funds"),
    "acct_pay": gettext_lazy("Accounts"),
    "cash_payamt": gettext_lazy("Cash"),
}


@admin.register(Reconciliation)
class ReconciliationAdmin(_InstitutionAdmin):
    list_display = ["at", "institution", "infno", "begins_on", "ends_on", "category", "balanced", "differences_found"]
    list_filter = ["balanced", ("at", DaysFilter)]
    fields = [
        "at", "institution", "infno", "begins_on", "ends_on", "region", "insurance", "category", "refunds",
        "sums_here", "sums_there", "balanced", "differences_found", "msgid", "uploaded", "result",
    ]  # fmt: skip

    @admin.display(description=gettext_lazy("clearing category"))
    def category(self, run: Reconciliation) -> str:
        return clearing_paper.clr_name(run.clr_type) if run.clr_type else _("all")

    @admin.display(description=gettext_lazy("here"))
    def sums_here(self, run: Reconciliation) -> str:
        return _sums(run.ours)

    @admin.display(description=gettext_lazy("at the institution"))
    def sums_there(self, run: Reconciliation) -> str:
        return _sums(run.theirs)


def _sums(kept: dict[str, Any]) -> str:
    """Numbers and amounts in yuan, each with its name."""
    told = [
        f"{name} {kept[key] if isinstance(kept[key], int) else yuan(Decimal(kept[key]))}"
        for key, name in SUMS.items()
        if key in kept
    ]
    return comma().join(told)


@admin.register(ReconciliationDay)
class ReconciliationDayAdmin(_InstitutionAdmin):
    list_display = ["day", "institution", "settlements", "state", "looked_at"]
    list_filter = ["state", ("day", DaysFilter)]
    fields = ["day", "institution", "settlements", "state", "by_category", "looked_at"]

    @admin.display(description=gettext_lazy("by clearing category"))
    def by_category(self, day: ReconciliationDay) -> SafeString:
        """A line a category: in which region and how insured, how many, and how far they are reconciled."""
        regions = Region.objects.filter(pk__in={part["region"] for part in day.parts})
        names = {region.pk: str(region) for region in regions}
        told = (
            (
                clearing_paper.clr_name(part["clr_type"]),
                Insurance(part["insurance"]).label,
                names.get(part["region"], part["region"]),
                part["count"],
                DayState(part["state"]).label,
            )
            for part in day.parts
        )
        return format_html_join(mark_safe("<br>"), "{} · {} · {}: {}, {}", told)


@admin.register(GatewayFile)
class GatewayFileAdmin(_InstitutionAdmin):
    """That a file was here; what is in it is people's data and on no page."""

    list_display = ["made_at", "institution", "way", "name", "size", "kept_until"]
    list_filter = ["way"]
    search_fields = ["number", "institution__code"]
    fields = ["number", "institution", "way", "name", "size", "sha256", "made_at", "kept_until"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("content")
