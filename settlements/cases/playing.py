"""Playing a case through the real actions, in one outer transaction with a savepoint a step, and rolled back at the end."""

import datetime
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Min

from accounts import clock
from accounts.domain.benefit_year import start_of, year_of
from accounts.enums import InstitutionKind
from accounts.errors import Refused
from accounts.models import BenefitYear, Enrolment, Institution, Member, Region
from accounts.money import ZERO, plain
from accounts.queries import enrolment_on
from family.actions import grants, sharing
from family.models import SharingGrant
from family.queries import who_shares_with
from settlements import ledger
from settlements.actions import care, claims, crediting, leaving, premiums, wallet
from settlements.actions.opening import open_account
from settlements.actions.regions import file_hash, load, region_files
from settlements.actions.rollover import boundary_of
from settlements.cases.reading import REASONS, BadCase, CaseMember, CaseStep, ScenarioCase
from settlements.domain.scheme import DeductibleStage, RateStage
from settlements.domain.wallet import SHANGHAI
from settlements.ledger.batch import roll_chunk
from settlements.models import PersonalAccount, RolloverChunk, RolloverRun, Settlement, Usage, WalletTransfer
from settlements.queries import premiums as premium_queries
from settlements.queries.parameters import scheme_on

LONG_AGO = datetime.date(1900, 1, 1)
Given = dict[str, Any]


class BrokenStep(Exception):
    """A step that ended neither in figures nor in a refusal: a fault of the portal."""


class _Undo(Exception):
    """Leaves the transaction without a trace."""


def play(case: ScenarioCase) -> tuple[list[Given], dict[str, dict[str, str]]]:
    """Play a case; returns what each step gave ({"refused": code}, {"not_built": verb}) and everybody's balances."""
    result: tuple[list[Given], dict[str, dict[str, str]]] = ([], {})
    try:
        with transaction.atomic():
            player = _Player(case)
            result = [player.play(number, step) for number, step in enumerate(case.steps, 1)], player.balances()
            raise _Undo
    except _Undo:
        return result


