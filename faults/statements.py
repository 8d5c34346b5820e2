"""F3: the connection dies before the first statement, before the second, … before the COMMIT, and right after it."""

import datetime
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from unittest import mock

import psycopg
from django.db import Error, OperationalError, connection, transaction

from accounts.errors import Refused
from faults import checker, clients, places, world
from faults.outcome import Outcome
from faults.told import Line
from settlements.actions import leaving, premiums, rollover, rollover_work, wallet
from settlements.ledger import batch
from settlements.models import RolloverRun, WalletTransfer

TABLES = [
    "settlements_personalaccount", "settlements_entry", "settlements_ledgertransaction", "settlements_usage",
    "settlements_credit", "settlements_settlement", "settlements_settlementpayer", "settlements_rolloverchunk",
    "accounts_message", "accounts_enrolment", "accounts_auditevent", "family_sharinggrant", "settlements_clawback",
    "settlements_premiumpayment", "settlements_wallettransfer", "settlements_walletentry",
]  # fmt: skip
Counts = dict[str, int]


def terminate() -> None:
    """End this thread's session from another one, and wait until it is gone."""
    settings = connection.get_connection_params()
    pid = connection.connection.info.backend_pid
    names = {"dbname", "user", "password", "host", "port"}
    with psycopg.connect(**{name: settings[name] for name in names & settings.keys()}, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
        end = time.monotonic() + 10
        while other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone():
            if time.monotonic() > end:
                raise TimeoutError(f"session {pid} does not end")
            time.sleep(0.001)


class Killer:
    """Counts the statements of this connection, COMMIT included, and ends the session before the n-th of them.

    `after`: right after the COMMIT instead, before anybody hears of it.
    """

    def __init__(self, before: int = 0, *, after: bool = False) -> None:
        self.before, self.after, self.count, self.commits_at = before, after, 0, 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self._next()
        return execute(sql, params, many, context)

    def _next(self) -> None:
        self.count += 1
        if self.count == self.before:
            terminate()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While the block runs."""
        commit = connection._commit

        def killed() -> Any:
            self._next()
            done = commit()
            self.commits_at = self.count
            if self.after:
                terminate()
                raise OperationalError("the line is dead")
            return done

        with ExitStack() as stack:
            stack.enter_context(connection.execute_wrapper(self))
            stack.enter_context(mock.patch.object(connection, "_commit", killed))
            yield


def counts() -> Counts:
    """Rows a table, and a sum over the rows that change in place."""
    tables = [f"(SELECT count(*) FROM {table})" for table in TABLES]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {", ".join(tables)}, (SELECT coalesce(sum(version), 0) FROM settlements_personalaccount),
            (SELECT coalesce(sum(visits), 0) FROM settlements_rolloverchunk),
            (SELECT count(*) FROM settlements_settlement WHERE reversed_on IS NOT NULL),
            (SELECT coalesce((sum(amount) * 100)::bigint, 0) FROM settlements_usage)"""
        )
        return dict(zip([*TABLES, "versions", "visits", "reversed", "used"], map(int, cursor.fetchone()), strict=True))


def difference(before: Counts, after: Counts) -> Counts:
    """What came."""
    return {name: after[name] - before[name] for name in before if after[name] != before[name]}


@dataclass
class Act:
    """Something to be done many times to equal things: `prepare()` gives the next one, calling it does it.

    Its answer is without ids. Without a key (`keyed`) doing it again after the COMMIT is the next thing, not the same.
    """

    name: str
    prepare: Callable[[], Callable[[], Any]]
    keyed: bool = True


def try_each(act: Act) -> tuple[int, list[str]]:
    """Kill it before each statement and after the COMMIT; (how many places, what did not hold)."""
    # Once before, for what is read only the first time (rules, schemes) would be counted too.
    act.prepare()()
    counter = Killer()
    once, before = act.prepare(), counts()
    with counter.at_work():
        answer = once()
    # What a client reads after the COMMIT is not part of it.
    effect, places_ = difference(before, counts()), counter.commits_at
    found = [] if effect else [f"{act.name} has no effect"]
    for number in range(1, places_ + 2):
        killer = Killer(after=True) if number == places_ + 1 else Killer(number)
        found += [f"{act.name}, {_where(number, places_)}: {what}" for what in _try(act, killer, answer, effect)]
    return places_ + 1, found


def _where(number: int, places_: int) -> str:
    names = {places_: "before the COMMIT", places_ + 1: "after the COMMIT"}
    return names.get(number, f"before statement {number}")


