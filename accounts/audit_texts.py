"""What the acts in the audit log are called where people read them."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import dates
from accounts.models import AuditEvent
from accounts.wording import Text

# Pages of one record opened one after the other are one look to whoever reads of it.
TOGETHER = datetime.timedelta(minutes=10)
_texts: dict[str, Text] = {}
_reasons: dict[tuple[str, str], Text] = {}


def register_action(action: str, text: Text) -> None:
    """Say what an act is called, as the end of the sentence "a clerk …": a lazy text. Each app registers its own."""
    _texts[action] = text


def tell(action: str) -> str:
    """The act in the reader's language; one that nobody named is "worked on the record"."""
    return str(_texts.get(action, _("worked on the record")))


def register_reason(action: str, code: str, text: Text) -> None:
    """Say what a code that stands where an act has its reason means: a lazy text."""
    _reasons[action, code] = text


def tell_reason(event: AuditEvent) -> str:
    """The reason as it was written, or what its code means in the reader's language."""
    return str(_reasons.get((event.action, event.reason), event.reason))


@dataclass
class Looks:
    """The same act by the same person on the same thing within ten minutes: the latest line, when the first was, how
    many there were."""

    event: AuditEvent
    first_at: datetime.datetime
    count: int = 1

    @property
    def what(self) -> str:
        """The act, and how often if more than once."""
        told = tell(self.event.action)
        return told if self.count == 1 else _("%(act)s (%(count)s times)") % {"act": told, "count": self.count}

    @property
    def when(self) -> str:
        """From the first to the last, to the minute."""
        first, last = dates.moment(self.first_at), dates.clock(self.event.at)
        return first if first.endswith(last) else f"{first}–{last}"

    @property
    def reason(self) -> str:
        """Why, as the reader is told."""
        return tell_reason(self.event)


def grouped(events: Iterable[AuditEvent]) -> list[Looks]:
    """Lines of the log, the latest first, with repeated ones told as one. Another reason is another line."""
    told: list[Looks] = []
    latest: dict[tuple[object, ...], Looks] = {}
    for event in events:
        # "member" and "bind" are pages of one record; "case 7KF2" names a thing of its own.
        thing = event.target if " " in event.target else ""
        key = (event.actor_id, event.action, event.member_id, thing, event.reason)
        group = latest.get(key)
        if group is not None and group.event.at - event.at <= TOGETHER:
            group.count += 1
            group.first_at = event.at
        else:
            latest[key] = Looks(event, event.at)
            told.append(latest[key])
    return told


def registered() -> set[str]:
    """All acts that have a name."""
    return set(_texts)


for _action, _text in {
    "open_member": gettext_lazy("opened the record"),
    "unmask": gettext_lazy("saw names or numbers in full"),
    "admin_view": gettext_lazy("saw the record in the administration"),
    "admin_change": gettext_lazy("changed the record in the administration"),
    "change_phone": gettext_lazy("changed the telephone"),
    "release_phone": gettext_lazy("took the telephone out of the login: its present holder registered it"),
    "set_password": gettext_lazy("set a new password"),
    "identity": gettext_lazy("confirmed the identity"),
    "end_sessions": gettext_lazy("ended sessions"),
    "claim": gettext_lazy("claimed the record"),
    "login": gettext_lazy("logged in"),
    "login_failed": gettext_lazy("tried to log in and failed"),
    "logout": gettext_lazy("logged out"),
    "grant_role": gettext_lazy("gave a role"),
    "end_role": gettext_lazy("ended a role"),
    "set_up_second_factor": gettext_lazy("set up a second factor"),
    "reset_second_factor": gettext_lazy("reset a second factor"),
    "admin_search": gettext_lazy("looked for a person in the administration"),
    "own_data_copied": gettext_lazy("took a copy of all that is kept about the person"),
    "reencrypted": gettext_lazy("encrypted kept numbers anew"),
}.items():
    register_action(_action, _text)
