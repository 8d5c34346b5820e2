from itertools import product

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class GatewayConfig(AppConfig):
    name = "gateway"
    verbose_name = _("Institutions' interface")

    def ready(self) -> None:
        # Models must be loaded before these.
        from accounts import navigation, own_data
        from accounts.enums import Role
        from accounts.texts import register
        from gateway import own_tables, staff_texts
        from gateway.actions import at_window
        from gateway.policies import may_watch_calls
        from gateway.queries.visits import open_bills
        from settlements.actions import bill_reversals
        from settlements.queries.withdrawal import register_open

        register(staff_texts)
        own_data.register(*own_tables.TABLES)
        register_open(open_bills)
        bill_reversals.register_taken_back(bill_reversals.TakenBack(check=at_window.check, note=at_window.note))
        navigation.register("foot", "interface", _("Interface for hospitals and pharmacies"), "gateway:docs", order=70)
        navigation.register(
            "manage",
            "calls",
            _("Calls of institutions"),
            "admin:gateway_gatewaymessage_today",
            order=43,
            visible=lambda request: may_watch_calls(request.user),
        )
        navigation.register(
            "manage",
            "reconciliation",
            _("Reconciliation with institutions"),
            "admin:gateway_difference_board",
            order=44,
            visible=navigation.for_roles(Role.REGION_ADMIN, Role.AUDITOR),
        )
        calls = ("gatewaymessage", "institutionkey", "institutionsettings", "signin")
        reconciled = ("difference", "reconciliation", "reconciliationday", "gatewayfile")
        for key, models in (("calls", calls), ("reconciliation", reconciled)):
            pages = product(models, ("changelist", "add", "change"))
            navigation.place("manage", key, *(f"admin:gateway_{model}_{page}" for model, page in pages))
        navigation.place("manage", "calls", "admin:gateway_institutionkey_issued")
        navigation.place("manage", "reconciliation", "admin:gateway_difference_clearing")
        if settings.DEMO:
            from accounts.views import demo
            from gateway import demo_keys

            demo.register("keys", _("Keys of test institutions: key ID and secret"), demo_keys.rows)