def _try(act: Act, killer: Killer, answer: Any, effect: Counts) -> list[str]:
    again = act.prepare()
    before, found = counts(), []
    try:
        with killer.at_work():
            again()
        found.append("it was not killed")
    except Refused as refusal:
        found.append(f"a dead line was told as the refusal {refusal.code}")
    except Error:
        connection.close()
    came = difference(before, counts())
    if came != (effect if killer.after else {}):
        found.append(f"left behind {came}")
    if killer.after and not act.keyed:
        return found
    told = again()
    if told != answer:
        found.append(f"asked again, the answer is {told} and not {answer}")
    if difference(before, counts()) != effect:
        found.append(f"asked again, the effect is {difference(before, counts())} and not {effect}")
    return found


def _plain(answer: Line) -> Line:
    return {name: value for name, value in answer.items() if name != "settlement"} | {
        name: list(answer[name].values()) for name in ("payers", "returned") if name in answer
    }


def settling(on: Any = world.LAST_DAY) -> Act:
    """A bill that the patient and both relatives pay; on a later day than the boundary all three are rolled first."""
    hospital = world.institution()

    def prepare() -> Callable[[], Any]:
        patient = world.family(("60.37", "20.11"), ("0.00", "40.05"), ("15.50", "90.02"))[0]
        act = clients.settle_act(patient, hospital.pk, on, "361.55")
        return lambda: _plain(clients.settle(act))

    return Act("settlement" if on < world.BOUNDARY else "settlement in the new year", prepare)


def reversing() -> Act:
    """Its reversal in the next year: three legs back, one of them into another bucket."""
    hospital = world.institution()

    def prepare() -> Callable[[], Any]:
        patient = world.family(("60.37", "20.11"), ("0.00", "40.05"), ("15.50", "90.02"))[0]
        made = clients.settle(clients.settle_act(patient, hospital.pk, world.LAST_DAY, "361.55"))
        act = clients.reverse_act(made["settlement"], hospital.pk, world.BOUNDARY)
        return lambda: _plain(clients.reverse(act))

    return Act("reversal", prepare)


def crediting() -> Act:
    """A month's credit, of which a part repays a debt."""

    def prepare() -> Callable[[], Any]:
        act = clients.credit_act(world.insure("0.00", "10.00", "50.00"), world.BOUNDARY)
        return lambda: clients.credit(act)

    return Act("credit", prepare)


def refusing() -> Act:
    """A refusal, which is an answer too."""
    hospital = world.institution()

    def prepare() -> Callable[[], Any]:
        patient = world.insure("60.37", "20.11")
        type(patient.enrolment).objects.filter(pk=patient.enrolment.pk).update(status="closed")
        act = clients.settle_act(patient, hospital.pk, world.LAST_DAY, "361.55")

        def ask() -> str:
            try:
                return str(clients.settle(act))
            except Refused as refusal:
                return refusal.code

        return ask

    return Act("refusal", prepare)


def rolling(run: RolloverRun) -> Act:
    """A chunk of two accounts; the next one each time. The batch's one statement, with a COMMIT to be killed around it."""

    def prepare() -> Callable[[], Any]:
        def roll() -> Any:
            with transaction.atomic():
                visit = rollover_work.roll_next(run_id=run.pk)
            return (visit.accounts, visit.left) if isinstance(visit, batch.Visit) else visit

        return roll

    return Act("rollover chunk", prepare, keyed=False)


def paying_a_premium() -> Act:
    """A premium for a relative, from the own account."""

    def prepare() -> Callable[[], Any]:
        insured, payer = world.family(("0.00", "20.11"), ("0.00", "440.05"))
        premium = premiums.Premium(amount=Decimal("400.00"), year=2027, benefit_from=datetime.date(2027, 1, 1))
        facts = {"payer": payer.member, "insured": insured.member, "premium": premium, "on": world.LAST_DAY}
        key = uuid.uuid4().hex
        return lambda: premiums.pay(**facts, key=key).historical

    return Act("premium", prepare)


def giving_a_premium_back() -> Act:
    """The same back again; without a key, for a second time is refused by what stands on the payment."""

    def prepare() -> Callable[[], Any]:
        one = world.insure("0.00", "440.05")
        premium = premiums.Premium(amount=Decimal("400.00"), year=2027, benefit_from=datetime.date(2027, 1, 1))
        paid = premiums.pay(
            payer=one.member, insured=one.member, premium=premium, on=world.LAST_DAY, key=uuid.uuid4().hex
        )
        return lambda: premiums.refund(payment=paid, on=world.BOUNDARY).refunded_on

    return Act("premium given back", prepare, keyed=False)


