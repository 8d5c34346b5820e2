"""docs/gateway.md: the table is that of the program, and the five minutes are tried out, command by command."""

import json
import os
import re
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from gateway import fields
from gateway.actions.messages import TRANSACTIONS
from gateway.client import PATH
from tests.docs.test_docs import ROOT, shell_blocks, table_under
from tests.gateway.world import World, make_world

PAGE = (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8")
# What a technician does once by hand: the test has a server and a key already.
BY_HAND = re.compile(r"^(\.venv/bin/python manage\.py gateway_key|URL=|ID=).*$", re.M)


def test_the_table_names_every_transaction_and_what_changes() -> None:
    rows = [(number.split(", "), writes) for number, _what, writes in table_under(PAGE, "# The gateway")]
    assert sorted(number for numbers, _writes in rows for number in numbers) == sorted(fields.known())
    for numbers, writes in rows:
        for number in numbers:
            assert TRANSACTIONS[number].changes == (writes not in ("nothing", "an audit line")), number


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


def test_a_settled_bill_in_five_minutes(world: World, live_server, tmp_path: Path) -> None:
    hospital = world.hospital
    key = f"INSTITUTION={hospital.institution.code}\nKEY_ID={hospital.key_id}\nSECRET={hospital.secret}\n"
    (tmp_path / "key.env").write_text(key)
    commands, removed = BY_HAND.subn("", shell_blocks(PAGE))
    assert removed == 3
    script = f"set -eu\nURL={live_server.url}{PATH}\nID={world.patient.id_number}\n{commands}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        env={"PATH": os.environ["PATH"], "TZ": "Asia/Tokyo", "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    # What the page prints one after the other: own and relatives, relatives, cash.
    shares = [Decimal(line) for line in done.stdout.splitlines() if re.fullmatch(r"-?\d+\.\d+", line)]
    assert len(shares) == 3
    assert shares[0] > shares[1] > 0
    last = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"), parse_float=Decimal)
    assert last["infcode"] == 0, last["err_msg"]
    assert last["output"]["setlinfo"]["medfee_sumamt"] == Decimal("-860.00")
    assert last["output"]["setlinfo"]["acct_pay"] == -shares[0]
