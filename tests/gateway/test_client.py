"""The small client against a real server, over one connection."""

import pytest

from gateway.client import Client
from tests.gateway.world import credential, make_world


@pytest.mark.django_db(transaction=True)
def test_the_client_speaks_to_a_running_server(live_server) -> None:
    world = make_world()
    hospital = world.hospital
    client = Client(live_server.url, hospital.institution.code, hospital.key_id, hospital.secret)
    try:
        answers = [client.call("1101", {"data": credential(world.patient)}) for _ in range(2)]
    finally:
        client.close()
    assert [answer["infcode"] for answer in answers] == [0, 0]
    assert answers[0]["output"]["insuinfo"][0]["balc"] == 150
