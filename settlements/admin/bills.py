"""Bills in the administration: to read. What moves money goes through actions alone."""

from django.contrib import admin
from django.urls import path
from django.utils.translation import gettext_lazy as _

from settlements.admin.bases import NumberedAdmin
from settlements.admin.closing import after_death
from settlements.models import Settlement


@admin.register(Settlement)
class SettlementAdmin(NumberedAdmin):
    labels = {"transaction": _("Ledger transaction")}
    list_display = [
        "told_number", "settled_on", "institution", "kind", "whole", "fund", "supplement", "own", "shared", "cash",
        "reversed_on",
    ]  # fmt: skip
    list_filter = ["kind", "region"]
    list_select_related = ["institution"]
    people = ("patient",)
    # How a bill was worked out tells nothing of the disease, and is for the member and the institution to see.
    exclude = ["steps", "order", "counters"]

    @admin.display(description=_("Total"))
    def whole(self, bill):
        return bill.total

    @admin.display(description=_("own account and wallet"))
    def own(self, bill):
        return bill.own_current + bill.own_historical + bill.wallet

    def get_urls(self):
        page = self.admin_site.admin_view(after_death)
        return [path("after-death/", page, name="settlements_settlement_after_death"), *super().get_urls()]
