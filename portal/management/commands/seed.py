"""Fill an empty database with invented people and a year of their lives."""

import os
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from accounts import clock
from accounts.actions import audit
from accounts.enums import Channel
from accounts.models import AuditEvent, Member, Region, SmsOutbox
from portal.seeding import (
    cases,
    claims,
    closings,
    institutions,
    keys,
    offices,
    paying,
    plan,
    recalculation,
    reconciling,
    register,
    scale,
    staff,
    year,
)

DEFAULT_MEMBERS = 2000
# Above this the year is lived by so many people, and the rest is copied in with an opening balance each.
MOST_LIVED = 20_000
DONE = "demo_seeded"
READ_AFTER_DAYS = 20
# Settling tells the grantor at the moment it happens; here that was on the day of the bill.
TOLD_ON_THE_DAY = """
UPDATE accounts_message SET created_at = ((params->>'used_on')::date + time '16:00') AT TIME ZONE 'Asia/Shanghai'
WHERE kind = 'shared_use'
"""
READ_LONG_AGO = "UPDATE accounts_message SET read_at = created_at + interval '1 day' WHERE created_at < %s"


class Command(BaseCommand):
    help = "Fill an empty database with invented people, a year of credits and bills, and cases at every stage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--members", type=int, default=DEFAULT_MEMBERS, help="about how many people (2000)")
        parser.add_argument("--seed", type=int, default=1, help="another number gives other people (1)")
        parser.add_argument("--if-empty", action="store_true", help="do nothing where there are people already")
        parser.add_argument("--processes", type=int, default=min(4, os.cpu_count() or 2), help="how many work at once")

    def handle(self, *, members: int, seed: int, if_empty: bool, processes: int, **options: Any) -> None:
        if Member.objects.exists():
            self.leave_alone(if_empty)
            return
        if members < 1 or processes < 1:
            raise CommandError("--members and --processes must be at least 1.")
        begun = time.monotonic()

        def say(text: str) -> None:
            self.stdout.write(f"  {time.monotonic() - begun:6.1f} s  {text}")
            self.stdout.flush()

        if not Region.objects.exists():
            call_command("load_regions", stdout=self.stdout)
        self.seed(members, seed, processes, say)
        say("done")

    def leave_alone(self, if_empty: bool) -> None:
        """People are there. Half a population is worse than none: whoever was interrupted must know."""
        if not AuditEvent.objects.filter(action=DONE).exists():
            raise CommandError("People are there, but not all of them: begin again with make demo ARGS=--fresh")
        if not if_empty:
            raise CommandError("There are people already. make demo ARGS=--fresh throws them away and begins again.")
        self.stdout.write("  people are there already")
        # A demo that was filled before there were keys gets them now.
        keys.make()

    def seed(self, members: int, seed: int, processes: int, say: year.Say) -> None:
        today = clock.today()
        start = year.first_day(today)
        lived = members if members <= MOST_LIVED else DEFAULT_MEMBERS
        families = plan.families(lived, seed, start, today)
        bills = sum(len(family.visits) for family in families)
        people = sum(len(family.people) for family in families)
        say(f"planned: {people} people in {len(families)} families, {bills} bills")
        institutions.make()
        keys.make(cases.at(start, 8))
        staff.make(cases.at(start.replace(year=start.year - 1), 8))
        register.write(families, start)
        say("registered: people, logins, staff, institutions, catalogue")
        year.live(families, start, today, processes, say)
        if members > lived:
            scale.copy(members - people, seed, today.replace(day=1), processes, say)
        year.plan_coming_year(today)
        # So that no list of the demo stands empty. In the order of their days, which is that of movements in their lists.
        now = clock.now()
        for make in (claims.make, paying.came_back, reconciling.make, paying.make, closings.make, recalculation.make):
            make(now)
        offices.make(now)
        say("bills paid in cash, closings, uploads, a draft of rules, a reconciliation")
        self.finish(today)

    def finish(self, today: Any) -> None:
        """What was sent in the past has arrived, and old messages have been read."""
        with connection.cursor() as cursor:
            cursor.execute(TOLD_ON_THE_DAY)
            cursor.execute(READ_LONG_AGO, [cases.at(today, 0) - READ_AFTER_DAYS * year.DAY])
        now = clock.now()
        SmsOutbox.objects.filter(state=SmsOutbox.State.WAITING).update(state=SmsOutbox.State.SENT, sent_at=now)
        audit.record(action=DONE, by=None, at=now, channel=Channel.SYSTEM)
        with connection.cursor() as cursor:
            # Statistics for the planner now, not when autovacuum gets round to it.
            cursor.execute("ANALYZE")
