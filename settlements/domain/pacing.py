"""How fast the batch may go beside settlements: full speed while they fare well, ever longer rests while they do not."""

from dataclasses import dataclass

# Milliseconds: the first rest, and the longest. The longest is short enough that a rollover always ends.
FIRST_MS, MOST_MS = 25, 1600


@dataclass(frozen=True, kw_only=True)
class Load:
    """How the database fares at a moment, seen from a worker of the batch.

    `waiting`: sessions that wait for a lock which a worker of the batch holds; `busy`: other sessions at work;
    `visit_ms`: how long the worker's last chunk took, commit included.
    """

    waiting: int
    busy: int
    visit_ms: int


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Above these the batch gives way: so many sessions at work, so many milliseconds for a chunk."""

    busy: int
    visit_ms: int


def is_strained(load: Load, limits: Limits) -> bool:
    """Whether settlements suffer, or soon will: one waits for us, too many are at work, or writing has become slow."""
    return load.waiting > 0 or load.busy > limits.busy or load.visit_ms > limits.visit_ms


def next_rest(rest_ms: int, load: Load, limits: Limits) -> int:
    """Milliseconds to rest after the next chunk, from those after the last one.

    Doubled under strain, halved without: it gives way within a second and comes back as fast.
    """
    if is_strained(load, limits):
        return min(max(rest_ms * 2, FIRST_MS), MOST_MS)
    return rest_ms // 2 if rest_ms > FIRST_MS else 0
