import pytest

from accounts.models import Region, User
from tests.people import make_staff
from tests.settlements.scene import region_of_file


@pytest.fixture
def region() -> Region:
    """Shanghai, with the rules of its file."""
    return region_of_file()


@pytest.fixture
def maker(region: Region) -> User:
    """Who drafts and uploads."""
    return make_staff("region_admin", region=region, name="章甲")


@pytest.fixture
def checker(region: Region) -> User:
    """Who releases what the maker made."""
    return make_staff("region_admin", region=region, name="章乙")
