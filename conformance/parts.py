"""The parts of the proof, and the table of what became of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from conformance import fields_sent, habits, noise, sequences, visits, wrongs
from conformance.lanes import Row
from conformance.stand import Job

SHOWN = 400


class Part(NamedTuple):
    """What is proved, and the jobs that prove it."""

    what: str
    jobs: Callable[[], list[Job]]


def every() -> dict[str, Part]:
    """By the name that ARGS takes."""
    return {
        "sequences": Part("whole days in every region, reconciled", sequences.jobs),
        "manners": Part(
            "the same day in every manner of signature, address, Content-Type and infcode", sequences.manners
        ),
        "visits": Part("visits by chance, the identities F1 to F14 on every answer", visits.jobs),
        "fields": Part("every field of every table, wrong in every way", fields_sent.jobs),
        "habits": Part("said as real programs say it: the same answers", habits.jobs),
        "noise": Part("broken bytes and JSON: always the envelope", noise.jobs),
        "wrongs": Part("wrong people, visits, amounts: the right words, nothing written", wrongs.jobs),
    }


def table(known: Mapping[str, Part], rows: Sequence[Row]) -> str:
    """A line a part: jobs, messages, checks, what did not hold; the findings below it."""
    lines = [f"{'part':12} {'jobs':>5} {'messages':>9} {'checks':>9} {'failed':>7} {'seconds':>8}  what"]
    for row in rows:
        told, what = row.told, known[row.part].what if row.part in known else ""
        lines.append(
            f"{row.part:12} {row.jobs:5} {told.messages:9} {told.checks:9} {len(told.findings):7} {row.seconds:8.1f}  {what}"
        )
        lines += [f"  - {finding}" for finding in told.findings[:SHOWN]]
    total = sum(row.told.messages for row in rows)
    return "\n".join([*lines, f"{total} messages"])
