"""Closed accounts in the administration: what was paid out, and bills of care after a death. Nothing is changed here."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.actions import audit
from accounts.admin_base import RegionalAdmin
from accounts.enums import Role
from accounts.policies import has_any_role
from casework import kinds
from settlements.models import Payout, Settlement
from settlements.queries.withdrawal import bills_after_death, dead_of

BILLS_A_PAGE = 50


@admin.register(Payout)
class PayoutAdmin(RegionalAdmin):
    """What closed accounts gave to whom. Names masked; the bank account stays with the case."""

    region_path = "payee__application__case__region"
    list_display = ["id", "paid_on", "case_number", "kind", "payee", "way", "amount", "to_account"]
    list_filter = ["payee__way", "payee__application__reason"]
    list_select_related = ["payee__application__case", "transaction", "to_account"]
    search_fields = ["=payee__application__case__number"]

    @admin.display(description=_("paid on"), ordering="transaction__business_date")
    def paid_on(self, payout):
        return payout.transaction.business_date

    @admin.display(description=_("case number"))
    def case_number(self, payout):
        return payout.payee.application.case.number

    @admin.display(description=_("kind"))
    def kind(self, payout):
        return kinds.get(payout.payee.application.case.kind).title

    @admin.display(description=_("how it is paid"))
    def way(self, payout):
        return payout.payee.get_way_display()


def after_death(request: HttpRequest) -> HttpResponse:
    """Bills that stand though the care was after a death, and what is to be done with each; each look is recorded."""
    if not has_any_role(request.user, Role.REGION_ADMIN):
        raise PermissionDenied
    page = Paginator(bills_after_death(request.user), BILLS_A_PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "bill": bill,
            "dead": dead_of(bill),
            "paid": [{"member": leg.member, "amount": leg.current + leg.historical} for leg in bill.payers.all()],
        }
        for bill in page.object_list
    ]
    for row in rows:
        for person in row["dead"]:
            target = f"settlement {row['bill'].public_id}"
            audit.record(action="admin_view", by=request.user, at=clock.now(), member=person, target=target)
    context = {
        **admin.site.each_context(request),
        "title": _("Bills after a death"),
        "opts": Settlement._meta,
        "page_obj": page,
        "rows": rows,
    }
    return render(request, "admin/settlements/settlement/after_death.html", context)
