"""Sizes of a run, medians, and the lines of the table."""

import json
import os
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
# A number that may not grow with the accounts: what is still taken for flat on a machine with other work.
FLAT = 1.5


def _number(name: str, usual: int, quick: int) -> int:
    return int(os.environ.get(name) or (quick if QUICK else usual))


QUICK = bool(os.environ.get("BENCH_QUICK"))
FEW = _number("BENCH_FEW", 10_000, 300)
ACCOUNTS = _number("BENCH_ACCOUNTS", 200_000, 2_000)
MANY = _number("BENCH_MANY", 1_000_000, 2_000)
ROUNDS = _number("BENCH_ROUNDS", 3, 1)
SECONDS = _number("BENCH_SECONDS", 6, 1)
TURNS = _number("BENCH_TURNS", 5, 1)
# Turns with a slower flush, and how many milliseconds slower.
SLOW_TURNS = _number("BENCH_SLOW_TURNS", 2, 1)
FLUSH_MS = 1
SAMPLES = _number("BENCH_SAMPLES", 40, 5)
ORM_ACCOUNTS = _number("BENCH_ORM_ACCOUNTS", 2_000, 100)
PGBENCH_SCALE = _number("BENCH_PGBENCH_SCALE", 20, 1)
RUSH = _number("BENCH_RUSH", 5_000_000, 3_000)
RUSH_CLIENTS = _number("BENCH_RUSH_CLIENTS", 4, 2)
RUSH_PATIENCE = 3600
CALLS = _number("BENCH_CALLS", 100_000, 600)
FILE_ROWS = _number("BENCH_FILE_ROWS", 500_000, 1_000)
SHEET_ROWS = _number("BENCH_SHEET_ROWS", 100_000, 500)
FEW_ROWS = _number("BENCH_FEW_ROWS", 20_000, 500)
CODES = _number("BENCH_CODES", 200_000, 500)
AGAIN = _number("BENCH_AGAIN", 50_000, 200)
ORDERS = _number("BENCH_ORDERS", 2_000, 10)
CLIENTS = 8


@dataclass
class Line:
    """One line of the table. `least` / `most`: the aim, None where the number is only for the reader."""

    benchmark: str
    what: str
    value: float
    unit: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def aim(self) -> str:
        """The aim in words, with whether it was met."""
        if self.least is None and self.most is None:
            return ""
        text = f">= {self.least:g}" if self.least is not None else f"<= {self.most:g}"
        met = self.value >= self.least if self.least is not None else self.value <= (self.most or 0)
        return f"{text}  {'met' if met else 'MISSED'}"


def median(values: Sequence[float]) -> float:
    """The middle of several rounds."""
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    """Nineteen of twenty are below."""
    return sorted(values)[min(len(values) - 1, round(len(values) * 0.95))]


def flat(benchmark: str, what: str, few: float, many: float) -> Line:
    """How much slower it is with many accounts than with few."""
    return Line(benchmark, f"{what}: {MANY:,} accounts against {FEW:,}", many / few, "x", most=FLAT)


def table(lines: Sequence[Line]) -> str:
    """The lines one under the other."""
    rows = [("benchmark", "what", "value", "unit", "aim")]
    rows += [(line.benchmark, line.what, f"{line.value:,.3f}", line.unit, line.aim) for line in lines]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = (2,)
    cells = (
        (cell.rjust(size) if place in right else cell.ljust(size)
         for place, (cell, size) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    )  # fmt: skip
    return "\n".join("  ".join(row).rstrip() for row in cells)


def save(lines: Sequence[Line], at: datetime) -> Path:
    """All lines and the sizes as JSON."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{at:%Y%m%d-%H%M%S}-{os.getpid()}.json"
    sizes = {
        "few": FEW, "accounts": ACCOUNTS, "many": MANY, "rush": RUSH, "rounds": ROUNDS, "turns": TURNS,
        "seconds": SECONDS, "clients": CLIENTS, "cores": os.cpu_count(), "load": os.getloadavg(),
    }  # fmt: skip
    text = json.dumps({"at": at.isoformat(), "sizes": sizes, "lines": [asdict(line) for line in lines]}, indent=1)
    path.write_text(text + "\n")
    return path
