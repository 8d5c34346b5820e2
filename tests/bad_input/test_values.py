"""Values that a field cannot have: it is said what is wrong, at the field, in both languages, and nothing is written."""

import uuid

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from tests.bad_input.support import in_both_languages, send, told_at

PERIODS = [
    ("9999-12-31", "9999-12-31"),
    ("2026-02-30", "2026-03-01"),
    ("1026-01-01", "2026-01-01"),
    ("x", "y"),
    ("", ""),
]
AMOUNTS = [
    "1.234",
    "-5",
    "１２",
    "1e3",
    "NaN",
    "Infinity",
    "0",
    "0.001",
    "99999999999",
    "1,2",
    "٣",
    "12 34",
    "0x10",
    "+5",
]
ID_NUMBERS = ["11010119900101123X", "1101011990010112", "110101199013011234", "9" * 18, "abcdefghijklmnopqr", "①" * 18]


class TestValues:
    def test_limits(self, binding, grant_of_member, nothing_written) -> None:
        for address in (reverse("family:bind_terms"), reverse("family:adjust", args=[grant_of_member.public_id])):
            for amount in AMOUNTS:
                told_at(send(binding, address, {"limit": amount}), "limit")
            in_both_languages(binding, address, {"limit": "1e3"}, "limit")

    def test_limits_at_the_window(self, world, serving, nothing_written) -> None:
        address = reverse("counter:amend", args=[world[1].case.public_id])
        for amount in AMOUNTS:
            told_at(send(serving, address, {"limit": amount}), "limit")

    @pytest.mark.parametrize("name", ["family:bind", "counter:bind"])
    def test_id_numbers(self, world, clients, serving, name, nothing_written) -> None:
        client = serving if name == "counter:bind" else clients["member"]
        answers = {"name": "沈某川", "relation": "sibling"}
        for number in ID_NUMBERS:
            told_at(send(client, reverse(name), answers | {"id_number": number}), "id_number")
        in_both_languages(client, reverse(name), answers | {"id_number": ID_NUMBERS[0]}, "id_number")

    def test_who(self, member, nothing_written) -> None:
        answers = {"name": "沈某川", "relation": "sibling", "id_number": "110101199001011237"}
        for name in ("沈" * 80, "沈1", "<b>", "", "  "):
            told_at(send(member, reverse("family:bind"), answers | {"name": name}), "name")
        for relation in ("king", ""):
            told_at(send(member, reverse("family:bind"), answers | {"relation": relation}), "relation")

    def test_days(self, binding, nothing_written) -> None:
        for day in ("2026 2 30", "99999 1 1", "0 1 1", "-1 1 1", "2020 1 1", "2026 . 1", "1e3 1 1"):
            boxes = dict(zip(("last_day_year", "last_day_month", "last_day_day"), day.split(), strict=True))
            told_at(send(binding, reverse("family:bind_terms"), boxes), "last_day")

    def test_uses(self, binding, nothing_written) -> None:
        for uses in ("gold", [], ["care", "gold"]):
            told_at(send(binding, reverse("family:bind_terms"), {"uses": uses}), "uses")

    def test_periods_outside_everything(self, member, nothing_written) -> None:
        for days in PERIODS:
            period = dict(zip(("start", "end"), days, strict=True))
            for response in (
                member.get(reverse("settlements:statement"), period),
                member.post(reverse("settlements:statement_file"), period | {"as": "pdf"}),
                member.post(reverse("settlements:statement_file"), period | {"as": "csv"}),
            ):
                assert response.status_code == 422
                assert BeautifulSoup(response.content, "html.parser").select(".govuk-error-message")

    def test_choices_that_are_not_offered(self, member, nothing_written) -> None:
        for query in ({"period": "nothing"}, {"kind": "nothing"}):
            assert member.get(reverse("settlements:account"), query).status_code == 422
        for query in ({"amount": "1e3", "level": "tertiary"}, {"amount": "100", "level": "nothing"}):
            assert member.get(reverse("family:order"), query).status_code == 422

    def test_a_page_that_is_not_there_is_the_nearest(self, member, clients, nothing_written) -> None:
        for page in ("0", "-1", "x", "9" * 30, "1e3"):
            for name in ("settlements:account", "settlements:bills", "accounts:inbox", "accounts:seen"):
                assert member.get(reverse(name), {"page": page}).status_code == 200
            assert clients["supervisor"].get(reverse("counter:queue"), {"page": page}).status_code == 200

    def test_an_unknown_region_cannot_be_closed(self, clients, nothing_written) -> None:
        address = reverse("admin:settlements_rolloverrun_add")
        answers = {"year": "2025", "current_rate": "1", "historical_rate": "1"}
        for region in ("999999", "110000", "", "上海"):
            assert told_at(send(clients["region_admin"], address, answers | {"region": region}), "region")
        for rate in ("NaN", "-1", "21", "1.23456", "x"):
            told_at(
                send(clients["region_admin"], address, answers | {"region": "310000", "current_rate": rate}),
                "current_rate",
            )

    def test_versions_and_places_that_are_no_numbers(self, world, member, nothing_written) -> None:
        case = world[1].case.public_id
        for version in ("", "x", "-1", "9" * 30, "1e3", "9" * 5000):
            for name in ("family:amend", "family:withdraw"):
                response = send(member, reverse(name, args=[case]), {"version": version}, follow=True)
                assert response.status_code in (200, 422)
            for move in ({"move": "up"}, {"position": "9" * 30}, {"position": "0"}, {}, {"move": "away"}):
                sent = {"id": str(uuid.uuid4()), "version": version} | move
                assert member.post(reverse("family:order"), sent).status_code == 422
