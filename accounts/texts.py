"""Making known what an app says to people: each app does so once, in `AppConfig.ready`."""

from types import ModuleType

from accounts import audit_texts, message_texts, reasons


def register(*modules: ModuleType) -> None:
    """Take the lazy texts of modules, each where there is one; the last one wins: REASONS (code of a refusal -> why, and
    what to do), MESSAGES (kind -> title and body), ACTIONS (act in the log -> what it is called)."""
    for module in modules:
        for code, (reason, remedy) in getattr(module, "REASONS", {}).items():
            reasons.register(code, reason, remedy)
        for kind, (title, body) in getattr(module, "MESSAGES", {}).items():
            message_texts.register_message(kind, title, body)
        for action, text in getattr(module, "ACTIONS", {}).items():
            audit_texts.register_action(action, text)
