"""A scheme: how a bill of one kind of care is shared out, as a list of stages. The region's data, never code."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TypeAlias

from accounts.domain.reading import (
    GRADES,
    HUNDRED,
    BadData,
    Path,
    Reader,
    check_choice,
    raise_all,
    read_amount,
    read_percent,
)
from accounts.money import ZERO
from settlements.domain.parameters import Parameter

INSURANCES = ("employee", "resident")
KINDS = ("outpatient", "inpatient", "pharmacy")
OWN_BUCKETS = ("current", "historical")
SCOPES = ("year", "level", "institution", "day_institution", "stay")
# In this order the classes of a bill are served from the same money.
ITEM_CLASSES = ("in_scope", "pre_self_pay", "self_paid")
SHARED = "shared"


@dataclass(frozen=True, kw_only=True)
class AccountStage:
    """A bucket of the patient's own account pays before anything else, and what it pays counts to no deductible."""

    bucket: str
    source: str


@dataclass(frozen=True, kw_only=True)
class DeductibleStage:
    """The patient bears in-scope cost until `amount` yuan are reached in `counter`.

    `scope`: year (the counter of the benefit year; an amount that depends on the level is topped up from level to
    level), level or institution (one a year for each), day_institution (anew each day at each) or stay (anew each time).
    """

    amount: Parameter
    scope: str
    counter: str
    source: str


@dataclass(frozen=True)
class Band:
    """The fund's rate in percent up to a point of the axis, in yuan; the last band has no end.

    `rate` None: no source tells it, and a bill that reaches into the band is refused instead of guessed at.
    """

    up_to: Decimal | None
    rate: Parameter | None


@dataclass(frozen=True)
class SubCap:
    """A cap within the year's cap, in yuan, with a counter of its own: for one kind of care or place alone."""

    counter: str
    cap: Parameter


