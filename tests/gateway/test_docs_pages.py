"""The pages for technicians: made from the tables, whole in both languages, and their programs work."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from gateway import documentation, fields, signatures
from gateway.actions.messages import TRANSACTIONS
from gateway.enums import Variant
from gateway.fields.tables import load_toml
from gateway.recipes import GIVEN, RECIPES
from gateway.texts import TEXTS

NUMBERS = [*sorted(fields.known()), documentation.ENVELOPE]


def get(client: Client, name: str, *args: str, language: str = "zh-hans", **asked: str) -> str:
    response = client.get(reverse(f"gateway:{name}", args=args), asked, headers={"accept-language": language})
    assert response.status_code == 200
    return unescape(response.content.decode())


@pytest.mark.parametrize("number", NUMBERS)
def test_everything_has_a_name_in_both_languages(number: str) -> None:
    names = load_toml("names")
    assert names["transactions"][number]
    for field in documentation._fields(number):
        assert names["fields"][field.name]
        assert not re.search(r"[一-鿿]", field.meaning)
        for note in field.meaning.split(";")[1:]:
            assert names["notes"][note.strip()]


def test_no_name_is_left_over() -> None:
    names, used, notes, nodes = load_toml("names"), set(), set(), set()
    for number in NUMBERS:
        tables = fields.tables(number)
        nodes |= {node.name for outer in (*tables.input, *tables.output) for node in (outer, *outer.nodes)}
        for field in documentation._fields(number):
            used.add(field.name)
            notes |= {note.strip() for note in field.meaning.split(";")[1:]}
    assert set(names["fields"]) == used
    assert set(names["notes"]) == notes
    assert set(names["nodes"]) == nodes
    assert set(names["transactions"]) == set(NUMBERS)
    assert set(load_toml("remarks")) <= set(NUMBERS)


def test_every_transaction_is_in_one_group() -> None:
    listed = [entry.number for group in documentation.groups() for entry in group.entries]
    assert sorted(listed) == sorted(fields.known())
    assert {entry.number for group in documentation.groups() for entry in group.entries if entry.is_there} == set(
        TRANSACTIONS
    )


@pytest.mark.parametrize(
    ("asked", "numbers", "field"),
    [
        ("2207", {"2207", "2207A"}, None),
        ("冲正", {"2601"}, None),
        ("outpatient settlement", {"2207", "2207A", "2208"}, None),
        ("omsgid", {"2601"}, "omsgid"),
        ("共济", {"2101", "2102", "2103", "2206", "2206A", "2207", "2207A", "2208", "2303", "2304", "2305", "5203"},
         "acct_mulaid_pay"),
        ("DRUGTRACCODG", {"2102"}, "drug_trac_codg"),
        # Not the name of a field, but what one of its remarks is about.
        ("家庭共济", {"2206"}, None),
        ("family sharing", {"2206"}, None),
        ("nothing of this", set(), None),
    ],
)  # fmt: skip
def test_search(asked: str, numbers: set[str], field: str | None) -> None:
    entries = [entry for group in documentation.groups(asked) for entry in group.entries]
    assert {entry.number for entry in entries} == numbers
    assert field is None or all(field in entry.found for entry in entries)


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_page_of_a_transaction_holds_its_tables(client: Client, language: str) -> None:
    for number in NUMBERS:
        page = get(client, "docs_transaction", number, language=language)
        for field in documentation._fields(number):
            assert f">{field.name}<" in page
            assert documentation._titles(field)[0 if language == "zh-hans" else 1] in page
        assert documentation.sample_request(number) in page


@pytest.mark.django_db
def test_the_samples_can_be_fetched(client: Client) -> None:
    for number in NUMBERS:
        sent = json.loads(get(client, "docs_sample", number, "request"))
        assert sent["infno"] == (number if number != documentation.ENVELOPE else "1101")
        if number == "9102":
            assert client.get(reverse("gateway:docs_sample", args=[number, "answer"])).status_code == 404
            continue
        answer = json.loads(get(client, "docs_sample", number, "answer"))
        assert answer["infcode"] == 0
        assert list(answer) == [field.name for field in fields.tables("envelope").output[0].fields]
    failure = json.loads(documentation.sample_failure())
    assert list(failure) == list(answer)
    assert failure["err_msg"].endswith("[field_missing]")
    assert client.get(reverse("gateway:docs_sample", args=["1101", "other"])).status_code == 404
    assert client.get(reverse("gateway:docs_transaction", args=["9999"])).status_code == 404


@pytest.mark.django_db
def test_the_list_and_its_search(client: Client) -> None:
    page = get(client, "docs")
    assert all(f">{number} " in page for number in fields.known())
    found = get(client, "docs", q="acct_mulaid_pay")
    assert ">2207 门诊结算<" in found
    assert ">1101 " not in found
    assert b"<script>" not in client.get(reverse("gateway:docs"), {"q": "<script>"}).content
    part = client.get(reverse("gateway:docs"), {"q": "2207"}, headers={"hx-request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="found"')


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_error_is_told_with_what_to_do(client: Client, language: str) -> None:
    page = get(client, "docs_errors", language=language)
    with translation.override(language):
        refusals = documentation.refusals()
    assert {refusal.code for refusal in refusals} == {*TEXTS, *documentation.OF_SETTLEMENTS, "not_covered"}
    for refusal in refusals:
        assert f'id="{refusal.code}"' in page
        assert refusal.text in page
        assert "%(" not in refusal.text
        assert refusal.remedy
    found = get(client, "docs_errors", q="total_other")
    assert 'id="total_other"' in found
    assert 'id="batch_empty"' not in found


def test_advice_is_about_codes_that_exist() -> None:
    assert set(TEXTS) >= documentation.SAME_AGAIN | documentation.SETUP.keys()
    assert not documentation.SAME_AGAIN & documentation.SETUP.keys()


@pytest.mark.django_db
def test_every_code_stands_on_the_page_of_lists(client: Client) -> None:
    page = get(client, "docs_codes", language="en")
    for name, _title, _is_open, codes in documentation.every_list():
        assert f'id="list-{name}"' in page
        assert all(f"<code>{code}</code>" in page for code, _label in codes)


def test_there_is_a_recipe_for_every_variant() -> None:
    assert [recipe.variant for recipe in RECIPES] == list(Variant)


@pytest.mark.django_db
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.variant.value)
def test_the_program_of_a_recipe_signs(client: Client, recipe: Any) -> None:
    given = dict(zip(GIVEN, ("K1", "a secret", "H31010100001", b'{"infno":"1101"}'), strict=True))
    made: dict[str, Any] = dict(given)
    exec(recipe.program, made)
    scheme = signatures.VARIANTS[recipe.variant]
    assert set(made["headers"]) == set(scheme.headers)
    claimed = scheme.claimed([made["headers"][name] for name in scheme.headers])
    assert claimed is not None
    assert scheme.sign("a secret", claimed, given["body"]) == claimed.signature
    other = scheme.sign("a secret", claimed, b"{}")
    assert (other != claimed.signature) == recipe.covers_body
    assert recipe.program in get(client, "docs_signing")
