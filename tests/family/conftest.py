import pytest

from tests.family.support import make_rules
from tests.people import people  # noqa: F401 - a fixture


@pytest.fixture
def rules(people):  # noqa: F811
    """Set the region's rules; generous ones are there already."""
    make_rules(people.region)
    return lambda **changes: make_rules(people.region, **changes)
