"""Every act that is written into the log has a name: an auditor reads sentences, not codes."""

import ast
from pathlib import Path

from accounts import audit_texts
from settlements.texts.settling import RUN_VERBS

ROOT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "casework", "counter", "documents", "family", "gateway", "portal", "settlements")


def recorded() -> set[str]:
    """The acts that are written out where they are recorded; those put together from parts are not seen here."""
    calls = [
        call
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and getattr(call.func, "attr", getattr(call.func, "id", "")) in ("record", "_record")
    ]
    helped = {
        one.value
        for call in calls
        if isinstance(call.func, ast.Name)
        for one in call.args[:1]
        if isinstance(one, ast.Constant)
    }
    named = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "action"]
    first = [call.args[0] for call in calls if call.args]
    texts = [one.value for one in [*named, *first] if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    # A bare verb is what an app's own helper is given; the name of the act is put together from it.
    return {text for text in texts if text not in RUN_VERBS and (text not in helped or "." in text)}


def test_every_act_in_the_log_has_a_name() -> None:
    acts = recorded()
    assert {"open_member", "rollover.plan", "rollover.adjust_done"} <= acts
    assert not acts - audit_texts.registered()
