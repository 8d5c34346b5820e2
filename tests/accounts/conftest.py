import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    """Limits of tries live in Redis and would be carried from test to test."""
    cache.clear()


@pytest.fixture
def client_factory():
    """More browsers than one."""
    from django.test import Client

    return Client
