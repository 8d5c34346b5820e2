"""Logging in and sending forms in tests of pages."""

import time
from typing import Any

from bs4 import BeautifulSoup
from django.test import Client

from accounts.models import User


def log_in(user: User, *, fresh: bool = True) -> Client:
    """A browser in which the login is open; `fresh`: proven just now (staff with their second factor)."""
    client = Client()
    client.force_login(user)
    session = client.session
    age = 0 if fresh else 3600
    methods = ["password", "mfa"] if user.is_staff else ["password"]
    session["account_authentication_methods"] = [{"method": method, "at": time.time() - age} for method in methods]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client


def english(user: User) -> Client:
    """The same in English: what a test then reads is the text of the code."""
    client = log_in(user)
    client.cookies["django_language"] = "en"
    return client


def text(response: Any) -> str:
    """What a page says, without its frame; spaces and lines as one space."""
    return " ".join(BeautifulSoup(response.content, "html.parser").select_one("main").get_text(" ").split())


def fields(response: Any) -> dict[str, Any]:
    """What the forms of a page hold before anybody answers: hidden values, texts, ticks, chosen options."""
    data: dict[str, Any] = {}
    for box in BeautifulSoup(response.content, "html.parser").select(
        "main input[name], main select[name], main textarea[name]"
    ):
        name = box["name"]
        if box.name == "select":
            chosen = box.select_one("option[selected]")
            data[name] = chosen["value"] if chosen else ""
        elif box.name == "textarea":
            data[name] = box.get_text()
        elif box.get("type") in ("checkbox", "radio"):
            if box.has_attr("checked"):
                data.setdefault(name, [])
                data[name].append(box.get("value", "on"))
        else:
            data[name] = box.get("value", "")
    return data
