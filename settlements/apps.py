from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SettlementsConfig(AppConfig):
    name = "settlements"
    verbose_name = _("Accounts and settlements")

    def ready(self) -> None:
        # Models must be loaded before these.
        from accounts import own_data
        from accounts.texts import register
        from casework import kinds
        from settlements import own_tables
        from settlements.kinds import KINDS
        from settlements.texts import bills, closing, paying, rules, settling

        register(settling, paying, closing, bills, rules)
        own_data.register(*own_tables.TABLES)
        for kind in KINDS:
            kinds.register(kind)
        self._pages()

    def _pages(self) -> None:
        """What stands in the navigation, and which pages belong to an entry without being one."""
        from accounts import navigation
        from accounts.enums import Role
        from settlements.queries import waiting

        for order, key, text, url_name in (
            (20, "account", _("Account"), "account"),
            (40, "settlements", _("Settlements"), "bills"),
            (44, "premiums", _("Pay premiums"), "premiums"),
            (46, "wallet", _("My wallet"), "wallet"),
        ):
            navigation.register(
                "citizen", key, text, f"settlements:{url_name}", order=order, visible=navigation.for_members
            )
        pages_of_bills = ("estimate", "catalogue", "claim_new", "claim_check")
        navigation.place("citizen", "settlements", *(f"settlements:{name}" for name in pages_of_bills))
        cases = ("claim", "claim_amend", "claim_withdraw", "recalculation", "closing")
        navigation.place("citizen", "cases", *(f"settlements:{name}" for name in cases))
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
                visible=navigation.for_roles(Role.REGION_ADMIN, Role.AUDITOR),
                count=lambda request, count=count: count(request.user),
            )
        navigation.register(
            "manage",
            "after-death",
            _("Bills after a death"),
            "admin:settlements_settlement_after_death",
            order=40,
            visible=navigation.for_roles(Role.REGION_ADMIN),
        )
