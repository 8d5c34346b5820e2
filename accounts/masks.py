"""How names and numbers are shown where the whole of them is not needed."""


def mask_name(name: str) -> str:
    """沈某宁 -> 沈*宁, 方某 -> 方*; a single character stays."""
    name = str(name or "").strip()
    if len(name) < 3:
        return name[:1] + "*" * (len(name) - 1)
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_id(number: str) -> str:
    """The first three and the last four characters of an ID number; of a short one only the last."""
    return _mask(number, head=3, tail=4)


def mask_phone(number: str) -> str:
    """138****5207."""
    return _mask(number, head=3, tail=4)


def _mask(text: str, *, head: int, tail: int) -> str:
    text = str(text or "").strip()
    if len(text) <= head + tail:
        return "*" * (len(text) - 1) + text[-1:]
    return text[:head] + "*" * (len(text) - head - tail) + text[-tail:]
