"""Family sharing to be looked at: it changes through its actions and the region files alone."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import RegionalAdmin, RoleAdmin, RulesAdmin
from accounts.admin_lists import DaysFilter
from accounts.enums import Role
from family.models import Commitment, DeductionOrder, SharingApplication, SharingGrant, SharingRules


@admin.register(SharingRules)
class SharingRulesAdmin(RulesAdmin):
    pass


@admin.register(Commitment)
class CommitmentAdmin(RoleAdmin):
    """A new text is a new version; what somebody has signed stays as it was."""

    editors = (Role.SYSTEM_ADMIN,)
    list_display = ["version", "valid_from"]

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(SharingApplication)
class SharingApplicationAdmin(RegionalAdmin):
    labels = {
        "case": _("Case"),
        "grantor": _("Whose account it is"),
        "beneficiary": _("Who may use it"),
        "commitment": _("Commitment"),
        "committed_channel": _("Signed where"),
        "consent_channel": _("Consented where"),
    }
    region_path = "case__region"
    list_display = ["case", "grantor", "beneficiary", "relation", "committed_at", "consented_at"]
    list_filter = ["relation", "case__state"]
    list_select_related = ["case", "grantor", "beneficiary"]
    search_fields = ["case__number"]


@admin.register(SharingGrant)
class SharingGrantAdmin(RegionalAdmin):
    list_display = ["grantor", "beneficiary", "relation", "region", "starts_on", "ends_on", "end_reason"]
    list_filter = ["relation", ("bound_at", DaysFilter), "region", "end_reason"]
    list_select_related = ["grantor", "beneficiary", "region"]


@admin.register(DeductionOrder)
class DeductionOrderAdmin(RegionalAdmin):
    labels = {
        "beneficiary": _("Who may use it"),
        "version": _("Version"),
        "changed_at": _("Changed at"),
        "grant_ids": _("Grants in their order"),
    }
    region_path = "beneficiary__grants_held__region"
    list_display = ["beneficiary", "version", "changed_at"]
    list_select_related = ["beneficiary"]
