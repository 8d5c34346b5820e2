"""Sending what nobody should, and seeing that nothing of it stays."""

import re
from typing import Any

from bs4 import BeautifulSoup
from django.apps import apps
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from tests.support.pages import fields

APPS = ["accounts", "casework", "documents", "family", "gateway", "settlements"]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Written by the door itself: that somebody tried.
OF_THE_DOOR = {"accounts_auditevent", "gateway_turnedaway"}


def everything() -> dict[str, str]:
    """A fingerprint of the whole content of every table."""
    tables = [
        model._meta.db_table
        for app in APPS
        for model in apps.get_app_config(app).get_models()
        if model._meta.db_table not in OF_THE_DOOR
    ]
    each = [f"SELECT '{table}', md5(string_agg(t::text, ';' ORDER BY t::text)) FROM {table} t" for table in tables]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each))
        return dict(cursor.fetchall())


def send(client: Client, address: str, data: dict[str, Any], **more: Any) -> HttpResponse:
    """Open the page and send its form with these answers over what it holds."""
    return client.post(address, fields(client.get(address)) | data, **more)


def told_at(response: HttpResponse, field: str) -> str:
    """What the page says at a field, and that its summary leads there."""
    assert response.status_code == 422
    page = BeautifulSoup(response.content, "html.parser")
    error = page.select_one(f"#id_{field}_error")
    assert error, f"nothing is said at {field}: {[one['id'] for one in page.select('.govuk-error-message')]}"
    assert page.select_one(f'.govuk-error-summary a[href^="#id_{field}"]')
    return error.get_text(" ", strip=True)


def in_both_languages(client: Client, address: str, data: dict[str, Any], field: str) -> None:
    client.cookies["django_language"] = "zh-hans"
    assert CHINESE.search(told_at(send(client, address, data), field))
    client.cookies["django_language"] = "en"
    assert not CHINESE.search(told_at(send(client, address, data), field))
