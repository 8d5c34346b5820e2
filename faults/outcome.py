"""What a scenario gives back, and the table of all."""

from dataclasses import dataclass, field


@dataclass
class Outcome:
    """`did`: what was really done, in numbers; `findings`: what did not hold. `did` with nothing done is a finding."""

    did: str
    findings: list[str] = field(default_factory=list)

    def require(self, what: str, holds: bool) -> None:
        """A finding if the scenario did not do what it is for, or something did not hold."""
        if not holds:
            self.findings.append(what)


def table(rows: list[tuple[str, str, float, Outcome]]) -> str:
    """A row a scenario: name, what it is, seconds, what was done; findings below it."""
    lines = []
    for name, what, seconds, outcome in rows:
        verdict = "holds" if not outcome.findings else f"{len(outcome.findings)} FINDINGS"
        lines.append(f"{name:12} {verdict:12} {seconds:6.1f} s  {what}: {outcome.did}")
        lines += [f"{'':12}   - {finding[:400]}" for finding in outcome.findings[:10]]
    return "\n".join(lines)