def _with_wallets() -> tuple[world.Insured, world.Insured]:
    sender, receiver = world.insure("0.00", "440.05"), world.insure("0.00", "1.00")
    for one in (sender, receiver):
        wallet.open_wallet(member=one.member, by=None, at=world.at(world.LAST_DAY))
    return sender, receiver


def _send(sender: world.Insured, receiver: world.Insured, key: str) -> WalletTransfer:
    return wallet.transfer(
        sender=sender.member, receiver=receiver.member, amount=Decimal("99.99"), at=world.at(world.LAST_DAY), key=key
    )


def sending() -> Act:
    """From an account into somebody's wallet: on its way."""

    def prepare() -> Callable[[], Any]:
        sender, receiver = _with_wallets()
        key = uuid.uuid4().hex
        return lambda: str(_send(sender, receiver, key).state)

    return Act("wallet transfer", prepare)


def accepting() -> Act:
    """What was on its way arrives."""

    def prepare() -> Callable[[], Any]:
        sender, receiver = _with_wallets()
        sent = _send(sender, receiver, uuid.uuid4().hex)
        return lambda: str(wallet.accept(transfer=sent, at=world.at(world.LAST_DAY, 13)).state)

    return Act("wallet transfer accepted", prepare, keyed=False)


def _holder() -> world.Insured:
    """Somebody in whose wallet there is money."""
    sender, receiver = _with_wallets()
    wallet.accept(transfer=_send(sender, receiver, uuid.uuid4().hex), at=world.at(world.LAST_DAY, 13))
    return receiver


def _premium_of(amount: str) -> premiums.Premium:
    return premiums.Premium(amount=Decimal(amount), year=2027, benefit_from=datetime.date(2027, 1, 1))


def paying_out_of_the_wallet() -> Act:
    """One's own premium, out of what was transferred."""

    def prepare() -> Callable[[], Any]:
        one = _holder()
        facts = {"payer": one.member, "insured": one.member, "premium": _premium_of("40.00"), "on": world.LAST_DAY}
        key = uuid.uuid4().hex
        return lambda: premiums.pay(**facts, key=key, source="wallet").amount

    return Act("premium out of a wallet", prepare)


def giving_back_into_the_wallet() -> Act:
    """The same back again."""

    def prepare() -> Callable[[], Any]:
        one = _holder()
        facts = {"payer": one.member, "insured": one.member, "premium": _premium_of("40.00"), "on": world.LAST_DAY}
        paid = premiums.pay(**facts, key=uuid.uuid4().hex, source="wallet")
        return lambda: premiums.refund(payment=paid, on=world.BOUNDARY).refunded_on

    return Act("premium back into a wallet", prepare, keyed=False)


def leaving_the_insurance() -> Act:
    """A credited month goes back as far as it is there, the enrolment is closed, grants end."""

    def prepare() -> Callable[[], Any]:
        one, _ = world.family(("0.00", "20.11"), ("0.00", "440.05"))
        clients.credit(clients.credit_act(one, world.LAST_DAY))
        on = world.LAST_DAY - 40 * world.DAY
        return lambda: leaving.leave(enrolment=one.enrolment, why="moved", on=on, at=world.at(world.LAST_DAY))

    return Act("leaving", prepare)


def begin_run(accounts: int = 40) -> RolloverRun:
    """A run with chunks of two equal accounts."""
    from django.conf import settings

    for _ in range(accounts):
        world.insure("30.01", "700.00", "1.00")
    with mock.patch.object(settings, "ROLLOVER_CHUNK_SIZE", 2):
        return rollover.begin(run=world.release_run(), at=world.at(world.BOUNDARY))


def try_all() -> Outcome:
    """Every act in turn, on the database as it stands."""
    run = begin_run()
    tried, found = [], []
    acts = [settling(), settling(world.BOUNDARY), reversing(), crediting(), refusing()]
    acts += [paying_a_premium(), giving_a_premium_back(), sending(), accepting()]
    acts += [paying_out_of_the_wallet(), giving_back_into_the_wallet(), leaving_the_insurance()]
    for act in [rolling(run), *acts]:
        number, what = try_each(act)
        tried.append(f"{act.name} {number}")
        found += what
    found += checker.books(world.BOUNDARY + 40 * world.DAY)
    return Outcome(f"killed at each of the statements: {', '.join(tried)}", found)


def each_statement() -> Outcome:
    """All or nothing at each place, and the retry heals."""
    places.fresh()
    return try_all()
