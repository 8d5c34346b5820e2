"""The administration's view of premiums and wallets: to read. What moves money goes through actions alone."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.actions import audit
from accounts.admin_base import RegionalAdmin, RulesAdmin
from settlements.admin.bases import NumberedAdmin, year_filter
from settlements.models import PremiumOrder, PremiumPayment, PremiumPlan, Wallet, WalletTransfer


@admin.register(PremiumPlan)
class PremiumPlanAdmin(RulesAdmin):
    """The tariff and its window; it comes from the region's file."""

    keys = ("insurance", "year")


@admin.register(PremiumPayment)
class PremiumPaymentAdmin(NumberedAdmin):
    labels = {"group_names": _("Group"), "transaction": _("Ledger transaction"), "benefit_year": _("Benefit year")}
    list_display = ["told_number", "paid_on", "payer", "insured", "insurance", "year", "amount", "refunded_on"]
    list_filter = [
        "insurance",
        year_filter("year", _("benefit year")),
        ("wallet", admin.EmptyFieldListFilter),
        "region",
    ]
    list_select_related = ["payer", "insured"]
    people = ("payer", "insured")


@admin.register(PremiumOrder)
class PremiumOrderAdmin(NumberedAdmin):
    list_display = ["told_number", "due_on", "payer", "insured", "insurance", "year", "amount", "state", "refused"]
    list_filter = ["state", year_filter("year", _("benefit year")), "region"]
    list_select_related = ["payer", "insured"]
    people = ("payer", "insured")


@admin.register(Wallet)
class WalletAdmin(RegionalAdmin):
    """Balances are those of the row: a transfer that has just come back may not be written in it yet."""

    list_display = ["id", "member", "region", "balance", "opened_at"]
    list_filter = ["region"]
    list_select_related = ["member", "region"]
    search_fields = ["=id"]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        wallet = self.get_object(request, object_id)
        if wallet is not None:
            target = f"wallet {wallet.pk}"
            audit.record(action="admin_view", by=request.user, at=clock.now(), member=wallet.member, target=target)
        return super().change_view(request, object_id, form_url, extra_context)


@admin.register(WalletTransfer)
class WalletTransferAdmin(NumberedAdmin):
    labels = {"told_at": _("Told at"), "sending": _("Booking when sent"), "ending": _("Booking when it ended")}
    region_path = "wallet__region"
    list_display = ["told_number", "sent_at", "sender", "receiver", "source", "amount", "state", "ended_at"]
    list_filter = ["state", "source"]
    list_select_related = ["sender", "receiver"]
    people = ("sender", "receiver")
