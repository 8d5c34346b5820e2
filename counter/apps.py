from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CounterConfig(AppConfig):
    name = "counter"

    def ready(self) -> None:
        # Models must be loaded before these.
        from accounts import audit_texts, clock, navigation
        from accounts.enums import Role
        from accounts.texts import register
        from casework.queries import waiting
        from counter import texts
        from counter.actions import consents
        from counter.papers.bills import DECISION
        from counter.papers.closing import PROOF
        from counter.papers.notices import NOTICE
        from counter.papers.paying import PREMIUM, TRANSFER
        from documents import kinds as document_kinds

        register(texts)
        audit_texts.register_reason("paper_revoked", "replaced", _("a new one says how it stands now"))
        audit_texts.register_reason("case_consent", "paper", _("the relative signed on paper"))
        consents.register()
        document_kinds.register(DECISION, _("Decision on a bill paid in cash"))
        document_kinds.register(PROOF, _("Proof of a closed account"))
        document_kinds.register(NOTICE, _("One-time notice"))
        document_kinds.register(PREMIUM, _("Proof of a premium"))
        document_kinds.register(TRANSFER, _("Proof of a wallet transfer"))

        clerks, supervisors = navigation.for_roles(Role.CLERK), navigation.for_roles(Role.SUPERVISOR)
        navigation.register("desk", "window", _("Window"), "counter:home", order=10, visible=clerks)
        navigation.register("desk", "journal", _("Day journal"), "counter:journal", order=20, visible=clerks)
        navigation.register(
            "desk",
            "queue",
            _("Second check"),
            "counter:queue",
            order=30,
            visible=supervisors,
            count=lambda request: waiting(request.user, clock.today()).review,
        )
        navigation.register(
            "desk",
            "catalogue",
            _("Catalogue"),
            "counter:catalogue",
            order=25,
            visible=navigation.for_roles(Role.CLERK, Role.SUPERVISOR),
        )
        navigation.register("desk", "payments", _("Payments"), "counter:payments", order=40, visible=supervisors)
