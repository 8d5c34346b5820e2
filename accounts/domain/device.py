"""What a browser says of itself (its User-Agent), read for people. A hint, never a proof: anybody can send any text."""

import re
from dataclasses import dataclass

# In this order: most browsers call themselves by the names of others as well, the more special one stands first.
BROWSERS = (
    ("wechat", r"MicroMessenger"),
    ("alipay", r"AlipayClient"),
    ("edge", r"Edg(e|A|iOS)?/"),
    ("huawei", r"HuaweiBrowser/"),
    ("xiaomi", r"MiuiBrowser/"),
    ("qq", r"M?QQBrowser/"),
    ("uc", r"UC ?Browser/|UBrowser/"),
    ("360", r"QihooBrowser|360SE|360EE"),
    ("samsung", r"SamsungBrowser/"),
    ("opera", r"OPR/|Opera"),
    ("firefox", r"Firefox/|FxiOS/"),
    ("chrome", r"Chrome/|CriOS/|Chromium/"),
    ("safari", r"Version/[\d.]+ .*Safari/|(iPhone|iPad|Macintosh).*AppleWebKit/"),
)
# Tablets on Android leave out "Mobile".
KINDS = (
    ("tablet", r"iPad|Tablet|Android(?!.*Mobile)"),
    ("phone", r"iPhone|Android|HarmonyOS|OpenHarmony.*Mobile|Windows Phone|Mobile"),
    ("computer", r"Windows NT|Macintosh|X11|Linux|CrOS|OpenHarmony"),
)


@dataclass(frozen=True)
class Device:
    """`kind`: computer, phone, tablet or ""; `browser`: one of BROWSERS or "". Empty where the text does not say."""

    kind: str
    browser: str


def read(user_agent: str) -> Device:
    """The kind of device and the browser that a User-Agent names."""
    return Device(_first(KINDS, user_agent), _first(BROWSERS, user_agent))


def _first(patterns: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for name, pattern in patterns if re.search(pattern, text)), "")
