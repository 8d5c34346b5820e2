"""Every refusal and message of closing an account can be told, in both languages, without a missing fact."""

import pytest
from django.utils import translation

from accounts import message_texts, reasons
from settlements.domain import withdrawal
from settlements.enums import WithdrawalReason
from settlements.texts import closing as closing_texts

FACTS = {
    "case": "K7M4PQ9T",
    "since_on": "2026-12-01",
    "died_on": "2026-12-01",
    "from_on": "2026-12-01",
    "due_on": "2026-12-01",
    "name": "沈*宁",
    "who": "沈*宁",
    "total": "99.99",
    "amount": "12.00",
    "reason": "x",
    "region": "上海市",
}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("code", sorted(closing_texts.REASONS))
def test_each_refusal_has_a_reason_and_a_remedy(code: str, language: str) -> None:
    plain, _, why = code.partition(".")
    with translation.override(language):
        told = reasons.tell(plain, FACTS | {"why": why})
        assert told.reason and told.remedy
        assert "—" not in str(told) and "%" not in str(told).replace("99.99%", "")
        assert told.reason != reasons.tell("no such code").reason


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("kind", sorted(closing_texts.MESSAGES))
def test_each_message_can_be_told(kind: str, language: str) -> None:
    with translation.override(language):
        told = message_texts.tell_kind(kind, FACTS)
        assert told.title and told.body and "—" not in told.body


def test_every_reason_has_its_words_and_each_kind_its_own() -> None:
    assert set(closing_texts.REASON_HINTS) == set(withdrawal.REASONS) == set(WithdrawalReason.values)
    assert sorted(sum(withdrawal.REASONS_OF.values(), ())) == sorted(withdrawal.REASONS)


@pytest.mark.parametrize("what", withdrawal.BLOCKS)
def test_what_is_settled_first_is_named(what: str) -> None:
    assert f"settle_first.{what}" in closing_texts.REASONS
