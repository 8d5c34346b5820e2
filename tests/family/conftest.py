import pytest

from tests.family.support import make_rules


@pytest.fixture
def rules(people):
    """Set the region's rules; generous ones are there already."""
    make_rules(people.region)
    return lambda **changes: make_rules(people.region, **changes)
