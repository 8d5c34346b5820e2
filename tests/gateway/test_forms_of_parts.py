"""A message that comes as a form of parts (9101) and is not what it says is refused, and is no fault of the portal."""

import pytest

from gateway import multipart
from gateway.client import signed_headers
from gateway.errors import Rejected
from tests.gateway.world import World

FORM = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="jsonStr"\r\n\r\n{}\r\n'


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(PART * 1000 + b"--x--\r\n", id="more parts than Django takes"),
        pytest.param(b"--x--\r\n", id="no part"),
        pytest.param(b"--x\r\n" + bytes(range(256)), id="no headers"),
    ],
)
def test_a_form_that_is_none(body: bytes) -> None:
    with pytest.raises(Rejected) as rejected:
        multipart.split(body, FORM)
    assert rejected.value.code == "body_not_json"


def test_it_is_an_answer_like_any_other(world: World) -> None:
    answer = world.hospital.client.post(
        "/fsi/api/fileupload/upload",
        PART * 1000 + b"--x--\r\n",
        content_type=FORM,
        headers=signed_headers(world.hospital.key_id, world.hospital.secret),
    ).json()
    assert answer["infcode"] == -1
    assert answer["err_msg"].endswith("[body_not_json]")
