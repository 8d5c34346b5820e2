"""Device and browser in the reader's language: where somebody is logged in."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.domain import device

KINDS: dict[str, Promise] = {
    "computer": _("Computer"),
    "phone": _("Mobile phone"),
    "tablet": _("Tablet"),
    "": _("Unknown device"),
}
BROWSERS: dict[str, str | Promise] = {
    "wechat": _("WeChat"),
    "alipay": _("Alipay"),
    "huawei": _("Huawei browser"),
    "xiaomi": _("Xiaomi browser"),
    "samsung": _("Samsung browser"),
    "qq": _("QQ browser"),
    "uc": _("UC browser"),
    "360": _("360 browser"),
    "edge": "Edge",
    "opera": "Opera",
    "firefox": "Firefox",
    "chrome": "Chrome",
    "safari": "Safari",
    "": _("unknown browser"),
}


def tell(user_agent: str) -> str:
    """Mobile phone · WeChat."""
    found = device.read(user_agent)
    return f"{KINDS[found.kind]} · {BROWSERS[found.browser]}"
