"""What browsers say of themselves, as they really say it."""

import pytest
from django.utils import translation

from accounts import devices
from accounts.domain import device

WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = (
    "Mozilla/5.0 (Linux; Android 14; 22101316C) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.0.0"
)
TABLET = (
    "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    ("said", "kind", "browser"),
    [
        (WINDOWS, "computer", "chrome"),
        (f"{WINDOWS} Edg/131.0.0.0", "computer", "edge"),
        (f"{WINDOWS} OPR/115.0.0.0", "computer", "opera"),
        (f"{WINDOWS} QQBrowser/11.9", "computer", "qq"),
        (f"{WINDOWS} MicroMessenger/7.0.20.1781(0x6700143B) WindowsWechat", "computer", "wechat"),
        (f"{MAC} Version/18.1 Safari/605.1.15", "computer", "safari"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "computer", "firefox"),
        (f"{IPHONE} Version/18.1 Mobile/15E148 Safari/604.1", "phone", "safari"),
        (f"{IPHONE} Mobile/15E148 MicroMessenger/8.0.53(0x18003531)", "phone", "wechat"),
        (f"{IPHONE} CriOS/131.0 Mobile/15E148 Safari/604.1", "phone", "chrome"),
        (f"{ANDROID} Mobile Safari/537.36", "phone", "chrome"),
        (f"{ANDROID} MQQBrowser/6.2 Mobile Safari/537.36 MMWEBID/1 MicroMessenger/8.0.50", "phone", "wechat"),
        (f"{ANDROID} Mobile Safari/537.36 AlipayClient/10.6.8", "phone", "alipay"),
        (f"{ANDROID} HuaweiBrowser/15.0 Mobile Safari/537.36", "phone", "huawei"),
        (f"{ANDROID} Mobile Safari/537.36 XiaoMi/MiuiBrowser/18.6", "phone", "xiaomi"),
        (TABLET, "tablet", "chrome"),
        (
            "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 Version/16.6 Safari/604.1",
            "tablet",
            "safari",
        ),
        ("curl/8.5.0", "", ""),
        ("", "", ""),
    ],
)
def test_device_and_browser(said: str, kind: str, browser: str) -> None:
    assert device.read(said) == device.Device(kind, browser)


def test_all_that_can_be_found_has_words() -> None:
    assert set(devices.KINDS) == {name for name, _pattern in device.KINDS} | {""}
    assert set(devices.BROWSERS) == {name for name, _pattern in device.BROWSERS} | {""}
    with translation.override("en"):
        assert devices.tell(WINDOWS) == "Computer · Chrome"
        assert devices.tell("<b>") == "Unknown device · unknown browser"
