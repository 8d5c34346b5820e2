"""How fast the batch may go beside settlements: full speed while they fare well, ever longer rests while they do not,
and never so many accounts at once that a settlement waits long for one of them."""

from dataclasses import dataclass

# Milliseconds: the first rest, and the longest. The longest is short enough that a rollover always ends.
FIRST_MS, MOST_MS = 25, 1600
# Accounts of a visit: the first one's, and so few that most of the time would go into beginning and committing.
FIRST_SHARE, LEAST_SHARE = 1000, 250


@dataclass(frozen=True, kw_only=True)
class Load:
    """How the database fares at a moment, seen from a worker of the batch.

    `waiting`: sessions that wait for a lock which a worker of the batch holds; `busy`: other sessions at work;
    `visit_ms`: how long the worker's last visit of a chunk took, commit included.
    """

    waiting: int
    busy: int
    visit_ms: int


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Above these the batch gives way: so many sessions at work, so many milliseconds for a visit."""

    busy: int
    visit_ms: int


def is_strained(load: Load, limits: Limits) -> bool:
    """Whether settlements suffer, or soon will: one waits for us, too many are at work, or writing has become slow.

    Slow writing alone is no reason: where nobody else is at work a rest helps nobody.
    """
    return load.waiting > 0 or load.busy > limits.busy or (load.busy > 0 and load.visit_ms > limits.visit_ms)


def next_rest(rest_ms: int, load: Load, limits: Limits) -> int:
    """Milliseconds to rest after the next chunk, from those after the last one.

    Doubled under strain, halved without: it gives way within a second and comes back as fast.
    """
    if is_strained(load, limits):
        return min(max(rest_ms * 2, FIRST_MS), MOST_MS)
    return rest_ms // 2 if rest_ms > FIRST_MS else 0


def next_share(share: int, accounts: int, visit_ms: int, held_ms: int) -> int:
    """How many accounts the next visit takes, after one of `share` at most that took `accounts` in `visit_ms`.

    So many that it holds them for about `held_ms`, whatever the machine has to do besides; at most twice as many.
    """
    if visit_ms > held_ms:
        return max(accounts * held_ms // visit_ms, LEAST_SHARE)
    # A visit that found less than it might have taken says nothing about more.
    return share * 2 if accounts >= share and visit_ms * 2 <= held_ms else share
