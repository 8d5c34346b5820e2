"""F4: the portal against the model, step by step in an order that Hypothesis chooses, on the real database."""

import datetime
import itertools
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.errors import KeyReused, Refused
from family.actions import grants, sharing
from family.domain.check import Terms
from family.models import SharingGrant
from faults import checker, model, places, world
from faults.outcome import Outcome
from settlements import ledger
from settlements.actions import care, crediting, rollover, rollover_work
from settlements.models import Settlement

PEOPLE = [("60.37", "20.11", "0.00"), ("0.00", "40.05", "120.00"), ("15.50", "90.02", "0.00"), ("0.00", "5.00", "0.00")]
# From the beginning; more come and go.
SHARED = [(2, 0), (1, 0), (0, 3)]
BEGIN = world.BOUNDARY - datetime.timedelta(days=25)
numbers = st.integers(0, len(PEOPLE) - 1)
amounts = st.one_of(
    st.sampled_from([0, 1, 50, 9_999, 10_000, 10_001]), st.integers(0, 90_000), st.integers(0, 900)
).map(lambda fen: Decimal(fen) / 100)
limits = st.one_of(st.none(), st.integers(1, 9_000).map(lambda fen: Decimal(fen) / 100))
_keys = itertools.count(1)


class Portal(RuleBasedStateMachine):
    """Every rule does the same to the portal and to the model and compares the answers; every balance after each step."""

    @initialize()
    def begin(self) -> None:
        """One outer transaction that is rolled back, so that each example begins in the same world."""
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.people = [world.insure(*balances) for balances in PEOPLE]
        self.hospital = world.institution()
        self.model = model.Model(world.OPENED, {world.YEAR: world.RATES}, world.BASE)
        self.model.accounts = [model.Account(world.OPENED, *map(Decimal, balances)) for balances in PEOPLE]
        self.model.pass_days((BEGIN - world.OPENED).days)
        self.run = world.release_run()
        self.bills: list[tuple[Settlement, model.Bill, dict[str, Any]]] = []
        self.grants: list[tuple[SharingGrant, model.Grant]] = []
        for grantor, beneficiary in SHARED:
            grant = world.share(self.people[grantor], self.people[beneficiary])
            self.grants.append((grant, model.Grant(grantor, beneficiary)))
        self.model.grants = [grant for _, grant in self.grants]

    def teardown(self) -> None:
        """The books checked, then nothing of it stays."""
        if hasattr(self, "outer"):
            try:
                # After an error of the database nothing can be asked any more; the error itself is the finding.
                assert connection.needs_rollback or checker.books(self.today) == []
            finally:
                transaction.set_rollback(True)
                self.outer.__exit__(None, None, None)

    @property
    def today(self) -> datetime.date:
        return self.model.today

    # -- bills

    @rule(
        number=numbers, level=st.sampled_from(["primary", "tertiary"]), in_scope=amounts, pre=amounts, self_paid=amounts,
        account=st.sampled_from([True, True, True, False]), family=st.sampled_from([True, True, True, False]),
    )  # fmt: skip
    def settle(
        self, number: int, level: str, in_scope: Decimal, pre: Decimal, self_paid: Decimal, account: bool, family: bool
    ) -> None:
        asked = {
            "patient": self.people[number].member, "institution": self.hospital, "on": self.today,
            "bill": care.Bill(
                kind="outpatient", level=level, in_scope=in_scope, pre_self_pay=pre / 10, self_paid=self_paid / 10
            ) if (pre * 10 % 1, self_paid * 10 % 1) == (0, 0)
            else care.Bill(kind="outpatient", level=level, in_scope=in_scope),
            "use_account": account, "use_family": family,
        }  # fmt: skip
        quoted = care.quote(**asked)
        asked["key"] = f"model-{next(_keys)}"
        made = care.settle(**asked)
        bill = asked["bill"]
        expected = self.model.settle(number, level, bill.in_scope, bill.pre_self_pay, bill.self_paid, account, family)
        parts = ("fund", "deductible", "own_current", "own_historical", "shared", "cash")
        told = {part: getattr(made, part) for part in parts}
        own = [leg for leg in expected.legs if leg[0] == number]
        assert told == {
            "fund": expected.fund,
            "deductible": expected.deductible,
            "own_current": sum(leg[1] for leg in own),
            "own_historical": sum(leg[2] for leg in own),
            "shared": sum(amount for _, amount in expected.shared),
            "cash": expected.cash,
        }
        assert told == {part: getattr(quoted, part) for part in parts}, "a quote and its settlement differ"
        self.bills.append((made, expected, asked))

    @precondition(lambda self: getattr(self, "bills", None))
    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        """The same key with the same bill is the same settlement, whatever has happened since."""
        made, _, asked = data.draw(st.sampled_from(self.bills))
        assert care.settle(**asked).pk == made.pk

    @precondition(lambda self: getattr(self, "bills", None))
    @rule(data=st.data())
    def use_a_key_again(self, data: st.DataObject) -> None:
        """With another bill it is refused."""
        made, _, asked = data.draw(st.sampled_from(self.bills))
        other = care.Bill(kind="outpatient", level="primary", in_scope=made.in_scope + 1)
        try:
            care.settle(**{**asked, "bill": other})
        except KeyReused:
            return
        raise AssertionError("a key was taken for two bills")

    @precondition(lambda self: getattr(self, "bills", None))
    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        made, bill, _ = data.draw(st.sampled_from(self.bills))
        try:
            care.reverse(settlement=made, on=self.today, key=f"model-{next(_keys)}")
        except Refused as refusal:
            assert (refusal.code, bill.reversed) == ("duplicate", True)
            return
        assert not bill.reversed, "reversed a second time"
        self.model.reverse(bill)

    # -- money and time

    @rule(number=numbers)
    def credit(self, number: int) -> None:
        try:
            given = crediting.credit(enrolment=self.people[number].enrolment, every="month", on=self.today).current
        except Refused as refusal:
            assert refusal.code == "duplicate"
            given = None
        assert given == self.model.credit(number)

    @rule(days=st.sampled_from([1, 5, 24, 25, 26, 40, 365]))
    def pass_days(self, days: int) -> None:
        self.model.pass_days(days)

    @precondition(lambda self: hasattr(self, "run") and self.today >= world.BOUNDARY)
    @rule()
    def roll_some(self) -> None:
        """A chunk of the batch: some are rolled by it, others by the next movement, others only shown."""
        if self.run.state == "released":
            self.run = rollover.begin(run=self.run, at=world.at(self.today))
        rollover_work.roll_next(run_id=self.run.pk)

    # -- family

    @rule(pair=st.permutations(range(len(PEOPLE))), limit=limits)
    def bind(self, pair: list[int], limit: Decimal | None) -> None:
        grantor, beneficiary = pair[:2]
        bound = any(
            (grant.grantor, grant.beneficiary, grant.ended) == (grantor, beneficiary, False) for _, grant in self.grants
        )
        try:
            sharing.bind(
                grantor=self.people[grantor].member, beneficiary=self.people[beneficiary].member, relation="sibling",
                at=world.at(self.today), terms=Terms(limit=limit),
            )  # fmt: skip
        except Refused as refusal:
            assert bound or self._ended_today(grantor, beneficiary), f"refused: {refusal.code} {refusal.params}"
            return
        assert not bound, "bound a second time"
        grant = SharingGrant.objects.latest("pk")
        self.grants.append((grant, model.Grant(grantor, beneficiary, limit)))
        self.model.grants.append(self.grants[-1][1])

    def _ended_today(self, grantor: int, beneficiary: int) -> bool:
        return SharingGrant.objects.filter(
            grantor=self.people[grantor].member, beneficiary=self.people[beneficiary].member, ends_on=self.today
        ).exists()

    def _standing(self) -> list[tuple[SharingGrant, model.Grant]]:
        return [both for both in self.grants if not both[1].ended]

    @precondition(lambda self: hasattr(self, "grants") and self._standing())
    @rule(data=st.data())
    def unbind(self, data: st.DataObject) -> None:
        grant, expected = data.draw(st.sampled_from(self._standing()))
        grants.unbind(grant=grant, by=None, at=world.at(self.today))
        expected.ended = True

    @precondition(lambda self: hasattr(self, "grants") and self._standing())
    @rule(data=st.data(), limit=limits)
    def limit(self, data: st.DataObject, limit: Decimal | None) -> None:
        grant, expected = data.draw(st.sampled_from(self._standing()))
        grants.adjust(grant=grant, by=None, at=world.at(self.today), limit=limit)
        expected.limit = limit

    @precondition(lambda self: hasattr(self, "grants") and self._standing())
    @rule(data=st.data())
    def pause_or_resume(self, data: st.DataObject) -> None:
        grant, expected = data.draw(st.sampled_from(self._standing()))
        verb = grants.resume if expected.paused else grants.pause
        verb(grant=grant, by=None, at=world.at(self.today))
        expected.paused = not expected.paused

    @precondition(lambda self: hasattr(self, "grants") and self._standing())
    @rule(number=numbers, chance=st.randoms(use_true_random=False))
    def reorder(self, number: int, chance: Any) -> None:
        mine = [both for both in self._standing() if both[1].beneficiary == number]
        chance.shuffle(mine)
        ids = [grant.pk for grant, _ in mine]
        grants.reorder(
            beneficiary=self.people[number].member, grant_ids=ids, version=None, by=None, at=world.at(self.today)
        )
        self.model.order[number] = [grant for _, grant in mine]

    # -- what everybody sees

    @invariant()
    def balances(self) -> None:
        if hasattr(self, "people"):
            shown = ledger.balances([one.account.pk for one in self.people], self.today)
            seen = [shown[one.account.pk] for one in self.people]
            assert [(one.benefit_year, one.current, one.historical, one.debt) for one in seen] == [
                (model.year_of(self.today), one.current, one.historical, one.debt) for one in self.model.accounts
            ]


def play(examples: int, steps: int, *, shrink: bool = True, seed: bool = False) -> None:
    """AssertionError with the shortest way to a difference. `seed`: the same examples each time."""
    phases = [Phase.generate, *([Phase.shrink] if shrink else [])]
    run_state_machine_as_test(
        Portal,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, derandomize=seed, phases=phases,
            database=None, suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
        ),
    )  # fmt: skip


def against_model(examples: int = 60, steps: int = 40) -> Outcome:
    """Balances, answers and quotes as the model says, after every step."""
    places.fresh()
    world.region()
    world.institution()
    outcome = Outcome(f"{examples} stories of at most {steps} steps")
    try:
        play(examples, steps)
    except Exception as error:  # noqa: BLE001 - any difference is a finding
        notes = "; ".join(getattr(error, "__notes__", []))
        outcome.findings.append(f"{error!r} {notes}"[:3000])
    return outcome
