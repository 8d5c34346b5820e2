from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class GatewayConfig(AppConfig):
    name = "gateway"
    verbose_name = _("Institutions' interface")

    def ready(self) -> None:
        from accounts.audit_texts import register_action  # models are loaded only now
        from gateway.queries.visits import open_bills
        from settlements.queries.withdrawal import register_open

        register_open(open_bills)

        from gateway import difference_texts

        difference_texts.register()
        register_action("institution_look_up", _("looked the person up for a visit at an institution"))
        register_action("visit_expired", _("gave up a visit that was not settled in time"))
        register_action("key_issued", _("issued a key to an institution"))
        register_action("key_retired", _("retired a key of an institution"))
        if settings.DEMO:
            from accounts.views import demo
            from gateway import demo_keys

            demo.register("keys", _("Keys of test institutions: key ID and secret"), demo_keys.rows)
        register_action("gateway_message_opened", _("read what an institution sent about the person"))
        register_action("gateway_message_replayed", _("tried again, without consequence, what an institution sent"))

        from accounts import navigation, reasons
        from gateway.policies import may_watch_calls

        reasons.register(
            "body_deleted",
            _("What was said was deleted, its time was over."),
            _("What it led to stands in the visit and its settlement."),
        )
        reasons.register(
            "replay_impossible",
            _("This message cannot be tried again: it came with a file."),
            _("Ask the institution to send it once more."),
        )
        navigation.register("foot", "interface", _("Interface for hospitals and pharmacies"), "gateway:docs", order=70)
        navigation.register(
            "manage",
            "calls",
            _("Calls of institutions"),
            "admin:gateway_gatewaymessage_today",
            order=43,
            visible=lambda request: may_watch_calls(request.user),
        )
        register_action("difference_explained", _("explained a difference with an institution"))
        register_action("difference_closed", _("closed a difference with an institution"))
        register_action("clearing_statement", _("took the clearing statement of an institution"))

        from accounts import navigation, policies
        from accounts.enums import Role

        navigation.register(
            "manage",
            "reconciliation",
            _("Reconciliation with institutions"),
            "admin:gateway_difference_board",
            order=44,
            visible=lambda request: policies.has_any_role(request.user, Role.REGION_ADMIN, Role.AUDITOR),
        )
