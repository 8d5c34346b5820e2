"""What the load balancer asks."""

from unittest import mock

import pytest
from django.db import OperationalError
from django.urls import reverse
from redis.exceptions import ConnectionError as NoRedis

pytestmark = pytest.mark.django_db
URL = reverse("healthz")


def test_both_services_answer(client):
    response = client.get(URL)
    assert (response.status_code, response["Content-Type"]) == (200, "text/plain")
    assert response.content == b"database ok\nredis ok\n"


@pytest.mark.parametrize(
    ("what", "error", "told"),
    [
        ("portal.views.health.connection.cursor", OperationalError, b"database down\nredis ok\n"),
        ("portal.views.health.cache.get", NoRedis, b"database ok\nredis down\n"),
    ],
)
def test_a_service_that_is_gone_is_told(client, what, error, told):
    with mock.patch(what, side_effect=error):
        response = client.get(URL)
    assert (response.status_code, response.content) == (503, told)


def test_the_mark_is_found_where_browsers_look_for_it(client):
    response = client.get("/favicon.ico")
    assert (response.status_code, response["Location"]) == (302, "/static/img/mark.svg")
