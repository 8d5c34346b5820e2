"""How a login likes to read. Nothing of this needs an audit line: it says nothing about money or people."""

from accounts.models import User


def choose(*, by: User, elder: bool | None = None, theme: str | None = None, language: str | None = None) -> None:
    """Remember what was chosen for this login's other devices; None leaves a choice as it is."""
    chosen = {"elder": elder, "theme": theme, "language": language}
    changes = {name: value for name, value in chosen.items() if value is not None}
    if changes:
        User.objects.filter(pk=by.pk).update(**changes)
