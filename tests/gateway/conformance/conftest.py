import pytest

from conformance import world
from conformance.stand import Stand
from tests.gateway.conformance.carrier import Direct

# One region that assesses all three kinds of care, one that knows few figures, and another year of benefits.
REGIONS = ["310000", "330100", "371500"]


@pytest.fixture
def stand(db) -> Stand:
    world.build(REGIONS)
    return Stand(Direct())
