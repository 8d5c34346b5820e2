"""The cast: invented people that every test may ask for, and short ways to make more of them.

`make_*` are plain functions for a test that already has the database; `people` is a fixture that gives the whole cast.
"""

import datetime
import itertools
import re
import time
from dataclasses import dataclass
from decimal import Decimal

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt

from accounts.actions import users
from accounts.clock import now
from accounts.crypto import blind_index
from accounts.domain import id_number
from accounts.enums import IdentityLevel, Role
from accounts.models import (
    BenefitYear,
    Enrolment,
    Institution,
    Member,
    Region,
    RoleAssignment,
    ServiceCentre,
    SmsOutbox,
    User,
)

PASSWORD = "Ginkgo-leaf-2026"
SHANGHAI = "310000"
# A handful of regions for tests that do not load regions/*.toml: name, English name, buckets kept apart, year begins.
REGIONS = {
    "310000": ("上海市", "Shanghai", True, (7, 1)),
    "110000": ("北京市", "Beijing", False, (1, 1)),
    "410100": ("郑州市", "Zhengzhou", False, (1, 1)),
}
_counter = itertools.count(1)


def make_region(code: str = SHANGHAI) -> Region:
    """A region with its benefit years; the same code again gives the same region."""
    name, name_en, two_buckets, (month, day) = REGIONS.get(code, (f"统筹区{code}", f"Region {code}", True, (1, 1)))
    region, created = Region.objects.get_or_create(
        code=code,
        defaults={"name": name, "name_en": name_en, "two_buckets": two_buckets, "file_hash": "", "loaded_at": now()},
    )
    if created:
        BenefitYear.objects.bulk_create(
            BenefitYear(region=region, year=year, starts_on=datetime.date(year, month, day))
            for year in range(2018, 2032)
        )
    return region


def make_centre(region: Region | None = None, name: str = "第一服务网点") -> ServiceCentre:
    return ServiceCentre.objects.get_or_create(region=region or make_region(), name=name)[0]


def make_institution(
    name: str = "示例医院", *, region: Region | None = None, kind: str = "hospital", level: str = "tertiary"
):
    return Institution.objects.create(
        code=f"H{next(_counter):011d}", name=name, region=region or make_region(), kind=kind, level=level
    )


def make_id_number(birth: datetime.date, sex: str = "F", area: str = "310101") -> str:
    """A number that nobody has yet."""
    return id_number.make(area, birth, (next(_counter) * 2) % 1000 + (sex == "M"))


def make_phone() -> str:
    return f"138{next(_counter):08d}"


def make_member(
    name: str = "沈某宁",
    birth: datetime.date = datetime.date(1985, 1, 1),
    *,
    sex: str = "F",
    region: Region | None = None,
    insurance: str | None = "employee",
    status: str = "normal",
    personal_status: str = "active",
    retired_on: datetime.date | None = None,
    base: Decimal | None = Decimal("12000.00"),
    phone: str | None = None,
    valid_from: datetime.date = datetime.date(2020, 1, 1),
) -> Member:
    """A member and one enrolment (`insurance=None`: in the register, not insured). No login, no account."""
    member = Member.objects.create(
        name=name,
        id_number=make_id_number(birth, sex),
        card_number=f"S{next(_counter):08d}",
        phone=phone,
        birth=birth,
        sex=sex,
    )
    if insurance:
        Enrolment.objects.create(
            member=member,
            region=region or make_region(),
            insurance=insurance,
            status=status,
            personal_status=personal_status,
            retired_on=retired_on,
            base=base if insurance == "employee" else None,
            valid_from=valid_from,
        )
    return member


def make_login(member: Member, *, level: int = IdentityLevel.VERIFIED, phone: str | None = None) -> User:
    """The login of a member who has claimed his record; the password is PASSWORD."""
    number = phone or member.phone or make_phone()
    return User.objects.create_user(
        username=f"m{next(_counter):06d}",
        password=PASSWORD,
        member=member,
        display_name=member.name,
        phone=number,
        phone_index=blind_index(number),
        phone_verified=True,
        identity_level=level,
    )


def make_staff(
    role: str, *, region: Region | None = None, username: str = "", name: str = "", centre: ServiceCentre | None = None
) -> User:
    """A staff login with one role, in Shanghai unless the role is for everywhere. It has no second factor yet."""
    everywhere = role in (Role.SYSTEM_ADMIN, Role.AUDITOR)
    user = User.objects.create_user(
        username=username or f"w{next(_counter):05d}",
        password=PASSWORD,
        display_name=name or str(role),
        is_staff=True,
        password_set_at=now(),
    )
    RoleAssignment.objects.create(
        user=user, role=role, region=None if everywhere else region or make_region(), centre=centre
    )
    return user


def is_also(staff: User, member: Member) -> User:
    """Make a staff login the one of a person whom the register knows, as the administration does."""
    staff.person_index = blind_index(member.id_number)
    staff.save(update_fields=["person_index"])
    return staff


def person(name: str, birth: datetime.date, **more) -> User:
    """A member with a login: `.member` is the member."""
    return make_login(make_member(name, birth, **more))


@dataclass
class People:
    """Logins, each with `.member`; the child is too young to have one and is a member."""

    region: Region
    centre: ServiceCentre
    holder: User
    spouse: User
    child: Member
    stranger: User
    clerk: User
    supervisor: User
    region_admin: User
    system_admin: User
    auditor: User
    institution: Institution


def make_people(region: Region | None = None) -> People:
    """The whole cast, in one region. The holder grants; the spouse and the child use."""
    region = region or make_region()
    centre = make_centre(region)
    return People(
        region=region,
        centre=centre,
        holder=person("沈某宁", datetime.date(1985, 3, 12), sex="F", region=region),
        spouse=person("方某", datetime.date(1984, 8, 2), sex="M", region=region),
        child=make_member("方小禾", datetime.date(2018, 5, 20), sex="F", region=region, insurance="resident"),
        stranger=person("陆某川", datetime.date(1990, 11, 30), sex="M", region=region),
        clerk=make_staff(Role.CLERK, region=region, centre=centre, name="柜员甲"),
        supervisor=make_staff(Role.SUPERVISOR, region=region, centre=centre, name="复核员乙"),
        region_admin=make_staff(Role.REGION_ADMIN, region=region, name="区管丙"),
        system_admin=make_staff(Role.SYSTEM_ADMIN, name="系统管理员丁"),
        auditor=make_staff(Role.AUDITOR, name="审计员戊"),
        institution=make_institution(region=region),
    )


def totp_code(user: User) -> str:
    """The present code of a staff login's second factor, which is set up here if it has none."""
    authenticator = Authenticator.objects.filter(user=user, type="totp").first()
    if authenticator is None:
        authenticator = users.set_up_second_factor(user=user, secret=generate_totp_secret(), by=user, at=now())
    return format_hotp_value(hotp_value(decrypt(authenticator.data["secret"]), int(time.time()) // 30))


def last_text(phone: str = "") -> str:
    """The newest text message in the outbox, to one telephone or to any."""
    texts = SmsOutbox.objects.order_by("-id")
    return next(row.text for row in texts if not phone or row.phone == phone)


def last_code(phone: str = "") -> str:
    """The six digits in the newest text message."""
    found = re.search(r"[0-9]{6}", last_text(phone))
    assert found, "the newest text message holds no code"
    return found[0]


@pytest.fixture
def people(db) -> People:
    return make_people()
