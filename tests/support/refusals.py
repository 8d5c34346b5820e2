"""How a test asks why something was refused."""

from collections.abc import Callable

import pytest

from accounts.errors import Refused


def code_of(act: Callable[[], object]) -> str:
    """The code with which an act is refused; it must be."""
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def refused(code: str, act: Callable[..., object], **terms: object) -> None:
    """That an act with these terms is refused, and with this code."""
    assert code_of(lambda: act(**terms)) == code
