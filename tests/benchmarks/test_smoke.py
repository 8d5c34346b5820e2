"""The measurements run and give numbers; how fast this machine is right now is not asked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from benchmarks import measure
from tests.conftest import SLOT

LIMIT = 480


@pytest.mark.fault
@pytest.mark.parametrize(
    "names", [["rollover", "switch"], ["settling", "pages", "worker"], ["files"], ["again"], ["alike"]]
)
def test_every_measurement_yields_numbers(names: list[str]) -> None:
    # Two runs of the suite in one folder must not drop each other's databases.
    own = {"BENCH_QUICK": "1", "BENCH_DATABASE": f"bench_{os.environ[SLOT]}_{names[0]}"}
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks", *names],
        cwd=settings.BASE_DIR,
        env=os.environ | own | {"DJANGO_SETTINGS_MODULE": "portal.settings.demo"},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )

    assert process.returncode == 0, process.stderr
    kept = json.loads(Path(process.stdout.rsplit("Kept in ", 1)[1].strip()).read_text())
    assert {line["benchmark"] for line in kept["lines"]} == set(names)
    assert all(line["value"] > 0 for line in kept["lines"] if line["most"] != 0)


def test_a_name_that_there_is_not() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks", "nothing"], cwd=settings.BASE_DIR, capture_output=True, text=True
    )
    assert (process.returncode, "rollover" in process.stderr) == (2, True)


def test_the_table_says_what_was_missed() -> None:
    lines = [measure.Line("a", "ratio", 0.5, least=0.8), measure.Line("a", "growth", 1.2, "x", most=1.5)]
    text = measure.table(lines)
    assert ">= 0.8  MISSED" in text
    assert "<= 1.5  met" in text
