"""Where a part plays: a gateway behind a carrier, its database, and what the programs have in their own books."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from conformance import world
from conformance.carrier import Carrier
from conformance.manners import Manner
from conformance.program import Program
from conformance.told import Told

Output = dict[str, Any]
Book = tuple[str, str, str, str]


@dataclass
class Stand:
    """`told` is that of the job that runs; `books`: institution, region, insurance, category -> answers to
    settlements and reversals."""

    carrier: Carrier
    told: Told = field(default_factory=Told)
    books: dict[Book, list[Output]] = field(default_factory=dict)

    def program(self, region: str, kind: str, manner: Manner | None = None, *, number: int | None = 0) -> Program:
        """The program of a hospital, or of a pharmacy, of a region."""
        manner = manner or Manner()
        signer = world.signer(region, kind, manner.variant, number=number, infcode_as_text=manner.infcode_as_text)
        return Program(signer, self.carrier, self.told, manner)

    def enter(self, program: Program, region: str, insutype: str, clr_type: str, settled: list[Output]) -> None:
        """Into the program's books, for the reconciliation."""
        known = [{"setlinfo": one["setlinfo"]} for one in settled]
        self.books.setdefault((program.signer.code, region, insutype, clr_type), []).extend(known)

    def entered(self, program: Program, region: str, insutype: str, clr_type: str) -> list[Output]:
        """What the program has of a day."""
        return self.books.get((program.signer.code, region, insutype, clr_type), [])


class Job(NamedTuple):
    """A piece of a part, played on one stand; `what` names it in a finding."""

    part: str
    what: str
    play: Callable[[Stand], None]
