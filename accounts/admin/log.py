"""The log, messages and texts: to read."""

import datetime
import re

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import audit_texts, clock, message_texts
from accounts.admin_base import LongListAdmin, RoleAdmin
from accounts.admin_lists import DaysFilter, days_asked, known_values
from accounts.enums import Channel, Role
from accounts.models import AuditBlock, AuditEvent, Message, SmsOutbox, User

# Words are looked for in so many days where none are chosen: in all of the log it would take minutes.
DAYS_SEARCHED = 31


def _told_act(code: str) -> str:
    """In words where the act has a name, and always as it is searched for."""
    return f"{audit_texts.tell(code)} · {code}" if code in audit_texts.registered() else code


def _acts() -> list[tuple[str, str]]:
    return sorted((code, _told_act(code)) for code in audit_texts.registered())


def _told_kind(code: str) -> str:
    """The title of a message without its facts, and its code."""
    known = code in message_texts.registered()
    return f"{message_texts.tell_kind(code, {}).title} · {code}" if known else code


def _kinds() -> list[tuple[str, str]]:
    return sorted((code, _told_kind(code)) for code in message_texts.registered())


@admin.register(AuditEvent)
class AuditEventAdmin(LongListAdmin):
    """For auditors, who hold no other power. A login and a member are found by their keys, words within some days."""

    viewers = (Role.AUDITOR,)
    labels = {"session": _("Session"), "ip": _("Address")}
    list_display = ["at", "told_actor", "told_action", "target", "member_id", "reason", "told_channel", "ip"]
    list_filter = [
        ("at", DaysFilter),
        known_values("channel", _("channel"), lambda: Channel.choices),
        known_values("action", _("act"), _acts),
    ]
    fields = [
        "at", "told_actor", "actor_id", "told_action", "target", "member_id", "on_behalf_of_id", "reason", "details",
        "told_channel", "ip", "session",
    ]  # fmt: skip
    search_fields = ["target"]
    search_help_text = _("A login, the number of a member, a case, an account …, or words of the reason")

    @admin.display(description=_("who"), ordering="actor")
    def told_actor(self, event: AuditEvent) -> str:
        return str(_("system")) if event.actor == "system" else event.actor

    @admin.display(description=_("act"), ordering="action")
    def told_action(self, event: AuditEvent) -> str:
        """In words where the act has a name, and always as it is searched for."""
        return _told_act(event.action)

    @admin.display(description=_("channel"), ordering="channel")
    def told_channel(self, event: AuditEvent) -> str:
        return str(dict(Channel.choices).get(event.channel, event.channel))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        words = search_term.strip()
        if not words:
            return queryset, False
        login = User.objects.filter(username=words, is_staff=True).first()
        if login is not None:
            return queryset.filter(actor_id=login.pk), False
        if re.fullmatch(r"[0-9]{1,12}", words) and queryset.filter(member_id=int(words)).exists():
            return queryset.filter(member_id=int(words)), False
        if not any(request.GET.get(name) for name in days_asked("at")):
            queryset = queryset.filter(at__gte=clock.now() - datetime.timedelta(days=DAYS_SEARCHED))
            note = _("Looked for in the last %(count)s days. Choose days to look for it in others.")
            messages.info(request, note % {"count": DAYS_SEARCHED})
        found = Q(actor__icontains=words) | Q(target__icontains=words) | Q(reason__icontains=words)
        return queryset.filter(found), False


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
class MessageAdmin(LongListAdmin):
    """Whether messages arrive, not what they say."""

    viewers = (Role.SYSTEM_ADMIN,)
    list_display = ["told_kind", "created_at", "read_at"]
    list_filter = [known_values("kind", _("kind"), _kinds)]
    fields = list_display
    labels = {"created_at": _("Written at"), "read_at": _("Read at")}

    @admin.display(description=_("kind"))
    def told_kind(self, message: Message) -> str:
        return _told_kind(message.kind)


@admin.register(SmsOutbox)
class SmsOutboxAdmin(LongListAdmin):
    """Whether text messages go out, not to whom and not what they say."""

    viewers = (Role.SYSTEM_ADMIN,)
    list_display = ["id", "told_kind", "state", "tries", "created_at", "sent_at"]
    list_filter = ["state", ("created_at", DaysFilter), known_values("kind", _("kind"), _kinds)]
    fields = list_display[1:]
    labels = {"tries": _("Tries"), "created_at": _("Written at"), "sent_at": _("Sent at")}

    @admin.display(description=_("kind"))
    def told_kind(self, message: SmsOutbox) -> str:
        return _told_kind(message.kind)
