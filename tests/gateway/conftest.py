import pytest

from tests.gateway.world import World, make_world


@pytest.fixture
def world(db) -> World:
    return make_world()
