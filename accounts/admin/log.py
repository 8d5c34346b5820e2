"""The log, messages and texts: to read."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts import audit_texts
from accounts.admin_base import RoleAdmin
from accounts.enums import Channel, Role
from accounts.models import AuditBlock, AuditEvent, Message, SmsOutbox


@admin.register(AuditEvent)
class AuditEventAdmin(RoleAdmin):
    """For auditors, who hold no other power."""

    viewers = (Role.AUDITOR,)
    labels = {"session": _("Session"), "ip": _("Address")}
    list_display = ["at", "told_actor", "told_action", "target", "member_id", "reason", "told_channel", "ip"]
    list_filter = ["action", "channel"]
    search_fields = ["actor", "target", "reason"]
    date_hierarchy = "at"
    show_full_result_count = False

    @admin.display(description=_("who"), ordering="actor")
    def told_actor(self, event: AuditEvent) -> str:
        return str(_("system")) if event.actor == "system" else event.actor

    @admin.display(description=_("act"), ordering="action")
    def told_action(self, event: AuditEvent) -> str:
        """In words where the act has a name, and always as it is searched for."""
        known = event.action in audit_texts.registered()
        return f"{audit_texts.tell(event.action)} · {event.action}" if known else event.action

    @admin.display(description=_("channel"), ordering="channel")
    def told_channel(self, event: AuditEvent) -> str:
        return str(dict(Channel.choices).get(event.channel, event.channel))


@admin.register(AuditBlock)
class AuditBlockAdmin(RoleAdmin):
    viewers = (Role.AUDITOR,)
    list_display = ["id", "first_event", "last_event", "lines", "hash", "sealed_at"]
    labels = {
        "first_event": _("First line"),
        "last_event": _("Last line"),
        "lines": _("Number of lines"),
        "previous_hash": _("Digest of the block before"),
        "hash": _("Digest"),
        "sealed_at": _("Sealed at"),
    }


@admin.register(Message)
class MessageAdmin(RoleAdmin):
    """Whether messages arrive, not what they say."""

    viewers = (Role.SYSTEM_ADMIN,)
    list_display = ["kind", "created_at", "read_at"]
    list_filter = ["kind"]
    fields = list_display
    labels = {"created_at": _("Written at"), "read_at": _("Read at")}
    show_full_result_count = False


@admin.register(SmsOutbox)
class SmsOutboxAdmin(RoleAdmin):
    """Whether text messages go out, not to whom and not what they say."""

    viewers = (Role.SYSTEM_ADMIN,)
    list_display = ["id", "kind", "state", "tries", "created_at", "sent_at"]
    list_filter = ["state", "kind"]
    fields = list_display[1:]
    labels = {"tries": _("Tries"), "created_at": _("Written at"), "sent_at": _("Sent at")}
    show_full_result_count = False
