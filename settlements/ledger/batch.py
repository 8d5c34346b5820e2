"""The batch: makes the rollover of untouched accounts permanent, one range of account ids after the other."""

from dataclasses import dataclass
from decimal import Decimal

from accounts import clock
from accounts.calls import Call, from_json, send
from settlements.enums import RunState

# Everything that happens to a chunk in one visit, by one call (migration 0039). The claim is the row's lock, which dies
# with the session, so nothing has to be cleaned up after a killed worker. A chunk visited in vain (a movement held an
# account of it) waits behind those nobody has been to.
VISIT = "rollover_chunk({chunk}, %s, %s)"
VISIT_NEXT = f"""(
    SELECT {VISIT.format(chunk="claimed.id")} FROM (
        SELECT c.id FROM settlements_rolloverchunk c JOIN settlements_rolloverrun r ON r.id = c.run_id
        WHERE r.id = %s AND r.state = '{RunState.RUNNING}' AND NOT c.done
        ORDER BY c.visits, c.number LIMIT 1 FOR UPDATE OF c SKIP LOCKED
    ) claimed
)"""


@dataclass(frozen=True)
class Visit:
    """What one visit of a chunk did: accounts of the closing year rolled, and yuan; how many accounts stayed behind."""

    accounts: int
    moved: Decimal
    netted: Decimal
    interest: Decimal
    left: int

    @property
    def done(self) -> bool:
        """Whether nothing in the chunk's range is behind any more."""
        return self.left == 0


def roll_next(run_id: int, most: int | None = None) -> Visit | None:
    """Claim the next chunk of a running run that is not done and that nobody works on, and roll it as `roll_chunk` does.

    None if there is no such chunk.
    """
    (text,) = send(Call(VISIT_NEXT, [most, clock.now(), run_id]))
    return None if text is None else _visit(text)


def roll_chunk(chunk_id: int, most: int | None = None) -> Visit:
    """Roll what is behind in a chunk, `most` accounts of it, with entries, totals and the chunk's state, or nothing.

    Amounts in yuan. Accounts rolled by a movement meanwhile are not touched; accounts that a movement holds are left
    and counted in `left`. Raises DatabaseError if there is no such chunk.
    """
    (text,) = send(Call(VISIT.format(chunk="%s"), [chunk_id, most, clock.now()]))
    return _visit(text)


def _visit(text: str) -> Visit:
    accounts, moved, netted, interest, left = from_json(text)
    return Visit(accounts, Decimal(moved), Decimal(netted), Decimal(interest), left)
