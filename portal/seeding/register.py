"""Writing who there is: members, how they are insured, and their logins. As the register's import does it: in bulk."""

import datetime
from collections.abc import Sequence

from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.actions import users
from accounts.crypto import blind_index
from accounts.enums import IdentityLevel
from accounts.models import Enrolment, Institution, Member, User
from accounts.queries import find_member
from portal.seeding.families import Family
from portal.seeding.people import Person
from portal.seeding.staff import PASSWORD

BATCH = 2000


@transaction.atomic
def write(families: Sequence[Family], start: datetime.date) -> None:
    """All people of the families; each then knows its `member_id`."""
    people = [person for family in families for person in family.people]
    members = Member.objects.bulk_create([_member(person) for person in people], batch_size=BATCH)
    for person, member in zip(people, members, strict=True):
        person.member_id = member.pk
    signed = dict(Institution.objects.filter(kind="hospital", level="primary").values_list("region_id", "pk"))
    since = start.replace(year=start.year - 3, day=1)
    rows = [row for person in people for row in _enrolments(person, since, signed)]
    Enrolment.objects.bulk_create(rows, batch_size=BATCH)
    # One hash for all: hashing each would take longer than the whole year.
    password = make_password(PASSWORD)
    logins = [
        _login(member, person, password) for person, member in zip(people, members, strict=True) if person.has_login
    ]
    User.objects.bulk_create(logins, batch_size=BATCH)


def _member(person: Person) -> Member:
    return Member(
        name=person.name,
        id_number=person.id_number,
        id_number_index=blind_index(person.id_number),
        card_number=person.card_number,
        card_number_index=blind_index(person.card_number),
        phone=person.phone,
        birth=person.birth,
        sex=person.sex,
    )


def _enrolments(person: Person, since: datetime.date, signed: dict[str, int]) -> list[Enrolment]:
    def row(valid_from: datetime.date, valid_to: datetime.date | None, status: str) -> Enrolment:
        return Enrolment(
            member_id=person.member_id,
            region_id=person.region,
            insurance=person.insurance,
            status=status,
            personal_status=person.personal_status,
            retired_on=person.retired_on,
            base=person.base,
            employer=person.employer,
            signed_institution_id=signed.get(person.region) if person.signed else None,
            valid_from=max(valid_from, person.birth),
            valid_to=valid_to,
        )

    first = row(since, person.suspended_on, "normal")
    return [first, row(person.suspended_on, None, "suspended")] if person.suspended_on else [first]


def _login(member: Member, person: Person, password: str) -> User:
    user = users.new_login(member, person.phone)
    user.password, user.identity_level = password, IdentityLevel.VERIFIED
    return user


def registered(who: tuple[str, str]) -> Member:
    """The member of a name and number of the cast."""
    found = find_member(id_number=who[1])
    assert found is not None, f"{who[0]} is not registered"
    return found