@dataclass(frozen=True, kw_only=True)
class RateStage:
    """The fund pays its rate of what is left, counts it in `counter` and stops when that reaches `cap`.

    `within`: further caps that hold besides, each counting the same payments in its own counter.
    `axis` is what bands are measured on: fund (what it paid in the year), in_scope (in-scope cost of the year, counted
    in `axis_counter`) or bill (in-scope cost of this bill). In-scope cost includes what account and patient bore first.
    """

    bands: tuple[Band, ...]
    counter: str
    source: str
    axis: str = "bill"
    axis_counter: str = ""
    cap: Parameter | None = None
    within: tuple[SubCap, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SupplementStage:
    """A second fund pays beyond the cap: `rate` percent of the in-scope part there, or at the bill's rate if None."""

    rate: Parameter | None
    counter: str
    source: str
    limit: Parameter | None = None


Stage: TypeAlias = AccountStage | DeductibleStage | RateStage | SupplementStage


@dataclass(frozen=True)
class Payer:
    """One in the row of payers of a personal share: current, historical or shared; it gives what it has `above`."""

    bucket: str
    above: Decimal = ZERO


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """One version of a region's scheme for one insurance and kind of care.

    `accumulate_by`: a bill counts in the benefit year of its day of service, or of its settlement. `known` false: no
    reliable source tells this scheme, so bills of it are refused and not guessed at; source and note say what is known.
    """

    stages: tuple[Stage, ...]
    payers: Mapping[str, tuple[Payer, ...]]
    accumulate_by: str
    source: str
    grade: str
    known: bool = True

    @classmethod
    def from_data(cls, data: object, path: Path = ()) -> "Scheme":
        """From a version's data as TOML or JSON holds it. Raises BadData."""
        with Reader(data, path, collect=True) as reader:
            source, grade = reader.provenance()
            if not reader.flag("known", True):
                payers: dict[str, tuple[Payer, ...]] = dict.fromkeys(ITEM_CLASSES, ())
                return cls(
                    stages=(),
                    payers=payers,
                    accumulate_by="service",
                    source=source,
                    grade=grade,
                    known=False,
                )
            scheme = cls(
                stages=reader.parts("stage", lambda row: _stage(row, source), optional=True),
                payers=reader.kept(lambda: _payers(reader.table("payers")), {}),
                accumulate_by=reader.choice("accumulate_by", ("service", "settlement")),
                source=source,
                grade=grade,
            )
        _check_order(scheme.stages, path)
        _check_bands(scheme.stages, path)
        return scheme

    def check(self, levels: Collection[str], counters: Collection[str], path: Path = ()) -> None:
        """That every parameter has a value at each of the region's levels and every counter is one of the region's.

        Raises BadData, with all that is wrong.
        """
        mistakes: list[BadData] = []
        for at, stage in enumerate(self.stages):
            here = (*path, "stage", at)
            for place, counter in _counters(stage):
                if counter not in counters:
                    mistakes.append(BadData((*here, *place), "unknown_counter", counter=counter))
            for below, parameter, most in _parameters(stage):
                try:
                    parameter.check((*here, *below), levels, most)
                except BadData as mistake:
                    mistakes.append(mistake)
        raise_all(mistakes)

    def level_of(self, level: str) -> str:
        """The level by which an institution's bills count here: a top hospital is a third-level one unless a row names top.

        Every top hospital (省级三甲, 特三级) is of the third level, and regions that know no more say tertiary alone.
        """
        return "tertiary" if level == "top" and not self._names(level) else level

    def _names(self, level: str) -> bool:
        parameters = (parameter for stage in self.stages for _, parameter, _ in _parameters(stage))
        rows = (row for parameter in parameters for row in (*parameter.rows, *parameter.additions))
        return any(row.when.level is not None and level in row.when.level for row in rows)


def _stage(reader: Reader, default_source: str) -> Stage:
    """One stage by its kind."""
    with reader:
        source = reader.text("source", default_source)
        # For whoever reads the file or the page of the scheme; the working shows the source alone.
        reader.choice("grade", GRADES, "OWN")
        reader.note()
        match reader.deciding("kind", ("account", "deductible", "rate", "supplement")):
            case "account":
                return AccountStage(bucket=reader.choice("bucket", OWN_BUCKETS), source=source)
            case "deductible":
                return _deductible(reader, source)
            case "rate":
                return _rate(reader, source)
            case _:
                return _supplement(reader, source)


def _deductible(reader: Reader, source: str) -> DeductibleStage:
    amount = Parameter.read(reader, "amount", read_amount)
    scope = reader.deciding("scope", SCOPES)
    return DeductibleStage(
        amount=amount,
        scope=scope,
        # A stay bears its deductible anew, so nothing is remembered.
        counter="" if scope == "stay" else reader.text("counter"),
        source=source,
    )


def _rate(reader: Reader, source: str) -> RateStage:
    axis = "bill"
    if reader.has("rate"):
        bands: tuple[Band, ...] = (Band(None, Parameter.read(reader, "rate", read_percent)),)
    else:
        axis = reader.deciding("axis", ("fund", "in_scope", "bill"))
        bands = reader.parts("band", _band)
    return RateStage(
        bands=bands,
        axis=axis,
        axis_counter=reader.text("axis_counter") if axis == "in_scope" else "",
        counter=reader.text("counter"),
        cap=Parameter.read(reader, "cap", read_amount) if reader.has("cap") else None,
        within=reader.parts("within", _sub_cap, optional=True),
        source=source,
    )


def _sub_cap(reader: Reader) -> SubCap:
    with reader:
        return SubCap(reader.text("counter"), Parameter.read(reader, "cap", read_amount))


def _band(reader: Reader) -> Band:
    with reader:
        up_to = reader.amount("up_to") if reader.has("up_to") else None
        unknown = reader.flag("unknown", False)
        return Band(up_to, None if unknown else Parameter.read(reader, "rate", read_percent))


def _supplement(reader: Reader, source: str) -> SupplementStage:
    at_bill_rate = reader.get("rate") == "bill"
    return SupplementStage(
        rate=None if at_bill_rate else Parameter.read(reader, "rate", read_percent),
        counter=reader.text("counter"),
        limit=Parameter.read(reader, "limit", read_amount) if reader.has("limit") else None,
        source=source,
    )


def _payers(reader: Reader) -> dict[str, tuple[Payer, ...]]:
    """Per item class the row of payers; an entry is a name or {bucket = "historical", above = "6000.00"}."""
    with reader:
        return {each: reader.kept(partial(_payer_row, reader, each), ()) for each in ITEM_CLASSES}


def _payer_row(reader: Reader, item_class: str) -> tuple[Payer, ...]:
    path = (*reader.path, item_class)
    entries = reader.get(item_class)
    if not isinstance(entries, list):
        raise BadData(path, "wrong_type", expected="a list")
    row = [_payer(entry, (*path, at)) for at, entry in enumerate(entries)]
    for at, payer in enumerate(row):
        if payer.bucket in [earlier.bucket for earlier in row[:at]]:
            raise BadData((*path, at), "repeated", value=payer.bucket)
    return tuple(row)


def _payer(entry: object, path: Path) -> Payer:
    if not isinstance(entry, dict):
        return Payer(check_choice(entry, (*OWN_BUCKETS, SHARED), path))
    with Reader(entry, path) as reader:
        # What stays with a grantor is a matter of the sharing rules (`keep`), not of the payers.
        return Payer(reader.choice("bucket", OWN_BUCKETS), reader.amount("above"))


def _check_bands(stages: tuple[Stage, ...], path: Path) -> None:
    """Bands rise, and only the last one has no end."""
    for place, stage in enumerate(stages):
        bands, reached = stage.bands if isinstance(stage, RateStage) else (), ZERO
        for at, band in enumerate(bands):
            last = at == len(bands) - 1
            if (band.up_to is None) != last or (band.up_to is not None and band.up_to <= reached):
                raise BadData((*path, "stage", place, "band", at), "band_order")
            reached = band.up_to or reached


def _check_order(stages: tuple[Stage, ...], path: Path) -> None:
    """Accounts and deductibles, then at most one rate, then at most one supplement, which needs a cap before it.

    A stage fills no counter twice: a yuan would count twice.
    """
    ranks = [_RANK[type(stage)] for stage in stages]
    for at, stage in enumerate(stages):
        before = stages[at - 1] if at else None
        out_of_order = at > 0 and (ranks[at] < ranks[at - 1] or ranks[at] == ranks[at - 1] > 0)
        without_cap = isinstance(stage, SupplementStage) and not (isinstance(before, RateStage) and before.cap)
        if out_of_order or without_cap:
            raise BadData((*path, "stage", at), "stage_order")
        filled: set[str] = set()
        for place, counter in _counters(stage):
            if counter in filled:
                raise BadData((*path, "stage", at, *place), "repeated", value=counter)
            filled.add(counter)


_RANK = {AccountStage: 0, DeductibleStage: 0, RateStage: 1, SupplementStage: 2}


def _counters(stage: Stage) -> list[tuple[Path, str]]:
    """Place and name of the counters that a stage fills."""
    keys = ("counter", "axis_counter")
    found: list[tuple[Path, str]] = [((key,), name) for key in keys if (name := getattr(stage, key, ""))]
    within = stage.within if isinstance(stage, RateStage) else ()
    return [*found, *((("within", at, "counter"), sub.counter) for at, sub in enumerate(within))]


def _parameters(stage: Stage) -> list[tuple[Path, Parameter, Decimal | None]]:
    """Place and parameter, and the most that it may come to."""
    match stage:
        case DeductibleStage():
            return [(("amount",), stage.amount, None)]
        case RateStage():
            flat = len(stage.bands) == 1
            rates: list[tuple[Path, Parameter, Decimal | None]] = [
                (("rate",) if flat else ("band", at, "rate"), band.rate, HUNDRED)
                for at, band in enumerate(stage.bands)
                if band.rate is not None
            ]
            within: list[tuple[Path, Parameter, Decimal | None]] = [
                (("within", at, "cap"), sub.cap, None) for at, sub in enumerate(stage.within)
            ]
            return [*rates, *([(("cap",), stage.cap, None)] if stage.cap else []), *within]
        case SupplementStage():
            found = [(("rate",), stage.rate, HUNDRED), (("limit",), stage.limit, None)]
            return [(path, parameter, most) for path, parameter, most in found if parameter]
        case _:
            return []
