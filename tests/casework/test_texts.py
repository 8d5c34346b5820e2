import pytest
from django.utils import translation

from accounts import reasons
from casework import texts


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("code", sorted(texts.REASONS))
def test_each_refusal_has_a_reason_and_a_remedy(code: str, language: str) -> None:
    with translation.override(language):
        told = reasons.tell(code, {})
    assert told.reason and told.remedy
