"""Two lists of settlements held against each other: the portal's and an institution's."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

Amounts = tuple[Decimal, Decimal, Decimal]
# The settlement that a row is, or takes back; and whether it takes it back.
Key = tuple[str, bool]

MISSING_HERE, MISSING_THERE, AMOUNTS = "missing_here", "missing_there", "amounts"
REVERSED_HERE, REVERSED_THERE = "reversed_here", "reversed_there"
ELSEWHERE, REPEATED = "elsewhere", "repeated"


@dataclass(frozen=True, slots=True)
class Row:
    """A settlement, or a reversal with negative amounts: total, funds, accounts, in yuan.

    `origin`: the settlement that a reversal takes back; else its own number. `line` of the institution's file.
    `clr_type`: clearing category, empty where only the institution knows the row.
    """

    setl_id: str
    mdtrt_id: str
    psn_no: str
    amounts: Amounts
    reversal: bool
    origin: str = ""
    msgid: str = ""
    line: int = 0
    clr_type: str = ""

    @property
    def key(self) -> Key:
        """By which the same thing is found on the other side."""
        return self.origin or self.setl_id, self.reversal


@dataclass(frozen=True, slots=True)
class Compared:
    """A row of one side or of both; `kind` is empty where they agree."""

    kind: str
    ours: Row | None
    theirs: Row | None


def origins(rows: Iterable[Row]) -> dict[str, str]:
    """Number of a reversal -> number of the settlement that it takes back."""
    return {row.setl_id: row.origin for row in rows if row.reversal}


def resolved(rows: Iterable[Row], known: Mapping[str, str]) -> list[Row]:
    """An institution's rows with what each takes back: some name the reversal, some the settlement itself.

    One that names a reversal of ours is that reversal, also when its amounts came without the minus.
    """
    found = []
    for row in rows:
        origin = known.get(row.setl_id)
        if origin is None:
            found.append(replace(row, origin=row.setl_id))
            continue
        total, funds, accounts = (-abs(amount) for amount in row.amounts)
        found.append(replace(row, origin=origin, reversal=True, amounts=(total, funds, accounts)))
    return found


def compare(ours: Iterable[Row], theirs: Iterable[Row], elsewhere: Iterable[Row] = ()) -> list[Compared]:
    """Every row of both sides with what it was found to be. `theirs` resolved; `elsewhere`: rows of ours that are
    known, but not of this period or clearing category.

    A settlement taken back within the period of which the institution knows nothing (its answer was lost, and it sent a
    correction) comes to nothing on both sides, and agrees.
    """
    here = {row.key: row for row in ours}
    other = {row.key: row for row in elsewhere}
    there: dict[Key, Row] = {}
    repeated = []
    for row in theirs:
        if row.key in there:
            repeated.append(Compared(REPEATED, here.get(row.key), row))
        else:
            there[row.key] = row
    return [*_of_ours(here, there), *_only_theirs(here, there, other), *repeated]


def _of_ours(here: Mapping[Key, Row], there: Mapping[Key, Row]) -> Iterator[Compared]:
    for key, row in here.items():
        match = there.get(key)
        opposite = (key[0], not key[1])
        if match is not None:
            yield Compared("" if match.amounts == row.amounts else AMOUNTS, row, match)
        elif opposite in here and opposite not in there:
            yield Compared("", row, None)
        else:
            yield Compared(REVERSED_HERE if row.reversal else MISSING_THERE, row, None)


def _only_theirs(here: Mapping[Key, Row], there: Mapping[Key, Row], other: Mapping[Key, Row]) -> Iterator[Compared]:
    for key, row in there.items():
        if key in here:
            continue
        settled = here.get((key[0], False)) or other.get((key[0], False))
        if key in other:
            yield Compared(ELSEWHERE, other[key], row)
        elif row.reversal and settled:
            yield Compared(REVERSED_THERE, None, replace(row, clr_type=settled.clr_type))
        else:
            yield Compared(MISSING_HERE, None, row)
