"""What accounts keeps about a member, as tables of the file that he can take with him."""

import datetime
from collections.abc import Iterator
from typing import Any

from allauth.usersessions.models import UserSession
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit_texts, devices, message_texts, queries
from accounts.models import AuditEvent, Enrolment, User
from accounts.naming import outside
from accounts.own_data import CHUNK, Table

DAY = datetime.timedelta(days=1)
Rows = Iterator[list[Any]]


def person(user: User, at: datetime.datetime) -> Rows:
    """Numbers in full: they are his own, and he may see whether they are right."""
    member = user.member
    yield [_("Name"), member.name]
    yield [_("ID number"), member.id_number]
    yield [_("Social security card number"), member.card_number]
    yield [_("Date of birth"), member.birth]
    yield [_("Sex"), member.get_sex_display()]
    yield [_("Telephone in the register"), member.phone]
    yield [_("Telephone of the login"), user.phone]
    yield [_("Identity"), user.get_identity_level_display()]
    yield [_("Record claimed on"), user.date_joined]
    yield [_("Password set on"), user.password_set_at]


def insurance(user: User, at: datetime.datetime) -> Rows:
    """One row for each stretch."""
    found = Enrolment.objects.filter(member=user.member).select_related("region", "signed_institution")
    for row in found.order_by("valid_from"):
        yield [
            row.valid_from,
            row.valid_to and row.valid_to - DAY,
            row.region.local_name,
            row.get_insurance_display(),
            row.get_status_display(),
            row.get_personal_status_display(),
            row.retired_on,
            row.base,
            row.employer,
            row.signed_institution and row.signed_institution.name,
        ]


def messages(user: User, at: datetime.datetime) -> Rows:
    """The inbox as it reads."""
    for message in queries.inbox(user).order_by("created_at", "id").iterator(CHUNK):
        told = message_texts.tell(message)
        yield [message.created_at, told.title, told.body, message.read_at]


def own_acts(user: User, at: datetime.datetime) -> Rows:
    """Logins among them, each with the address it came from."""
    for event in AuditEvent.objects.filter(actor_id=user.pk).order_by("at", "id").iterator(CHUNK):
        yield [event.at, audit_texts.tell(event.action), event.ip]


def sessions(user: User, at: datetime.datetime) -> Rows:
    """Those that are open now."""
    for session in UserSession.objects.filter(user=user).order_by("created_at"):
        if session.exists():
            yield [session.created_at, str(devices.tell(session.user_agent)), session.ip]


def seen(user: User, at: datetime.datetime) -> Rows:
    """Line by line what the page of the same name tells."""
    for event in queries.seen_by_staff(user.member).order_by("id").iterator(CHUNK):
        yield [event.at, outside(event.actor), audit_texts.tell(event.action), audit_texts.tell_reason(event)]


TABLES = [
    Table(
        order=10,
        title=gettext_lazy("Who you are"),
        heads=[gettext_lazy("What"), gettext_lazy("As it is kept")],
        rows=person,
    ),
    Table(
        order=20,
        title=gettext_lazy("How you are insured"),
        heads=[
            gettext_lazy("First day"),
            gettext_lazy("Last day"),
            gettext_lazy("Region"),
            gettext_lazy("Insurance"),
            gettext_lazy("State"),
            gettext_lazy("Working or retired"),
            gettext_lazy("Retired on"),
            gettext_lazy("Monthly contribution base"),
            gettext_lazy("Employer"),
            gettext_lazy("Signed family-doctor institution"),
        ],
        rows=insurance,
    ),
    Table(
        order=900,
        title=gettext_lazy("Messages"),
        heads=[
            gettext_lazy("When"),
            gettext_lazy("Title"),
            gettext_lazy("Text"),
            gettext_lazy("Read on"),
        ],
        rows=messages,
    ),
    Table(
        order=910,
        title=gettext_lazy("Logins and what you did"),
        heads=[gettext_lazy("When"), gettext_lazy("What"), gettext_lazy("From which address")],
        rows=own_acts,
    ),
    Table(
        order=920,
        title=gettext_lazy("Where you are logged in"),
        heads=[gettext_lazy("Since"), gettext_lazy("Device"), gettext_lazy("From which address")],
        rows=sessions,
    ),
    Table(
        order=930,
        title=gettext_lazy("Who looked at your record"),
        heads=[gettext_lazy("When"), gettext_lazy("Staff member"), gettext_lazy("What"), gettext_lazy("Reason")],
        rows=seen,
    ),
]
