import re

import pytest
from django.utils import translation

from accounts import message_texts, reasons
from accounts.errors import Refused
from accounts.masks import mask_name
from accounts.models import Message
from family import telling, texts
from family.actions import grants, invitations, sharing
from family.domain.check import CODES
from family.models import SharingApplication
from tests.family.support import AT

FACTS = {
    "relation": "child",
    "most": 3,
    "months": 3,
    "from_on": "2026-12-01",
    "until_on": "2026-12-01",
    "due_on": "2026-12-01",
    "case": "K7M4PQ9T",
    "reason": "x",
    "grantor": "沈*宁",
    "beneficiary": "方*",
}
# Said of the region or of the two people; the wording behind the dot says which.
WHY = {
    "not_insured": ["relative"],
    "not_permitted": ["no_rules", "no_account"],
    "not_near_relative": ["", "in_law"],
    "ages_do_not_fit": ["older", "younger", "spouse"],
    "suspended": ["grantor"],
    "frozen": ["grantor"],
    "closed": ["grantor"],
    "too_many_relatives": ["", "relation"],
    "use_not_offered": ["pay", "premium"],
}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("code", [*CODES, "stale", "own_case", "needs_verification", *texts.REASONS])
def test_each_refusal_has_a_reason_and_a_remedy(code: str, language: str) -> None:
    plain, _, why = code.partition(".")
    general = reasons.tell("no such code")
    for wording in [why] if why else WHY.get(plain, [""]):
        with translation.override(language):
            told = reasons.tell(plain, FACTS | {"why": wording})
        assert told.reason and told.remedy
        assert "—" not in str(told).replace("——", ""), "a fact is missing"
        assert told.reason != general.reason
        assert f"{plain}.{wording}".rstrip(".") in reasons.registered()


@pytest.mark.parametrize("kind", texts.MESSAGES)
def test_each_message_can_be_told(kind: str) -> None:
    told = message_texts.tell_kind(kind, FACTS)
    assert told.title and told.body
    assert "—" not in told.body


def test_every_message_that_is_sent_is_known_and_names_are_masked(people, rules) -> None:
    rules()
    sharing.bind(grantor=people.holder.member, beneficiary=people.spouse.member, relation="spouse", at=AT)
    application = invitations.consent(application=SharingApplication.objects.get(), by=people.spouse, at=AT)
    grants.unbind(grant=application.grant, by=people.spouse, at=AT)

    messages = list(Message.objects.all())
    assert len(messages) == 6
    for message in messages:
        body = message_texts.tell(message).body
        assert "—" not in body, message.kind
        assert people.holder.member.name not in body
        assert not re.search(r"\d{15}", body)
    assert any(mask_name(people.holder.member.name) in message_texts.tell(message).body for message in messages)


def test_no_wording_goes_beyond_the_two() -> None:
    """Who else shares with a relative is never in a refusal: its facts are a number, a relation, a day."""
    for reason, remedy in texts.REASONS.values():
        for text in (reason, remedy):
            assert set(re.findall(r"%\((\w+)\)s", str(text))) <= {"most", "relation", "months", "from_on"}


def test_the_relative_is_told_of_a_refusal_as_you() -> None:
    with translation.override("en"):
        told = telling.refused_to_beneficiary(Refused("too_many_grantors", most=1))
        other = telling.refused_to_beneficiary(Refused("frozen", why="grantor"))
        assert told.reason.startswith("You already use") and "1" in told.reason
        assert other == reasons.tell("frozen", {"why": "grantor"})
