"""What a run counts: messages played, things checked, findings."""

from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_FINDINGS = 200


class Broken(AssertionError):
    """Something does not hold, and what follows it in the same sequence cannot be played."""


@dataclass
class Told:
    """`findings`: what did not hold, each with where."""

    messages: int = 0
    checks: int = 0
    findings: list[str] = field(default_factory=list)

    def hold(self, what: str, holds: bool, why: object = "") -> None:
        """Count a check; a finding if it does not hold."""
        self.checks += 1
        if not holds and len(self.findings) < MOST_FINDINGS:
            self.findings.append(f"{what}: {why}"[:600])

    def none(self, what: str, faults: Iterable[str]) -> None:
        """Count a check that gives its faults; none may be there."""
        found = list(faults)
        self.hold(what, not found, "; ".join(map(str, found)))
