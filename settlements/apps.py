from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SettlementsConfig(AppConfig):
    name = "settlements"
    verbose_name = _("Accounts and settlements")

    def ready(self) -> None:
        from accounts.texts import register  # translations and models are there only now
        from casework import kinds
        from settlements import own_tables
        from settlements.kinds import KINDS
        from settlements.texts import bills, closing, paying, rules, settling

        register(settling, paying, closing, bills, rules)
        for kind in KINDS:
            kinds.register(kind)

        from accounts import navigation, own_data, policies
        from accounts.enums import Role
        from settlements.queries import waiting

        own_data.register(*own_tables.TABLES)
        navigation.register(
            "citizen", "account", _("Account"), "settlements:account", order=20, visible=navigation.for_members
        )
        navigation.register(
            "citizen", "settlements", _("Settlements"), "settlements:bills", order=40, visible=navigation.for_members
        )
        pages_of_bills = ("estimate", "catalogue", "claim_new", "claim_check")
        navigation.place("citizen", "settlements", *(f"settlements:{name}" for name in pages_of_bills))
        cases = ("claim", "claim_amend", "claim_withdraw", "recalculation", "closing")
        navigation.place("citizen", "cases", *(f"settlements:{name}" for name in cases))
        navigation.register(
            "citizen", "premiums", _("Pay premiums"), "settlements:premiums", order=44, visible=navigation.for_members
        )
        navigation.register(
            "citizen", "wallet", _("My wallet"), "settlements:wallet", order=46, visible=navigation.for_members
        )
        # What another has prepared and waits for this one's release is counted beside the entry.
        for order, key, text, model, count in (
            (30, "rollover", _("Year-end rollover"), "rolloverrun", waiting.rollovers),
            (32, "contributions", _("Contributions"), "contributionfile", waiting.contributions),
            (34, "crediting", _("Crediting"), "creditrun", waiting.clearings),
            (36, "drafts", _("Changes of rules"), "ruledraft", waiting.drafts),
            (38, "catalogue", _("Catalogue files"), "cataloguefile", waiting.catalogues),
        ):
            navigation.register(
                "manage",
                key,
                text,
                f"admin:settlements_{model}_changelist",
                order=order,
                visible=lambda request: policies.has_any_role(request.user, Role.REGION_ADMIN, Role.AUDITOR),
                count=lambda request, count=count: count(request.user),
            )
        navigation.register(
            "manage",
            "after-death",
            _("Bills after a death"),
            "admin:settlements_settlement_after_death",
            order=40,
            visible=lambda request: policies.has_any_role(request.user, Role.REGION_ADMIN),
        )
