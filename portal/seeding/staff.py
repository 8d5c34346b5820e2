"""Who works here: one or two for each role, each with a second factor whose code the demo page shows."""

import datetime

from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.contrib.auth.hashers import make_password

from accounts import clock
from accounts.actions import users
from accounts.enums import Role
from accounts.models import Region, RoleAssignment, ServiceCentre, User

PASSWORD = "Ginkgo-leaf-2026"
SYSTEM_ADMIN = ("s0001", "何明远")
# Work number, name, role, regions.
STAFF = [
    ("a0001", "严清", Role.AUDITOR, [None]),
    ("r0001", "顾怀瑾", Role.REGION_ADMIN, ["310000", "110000", "210100", "410100"]),
    ("r0002", "秦立成", Role.REGION_ADMIN, ["310000", "110000", "210100", "410100"]),
    ("w3101", "陆可心", Role.CLERK, ["310000"]),
    ("w3102", "谭思源", Role.SUPERVISOR, ["310000"]),
    ("w1101", "白雅静", Role.CLERK, ["110000"]),
    ("w1102", "石文博", Role.SUPERVISOR, ["110000"]),
    ("w2101", "关玉梅", Role.CLERK, ["210100"]),
    ("w2102", "佟志强", Role.SUPERVISOR, ["210100"]),
    ("w4101", "卢素芳", Role.CLERK, ["410100"]),
    ("w4102", "申宏伟", Role.SUPERVISOR, ["410100"]),
]


def make(at: datetime.datetime) -> None:
    """The first administrator is made by hand, as on a new installation; he lets in all the others."""
    # One hash for all: hashing each takes as long as a month of bills.
    password = make_password(PASSWORD)
    first = _login(*SYSTEM_ADMIN, password, at)
    RoleAssignment.objects.create(user=first, role=Role.SYSTEM_ADMIN)
    for username, name, role, regions in STAFF:
        user = _login(username, name, password, at)
        for code in regions:
            region = Region.objects.get(pk=code) if code else None
            desk = role in (Role.CLERK, Role.SUPERVISOR)
            centre = ServiceCentre.objects.filter(region=region).first() if desk else None
            users.grant_role(user=user, role=role, by=first, at=at, region=region, centre=centre)


def _login(username: str, name: str, password: str, at: datetime.datetime) -> User:
    # The password is of today, whenever the login was made: the demo does not begin with a new one.
    user = User.objects.create(
        username=username, password=password, display_name=name, is_staff=True, password_set_at=clock.now()
    )
    users.set_up_second_factor(user=user, secret=generate_totp_secret(), by=user, at=at)
    return user


def clerk(region: str) -> User:
    """The clerk of a region."""
    return _of(Role.CLERK, region)


def supervisor(region: str) -> User:
    """Who checks what the clerk did."""
    return _of(Role.SUPERVISOR, region)


def _of(role: str, region: str) -> User:
    return User.objects.get(username=next(name for name, _, has, where in STAFF if has == role and where == [region]))
