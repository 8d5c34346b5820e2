"""Whether the time of an answer tells what the answer does not: that somebody has a login, a record, or is there."""

import time
from collections.abc import Callable, Iterator

from django.test import Client
from django.test.utils import override_settings

from accounts.actions import users
from accounts.domain import id_number
from accounts.enums import IdentityLevel
from accounts.models import Member, User
from accounts.once import new_token
from benchmarks import measure, world
from benchmarks.measure import Line
from benchmarks.pages import PLAIN_FILES

PASSWORD = "not-the-one-of-2026"
# What an onlooker can tell apart within a few hundred tries.
ALIKE = 1.1
Ask = Callable[[int], int]


def measure_alike() -> Iterator[Line]:
    """Each question twice in turn, once about somebody who is there and once about nobody; the ratio of the medians."""
    world.fresh(measure.FEW)
    people, unclaimed = _people(), _unclaimed()
    # One telephone gets a code a minute: every try has one of its own. The limits would answer for the portal.
    with override_settings(STORAGES=PLAIN_FILES, ACCOUNT_RATE_LIMITS=False):
        for what, there, nobody in _questions(people, unclaimed):
            yield Line("alike", what, _ratio(there, nobody), "x", most=ALIKE)


def _ratio(there: Ask, nobody: Ask) -> float:
    taken: tuple[list[float], list[float]] = ([], [])
    statuses = set()
    for number in range(measure.SAMPLES):
        for ask, times in zip((there, nobody), taken, strict=True):
            begun = time.perf_counter()
            statuses.add(ask(number))
            # The first one warms templates up.
            if number:
                times.append(time.perf_counter() - begun)
    if len(statuses) != 1 or 400 in statuses:
        raise RuntimeError(f"told apart by the status alone, or not asked rightly: {statuses}")
    medians = sorted(map(measure.median, taken))
    return medians[1] / medians[0]


def _questions(people: list[User], unclaimed: list[Member]) -> Iterator[tuple[str, Ask, Ask]]:
    def post(address: str, **data: str) -> int:
        return Client().post(address, data).status_code

    def login(phone: str) -> int:
        return post("/login/", login=phone, password=PASSWORD)

    def phone(number: int, ending: int) -> str:
        return f"139{ending}{number:07d}"

    def forgotten(number: int, of: str) -> int:
        return post("/password/forgotten/", id_number=people[number].member.id_number, phone=of)

    def claim(member: Member, card: str, of: str) -> int:
        return post("/claim/", name=member.name, id_number=member.id_number, card_number=card, phone=of)

    def relative(number: int, of: str) -> int:
        client = Client()
        client.force_login(people[number])
        told = {"name": "无此名", "id_number": of, "relation": "sibling", "token": new_token()}
        return client.post("/family/bind/", told).status_code

    def absent(number: int) -> str:
        return id_number.make("659001", unclaimed[0].birth, number)

    yield "login, wrong password / no login", lambda n: login(people[n].phone), lambda n: login(phone(n, 0))
    texts = [lambda n: post("/login/text/", phone=people[n].phone), lambda n: post("/login/text/", phone=phone(n, 1))]
    yield "code by text, a login's / nobody's telephone", *texts
    resets = [lambda n: forgotten(n, people[-1 - n].phone), lambda n: forgotten(n, phone(n, 2))]
    yield "forgotten password, another's / nobody's telephone", *resets
    claims = [
        lambda n: claim(unclaimed[n], f"BENCH{n:06d}", phone(n, 3)),
        lambda n: claim(unclaimed[-1 - n], "BENCH-WRONG", phone(n, 4)),
    ]
    yield "claim, fits / does not", *claims
    found = [lambda n: relative(n, unclaimed[n].id_number), lambda n: relative(n, absent(n))]
    yield "relative, another name / nobody", *found


def _people() -> list[User]:
    """Logins with passwords, one telephone each."""
    made = []
    for account in world.some_accounts(2 * measure.SAMPLES):
        user = users.new_login(account.member, f"136{account.pk % 10**8:08d}")
        user.identity_level = IdentityLevel.VERIFIED
        made.append(user)
    made[0].set_password("Ginkgo-leaf-2026")
    for user in made:
        user.password = made[0].password
        user.save()
    return made


def _unclaimed() -> list[Member]:
    """People of the register without a login."""
    found = list(Member.objects.filter(user=None).order_by("pk")[: 2 * measure.SAMPLES])
    for number, member in enumerate(found):
        member.card_number, member.phone = f"BENCH{number:06d}", None
        member.save()
    return found
