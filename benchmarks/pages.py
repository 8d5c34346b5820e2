"""4: what a citizen opens most, and a statement on paper: milliseconds and queries, with few and with many accounts."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from accounts.actions import users
from accounts.clock import today
from accounts.enums import IdentityLevel
from accounts.models import Institution, User
from benchmarks import measure, world
from benchmarks.measure import Line
from settlements.actions import care

BILLS = 12
PLAIN_FILES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
PAGES: dict[str, Callable[[Client], HttpResponse]] = {
    "home page": lambda client: client.get("/"),
    "movements page": lambda client: client.get("/account/"),
    "statement PDF": lambda client: client.post("/account/statement/file/", {"period": "quarter", "as": "pdf"}),
}


@dataclass
class Seen:
    """Milliseconds and numbers of queries of one page, a request each."""

    milliseconds: list[float] = field(default_factory=list)
    queries: set[int] = field(default_factory=set)


def measure_pages() -> Iterator[Line]:
    """Each page for people with a dozen bills."""
    found: dict[int, dict[str, Seen]] = {}
    for _round in range(measure.ROUNDS):
        for size in dict.fromkeys([measure.FEW, measure.MANY]):
            _at(size, found.setdefault(size, {page: Seen() for page in PAGES}))
    for page in PAGES:
        for size, seen in found.items():
            yield Line("pages", f"{page}, {size:,} accounts, median", measure.median(seen[page].milliseconds), "ms")
            yield Line("pages", f"{page}, {size:,} accounts, p95", measure.p95(seen[page].milliseconds), "ms")
        few, many = found[measure.FEW][page], found[measure.MANY][page]
        yield measure.flat("pages", page, measure.median(few.milliseconds), measure.median(many.milliseconds))
        queries = few.queries | many.queries
        yield Line("pages", f"{page}, queries", max(queries), "queries")
        yield Line("pages", f"{page}, most less fewest", max(queries) - min(queries), "queries", most=0)


def _at(size: int, seen: dict[str, Seen]) -> None:
    world.fresh(size)
    people = _people()
    with override_settings(STORAGES=PLAIN_FILES):
        for user in people:
            client = Client()
            client.force_login(user)
            for page, ask in PAGES.items():
                with CaptureQueriesContext(connection) as captured:
                    begun = time.perf_counter()
                    answer = ask(client)
                    taken = (time.perf_counter() - begun) * 1000
                if answer.status_code != 200:
                    raise RuntimeError(f"{page}: {answer.status_code}")
                # The first person warms templates and fonts up.
                if user is not people[0]:
                    seen[page].milliseconds.append(taken)
                    seen[page].queries.add(len(captured))


def _people() -> list[User]:
    """People with a login and a dozen bills each."""
    institution = Institution.objects.get(code="H31010100001")
    found = []
    for account in world.some_accounts(measure.SAMPLES + 1):
        user = users.new_login(account.member, f"136{account.pk % 10**8:08d}")
        user.identity_level = IdentityLevel.VERIFIED
        user.set_unusable_password()
        user.save()
        found.append(user)
        for number in range(BILLS):
            bill = care.Bill(kind="outpatient", level=institution.level, in_scope=Decimal(40 + number))
            key = f"page-{account.pk}-{number}"
            care.settle(patient=account.member, institution=institution, bill=bill, on=today(), key=key)
    return found