class _Player:
    def __init__(self, case: ScenarioCase) -> None:
        self.case = case
        self.first_on = min((step.on for step in case.steps), default=LONG_AGO)
        self.last_on = max((step.on for step in case.steps), default=LONG_AGO)
        self.regions = _regions(_named_regions(case))
        self.region = self.regions[case.region]
        self._need_years()
        self.members: dict[str, Member] = {}
        self.enrolments: dict[str, Enrolment] = {}
        self.accounts: dict[str, int] = {}
        self.visits: dict[str, Settlement] = {}
        self.transfers: dict[str, WalletTransfer] = {}
        self.stopped: set[str] = set()
        self.returned: set[int] = set()
        self.institutions: dict[tuple[str, str], int] = {}
        for name, member in case.members.items():
            self._enrol(name, member)
        self.names = {account: name for name, account in self.accounts.items()}
        for place, grant in enumerate(case.grants):
            self._grant(place, grant)
        self._release_runs()

    # The world at the start

    def _need_years(self) -> None:
        firsts = BenefitYear.objects.filter(region__in=self.regions).values("region").annotate(on=Min("starts_on"))
        for region, first in firsts.values_list("region", "on"):
            if self.first_on < first:
                raise BadCase(f"step 1: on {self.first_on} is before the first benefit year of {region}, {first}")

    def _enrol(self, name: str, member: CaseMember) -> None:
        person = Member.objects.create(name=name, id_number=f"case {uuid.uuid4()}", birth=member.birth, sex="F")
        self.members[name] = person
        if member.insurance == "employee" or member.current or member.historical:
            # Who has money and is no employee was one: the account stays his.
            self.accounts[name] = open_account(
                member=person,
                region_id=member.region,
                on=self.first_on,
                current=member.current,
                historical=member.historical,
            ).pk
        if member.insurance == "none":
            return
        self.enrolments[name] = Enrolment.objects.create(
            member=person,
            region=Region.objects.get(code=member.region),
            insurance=member.insurance,
            status=member.enrolment,
            personal_status=member.status,
            retired_on=member.retired_on,
            base=member.base,
            valid_from=LONG_AGO,
        )
        year = year_of(crediting.years_of(self.enrolments[name].region), self.first_on)
        Usage.objects.bulk_create(
            Usage(member=person, benefit_year=year, counter=counter, amount=member.used[word])
            for word, counter in self._counters(member).items()
            if word in member.used
        )

    def _counters(self, member: CaseMember) -> dict[str, str]:
        """What the words of the format (deductible, fund, in_scope) are called in the region's outpatient scheme."""
        names = {word: word for word in ("deductible", "fund", "in_scope")}
        try:
            scheme = scheme_on(member.region, member.insurance, "outpatient", self.first_on).scheme
        except Refused:
            return names
        for stage in reversed(scheme.stages):
            if isinstance(stage, DeductibleStage) and stage.scope == "year":
                names["deductible"] = stage.counter
            elif isinstance(stage, RateStage):
                names |= {"fund": stage.counter} | ({"in_scope": stage.axis_counter} if stage.axis_counter else {})
        return names

    def _grant(self, place: int, grant: Any) -> None:
        # In force at the start: whatever a step binds on the same day, at noon or earlier, is bound after it.
        start = datetime.datetime.combine(grant.bound_on, datetime.time(0), SHANGHAI)
        SharingGrant.objects.create(
            grantor=self.members[grant.grantor],
            beneficiary=self.members[grant.beneficiary],
            # As binding would have it: the rules of a grant are those of its grantor (decision 0008).
            region=self.regions[self.case.members[grant.grantor].region],
            relation=grant.relation,
            uses_care="pay" in grant.uses,
            uses_premium="premium" in grant.uses,
            limit=grant.limit,
            bound_at=start + datetime.timedelta(microseconds=place),
            starts_on=grant.bound_on,
        )

    def _release_runs(self) -> None:
        """Every rollover of the case counts as released, with its rates, before its boundary."""
        RolloverRun.objects.filter(region__in=self.regions).update(state="cancelled")
        self.runs: dict[tuple[str, int], RolloverRun] = {}
        for step in self.case.steps:
            if step.verb == "roll_over" and self._run_key(step) not in self.runs:
                rates = step.fields.get("interest", {})
                self.runs[self._run_key(step)] = RolloverRun.objects.create(
                    region=self.regions[self._region_of(step)],
                    year=step.fields["year"],
                    state="running",
                    current_rate=rates.get("current_rate", ZERO),
                    historical_rate=rates.get("historical_rate", ZERO),
                    planned_at=self.case.steps[0].at,
                    released_at=self.case.steps[0].at,
                )

    def _region_of(self, step: CaseStep) -> str:
        """The case's region, or the one that the step names instead."""
        return step.region or self.case.region

    def _run_key(self, step: CaseStep) -> tuple[str, int]:
        return self._region_of(step), step.fields["year"]

    # Steps

    def play(self, number: int, step: CaseStep) -> Given:
        """What a step gave; if it breaks, what is raised says which it was."""
        try:
            return self.step(step)
        except Exception as error:
            first, *_rest = str(error).splitlines() or [""]
            raise BrokenStep(f"step {number}: {type(error).__name__}: {first}") from error

    def step(self, step: CaseStep) -> Given:
        verb: Callable[[CaseStep], Given] | None = getattr(self, f"_{step.verb}", None)
        if verb is None:
            return {"not_built": step.verb}
        try:
            with clock.standing(step.at), transaction.atomic():
                given = verb(step)
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                return given
        except Refused as refusal:
            # A reason of the portal's own tells another program nothing: it knows those of the format.
            return {"refused": refusal.code if refusal.code in REASONS else "not_permitted"}

    def _visit(self, step: CaseStep) -> Given:
        patient, institution, bill = self._bill(step)
        settlement = care.settle(patient=patient, institution=institution, bill=bill, on=step.on, key=str(uuid.uuid4()))
        return self._settled(step.fields, settlement)

    def _file_claim(self, step: CaseStep) -> Given:
        patient, institution, bill = self._bill(step)
        settlement = claims.file_claim(
            patient=patient,
            institution=institution,
            bill=bill,
            filed_on=step.on,
            on=step.on,
            key=str(uuid.uuid4()),
        )
        return self._settled(step.fields, settlement)

    def _bill(self, step: CaseStep) -> tuple[Member, Institution, care.Bill]:
        fields = step.fields
        name = fields["patient"]
        bill = care.Bill(
            kind=fields["kind"],
            level=fields.get("level", "primary"),
            in_scope=fields["in_scope"],
            pre_self_pay=fields.get("pre_self_pay", ZERO),
            self_paid=fields.get("self_paid", ZERO),
            service_on=fields.get("service_on"),
            signed=fields.get("signed", self.case.members[name].signed_institution),
        )
        return self.members[name], self._institution(step), bill

    def _settled(self, fields: Mapping[str, Any], settlement: Settlement) -> Given:
        if "name" in fields:
            self.visits[fields["name"]] = settlement
        shared: dict[str, Decimal] = {}
        for payer in settlement.payers.exclude(grant=None):
            shared[self.names[payer.account_id]] = payer.historical + payer.current
        return {
            "fund": plain(settlement.fund),
            "current": plain(settlement.own_current),
            "historical": plain(settlement.own_historical),
            "shared": {payer: plain(amount) for payer, amount in shared.items()},
            # Cases know no wallet at a bill; it is what the patient pays out of his own pocket.
            "cash": plain(settlement.cash + settlement.wallet),
            "deductible": plain(settlement.deductible),
            "supplement": plain(settlement.supplement),
        }

    def _institution(self, step: CaseStep) -> Institution:
        """The institution of a name, made anew where the step that made it was undone; one where no step names any."""
        name, region = step.fields.get("institution", ""), self._region_of(step)
        number = self.institutions.setdefault((region, name), len(self.institutions))
        institution, _ = Institution.objects.get_or_create(
            code=f"CASE-{number}",
            defaults={
                "name": (name or "-")[:80],
                "region": self.regions[region],
                "kind": InstitutionKind.PHARMACY if step.fields["kind"] == "pharmacy" else InstitutionKind.HOSPITAL,
            },
        )
        return institution

    def _reverse(self, step: CaseStep) -> Given:
        visit = self.visits.get(step.fields["visit"])
        if visit is None:
            raise Refused("not_permitted")
        back = care.reverse(settlement=visit, on=step.on, key=str(uuid.uuid4()))
        return {
            "returned": {
                self.names[account]: {"current": plain(current), "historical": plain(historical)}
                for account, (current, historical) in back.items()
            }
        }

    def _roll_over(self, step: CaseStep) -> Given:
        run = self.runs[self._run_key(step)]
        boundary = boundary_of(run)
        if boundary is None or step.on < boundary:
            raise Refused("year_not_over")
        self._bring_back_before(boundary)
        accounts = sorted(
            account for name, account in self.accounts.items() if self.case.members[name].region == run.region_id
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(id), 0) FROM settlements_ledgertransaction")
            before = cursor.fetchone()[0]
        if accounts:
            chunk = RolloverChunk.objects.create(
                run=run, number=run.chunks.count() + 1, first_id=accounts[0], last_id=accounts[-1]
            )
            roll_chunk(chunk.pk)
        moved, interest = (self._rolled(before, kind) for kind in ("rollover", "interest"))
        return {"moved": moved, "interest": interest}

    def _bring_back_before(self, boundary: datetime.date) -> None:
        """What nobody accepted is back each morning; the year's last morning is long over when the year is closed."""
        year_end = datetime.datetime.combine(boundary, datetime.time(0), SHANGHAI) - datetime.timedelta(microseconds=1)
        with clock.standing(year_end):
            for sent in self.transfers.values():
                wallet.return_overdue(at=year_end, only=sent.pk)

    def _rolled(self, after: int, kind: str) -> dict[str, str]:
        """Name -> yuan that entries of a kind brought since a transaction, before what a debt took of them.

        An account behind counts all its years.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT account_id, sum(historical_delta - debt_delta)
                FROM settlements_entry WHERE transaction_id > %s AND kind = %s AND account_id = ANY(%s)
                GROUP BY account_id
                """,
                [after, kind, list(self.names)],
            )
            return {self.names[account]: plain(amount) for account, amount in cursor.fetchall() if amount}

    def _credit(self, step: CaseStep) -> Given:
        name = step.fields["member"]
        enrolment = self._enrolment(name, step.on)
        # In a case a later credit of the year is what tells that somebody has come back.
        if step.fields["for"] == crediting.YEAR and self._comes_back(name, enrolment.region, step.on):
            enrolment = leaving.rejoin(enrolment=enrolment, on=step.on, at=step.at)
        before = self._version(name)
        credited = crediting.credit(enrolment=enrolment, every=step.fields["for"], on=step.on)
        # The action gives the same request of a day its first answer again; in a case each step is an attempt of its own.
        if self._version(name) == before and (credited.current or credited.historical):
            raise Refused("duplicate")
        if step.fields["for"] == crediting.YEAR:
            self.stopped.discard(name)
        return {"current": plain(credited.current), "historical": plain(credited.historical)}

    def _comes_back(self, name: str, region: Region, on: datetime.date) -> bool:
        """Whoever stopped in the case does with a credit for a year; who was suspended before it, within the year alone."""
        years = crediting.years_of(region)
        within = on > start_of(years, year_of(years, on))
        return name in self.stopped or self.case.members[name].enrolment == "suspended" and within

    def _version(self, name: str) -> int | None:
        return PersonalAccount.objects.filter(pk=self.accounts.get(name)).values_list("version", flat=True).first()

    def _leave(self, step: CaseStep) -> Given:
        name, why = step.fields["member"], step.fields["why"]
        before = self._version(name)
        left = leaving.leave(enrolment=self._enrolment(name, step.on), why=why, on=step.on, at=step.at)
        if left.clawback and self._version(name) == before:
            raise Refused("duplicate")
        if why == leaving.STOPPED:
            self.stopped.add(name)
        return {"clawback": plain(left.clawback)}

    def _enrolment(self, name: str, on: datetime.date) -> Enrolment:
        """How somebody of the case is insured on a day. Raises Refused: not_insured."""
        enrolment = enrolment_on(self.members[name], on)
        if enrolment is None:
            raise Refused("not_insured")
        return enrolment

    def _bind(self, step: CaseStep) -> Given:
        outcome = sharing.bind(
            grantor=self.members[step.fields["grantor"]],
            beneficiary=self.members[step.fields["beneficiary"]],
            relation=step.fields["relation"],
            by=None,
            at=step.at,
        )
        if outcome == "bound":
            self._for_both_uses(step)
        return {"bound": outcome == "bound", "consent": outcome != "bound"}

    def _for_both_uses(self, step: CaseStep) -> None:
        """A case binds for care and for premiums, as its grants do; whether the region offers one of them is asked on the
        day of the use. The register binds for what is offered on the day of binding."""
        SharingGrant.objects.filter(
            grantor=self.members[step.fields["grantor"]],
            beneficiary=self.members[step.fields["beneficiary"]],
            ends_on=None,
        ).update(uses_care=True, uses_premium=True)

    def _unbind(self, step: CaseStep) -> Given:
        grant = (
            SharingGrant.objects.filter(
                grantor=self.members[step.fields["grantor"]],
                beneficiary=self.members[step.fields["beneficiary"]],
                starts_on__lte=step.on,
            )
            .exclude(ends_on__lte=step.on)
            .first()
        )
        if grant is None:
            raise Refused("not_permitted")
        ended = grants.unbind(grant=grant, by=None, at=step.at)
        return {"effective": ended.ends_on.isoformat()}

    def _reorder(self, step: CaseStep) -> Given:
        beneficiary = self.members[step.fields["beneficiary"]]
        held = {grant.grantor_id: grant.pk for grant in who_shares_with(beneficiary, step.on)}
        wanted = [held.get(self.members[name].pk) for name in step.fields["order"]]
        if None in wanted:
            raise Refused("not_permitted")
        grants.reorder(beneficiary=beneficiary, grant_ids=wanted, version=None, by=None, at=step.at)
        names = {member.pk: name for name, member in self.members.items()}
        return {"order": [names[grant.grantor_id] for grant in who_shares_with(beneficiary, step.on)]}

    def _premium(self, step: CaseStep) -> Given:
        """The amount is taken as given; the year is the one that is paid for on that day."""
        fields = step.fields
        if not fields["amount"]:
            raise Refused("amount_too_small")
        payer, insured = self.members[fields["payer"]], self.members[fields["for"]]
        year, benefit_from, buckets = premium_queries.year_paid_on(self.case.members[fields["payer"]].region, step.on)
        premium = premiums.Premium(amount=fields["amount"], year=year, benefit_from=benefit_from, buckets=buckets)
        payment = premiums.pay(payer=payer, insured=insured, premium=premium, on=step.on, key=str(uuid.uuid4()))
        paid = {"current": plain(payment.current), "historical": plain(payment.historical)}
        return {"paid": {fields["payer"]: paid}}

    def _transfer(self, step: CaseStep) -> Given:
        """From the personal account; somebody without one sends from his wallet. Wallets are opened as they are needed."""
        fields = step.fields
        sender, receiver = self.members[fields["from"]], self.members[fields["to"]]
        wallet.open_wallet(member=sender, by=None, at=step.at)
        sent = wallet.transfer(
            sender=sender,
            receiver=receiver,
            amount=fields["amount"],
            at=step.at,
            key=str(uuid.uuid4()),
            source="account" if fields["from"] in self.accounts else "wallet",
        )
        if "name" in fields:
            self.transfers[fields["name"]] = sent
        return {"pending": plain(sent.amount)}

    def _accept(self, step: CaseStep) -> Given:
        sent = self._sent(step)
        wallet.open_wallet(member=sent.receiver, by=None, at=step.at)
        return {"received": plain(wallet.accept(transfer=sent, at=step.at).amount)}

    def _expire(self, step: CaseStep) -> Given:
        """A movement in between may have brought it back already: what this step finds back is what counts."""
        sent = self._sent(step)
        wallet.return_overdue(at=step.at, only=sent.pk)
        sent.refresh_from_db()
        if sent.state == "pending":
            raise Refused("not_permitted")
        if sent.state == "accepted" or sent.pk in self.returned:
            raise Refused("duplicate")
        self.returned.add(sent.pk)
        return {"returned": plain(sent.amount)}

    def _sent(self, step: CaseStep) -> WalletTransfer:
        sent = self.transfers.get(step.fields["transfer"])
        if sent is None:
            raise Refused("not_permitted")
        return sent

    # The end

    def balances(self) -> dict[str, dict[str, str]]:
        """Everybody's balances on the day of the last step, as an outside reader sees them."""
        last = max((step.at for step in self.case.steps), default=clock.now())
        with clock.standing(last):
            shown = ledger.balances(self.accounts.values(), self.last_on)
        zero = {"current": plain(ZERO), "historical": plain(ZERO)}
        return {
            name: {"current": plain(shown[at].current), "historical": plain(shown[at].historical)} if at else zero
            for name, at in ((name, self.accounts.get(name)) for name in self.members)
        }


def _named_regions(case: ScenarioCase) -> dict[str, str]:
    """Code -> where the case names it first."""
    found = {case.region: "case.region"}
    for name, member in case.members.items():
        found.setdefault(member.region, f"members.{name}.region")
    for number, step in enumerate(case.steps, 1):
        if step.region:
            found.setdefault(step.region, f"step {number}: region")
    return found


def _regions(codes: Mapping[str, str]) -> dict[str, Region]:
    """The regions of a case by their code, as their files say: the database may hold older ones, or none."""
    files = {path.stem: path for path in region_files() if path.stem in codes}
    held = dict(Region.objects.filter(code__in=codes).values_list("code", "file_hash"))
    for code in sorted(codes.keys() - files.keys() - held.keys()):
        raise BadCase(f"{codes[code]} {code} is not known: there is no regions/{code}.toml")
    load([path for code, path in files.items() if held.get(code) != file_hash(path)])
    return {region.code: region for region in Region.objects.filter(code__in=codes)}


def differences(case: ScenarioCase, given: list[Given], balances: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What came out otherwise than expected, a line each: "step N: field expected X got Y"."""
    found = []
    for at, (step, result) in enumerate(zip(case.steps, given, strict=True), 1):
        if "not_built" in result:
            found.append(f"step {at}: verb {result['not_built']} is not built yet")
        elif step.refused or "refused" in result:
            found += _differ(f"step {at}: refused", step.refused or "no", result.get("refused", "no"))
        for key, expected in step.expect.items():
            if "refused" not in result and "not_built" not in result:
                found += _differ(f"step {at}: {key}", _plain(expected), result.get(key))
    for name, expected in case.balances.items():
        shown = balances.get(name, {})
        for bucket, amount in expected.items():
            found += _differ(f"balances {name}.{bucket}", plain(amount), shown.get(bucket))
    return found


def _plain(expected: Any) -> Any:
    if isinstance(expected, Decimal):
        return plain(expected)
    if isinstance(expected, dict):
        return {key: _plain(value) for key, value in expected.items()}
    if isinstance(expected, tuple):
        return [_plain(value) for value in expected]
    return expected.isoformat() if isinstance(expected, datetime.date) else expected


def _differ(where: str, expected: Any, got: Any) -> list[str]:
    if isinstance(expected, dict) and isinstance(got, dict):
        # In a map of names a name left out is zero.
        keys = sorted(expected.keys() | got.keys())
        return [line for key in keys for line in _differ(f"{where}.{key}", *_pair(expected, got, key))]
    return [] if expected == got else [f"{where} expected {expected} got {got}"]


def _pair(expected: Mapping[str, Any], got: Mapping[str, Any], key: str) -> tuple[Any, Any]:
    both = [side.get(key) for side in (expected, got)]
    nothing: Any = {} if any(isinstance(value, dict) for value in both) else plain(ZERO)
    one, other = (nothing if value is None else value for value in both)
    return one, other
