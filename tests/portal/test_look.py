"""The look: tokens, form templates, money, masks, drawn parts, navigation, preferences."""

import datetime
import re
from decimal import Decimal
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from django import forms
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.translation import override

from accounts import inputs, kinship, masks, navigation
from accounts.clock import now
from accounts.enums import Relation
from accounts.middleware import BEGAN
from accounts.models import User
from accounts.templatetags import portal as tags
from tests.people import People
from tests.support.pages import log_in

ROOT = Path(__file__).resolve().parent.parent.parent
CSS = (ROOT / "static" / "css" / "portal.css").read_text(encoding="utf-8")
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


def page(text: str, **context: object) -> BeautifulSoup:
    """A snippet of template, rendered and read."""
    return BeautifulSoup(Template("{% load portal %}" + text).render(Context(context)), "html.parser")


def tokens(block: str) -> dict[str, str]:
    """The custom properties of a block of CSS."""
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", re.sub(r"/\*.*?\*/", "", block, flags=re.S)))


# The stylesheet


def test_dark_by_choice_and_dark_by_device_are_the_same() -> None:
    chosen = re.search(r"^\.dark \{(.*?)^\}", CSS, re.S | re.M)
    device = re.search(r"^  \.auto \{(.*?)^  \}", CSS, re.S | re.M)
    assert chosen and device
    assert tokens(chosen.group(1)) == tokens(device.group(1))
    assert len(tokens(chosen.group(1))) > 30


def test_every_token_that_is_used_is_set() -> None:
    used = set(re.findall(r"var\((--[\w-]+)", CSS))
    assert used - set(tokens(CSS)) == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_keep_to_the_policy_of_the_browser(path: Path) -> None:
    """No inline style, script or handler: the content security policy would drop them in silence. No other host."""
    text = path.read_text(encoding="utf-8")
    wrong = re.findall(
        r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|<script(?![^>]*\bsrc=)|(?:src|href)=\"(?:https?:)?//", text
    )
    assert wrong == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_do_not_talk_like_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [word for word in ("请注意", "操作成功", "暂无", "¥", "系统繁忙", "必填项") if word in text] == []


# Forms


class Sample(forms.Form):
    name = inputs.NameField(label="姓名", help_text="与身份证上的一致", error_messages={"required": "请填写姓名"})
    relation = forms.ChoiceField(
        label="关系", choices=[("p", "父母"), ("c", "子女")], widget=forms.RadioSelect, help_text="公婆不在内"
    )
    uses = forms.MultipleChoiceField(label="用途", choices=[("a", "看病")], widget=forms.CheckboxSelectMultiple)
    born = inputs.DatePartsField(label="出生日期", error_messages={"required": "请填写出生日期"})
    limit = inputs.MoneyField(label="上限", min_value=Decimal("0.01"))
    region = forms.ChoiceField(label="参保地", choices=[("", "请选择"), ("310000", "上海")])
    note = forms.CharField(label="备注", widget=forms.Textarea)
    scan = forms.FileField(label="照片")
    password = forms.CharField(label="密码", widget=forms.PasswordInput)
    day = forms.DateField(label="日期", widget=forms.DateInput({"type": "date"}))
    agree = forms.BooleanField(label="我已读完")
    token = forms.CharField(widget=forms.HiddenInput, required=False)


def group_of(soup: BeautifulSoup, name: str) -> Tag:
    """The form group that holds the field's boxes."""
    box = soup.select_one(f'[name="{name}"], [name^="{name}_"]')
    assert box is not None
    return box.find_parents(class_="govuk-form-group")[-1]


@pytest.fixture
def bad() -> BeautifulSoup:
    return BeautifulSoup(str(Sample({}, {})), "html.parser")


@pytest.mark.parametrize("name", ["name", "limit", "region", "note", "scan", "password", "day", "agree"])
def test_a_box_has_its_label_its_error_and_the_class_of_its_kind(bad: BeautifulSoup, name: str) -> None:
    group = group_of(bad, name)
    box = group.select_one(f'[name="{name}"]')
    assert group.select_one(f'label[for="{box["id"]}"]').get_text(strip=True) == str(Sample().fields[name].label)
    error = group.select_one(".govuk-error-message")
    assert error["id"] == f"id_{name}_error"
    assert error["id"] in box["aria-describedby"].split()
    assert box["aria-invalid"] == "true"
    assert any(css.startswith("govuk-") for css in box["class"])
    assert "required" not in box.attrs
    assert "govuk-form-group--error" in group["class"]


@pytest.mark.parametrize("name", ["relation", "uses", "born"])
def test_several_boxes_are_a_fieldset_with_a_legend(bad: BeautifulSoup, name: str) -> None:
    fieldset = group_of(bad, name).select_one("fieldset")
    assert fieldset.legend.get_text(strip=True) == str(Sample().fields[name].label)
    assert f"id_{name}_error" in fieldset["aria-describedby"].split()
    for box in fieldset.select("input"):
        assert fieldset.select_one(f'label[for="{box["id"]}"]')


def test_the_hint_is_told_with_the_box(bad: BeautifulSoup) -> None:
    assert bad.select_one("#id_name_helptext").get_text() == "与身份证上的一致"
    assert "id_name_helptext" in bad.select_one("#id_name")["aria-describedby"]


def test_the_summary_leads_to_every_error(bad: BeautifulSoup) -> None:
    links = bad.select(".govuk-error-summary a")
    assert len(links) == 11
    assert [link["href"] for link in links if not bad.select(link["href"])] == []
    assert bad.select_one('a[href="#id_relation_0"]') and bad.select_one('a[href="#id_born_0"]')


def test_the_summary_names_the_fields_that_have_the_same_error(bad: BeautifulSoup) -> None:
    told = {link["href"]: link.get_text() for link in bad.select(".govuk-error-summary a")}
    assert told["#id_name"] == "请填写姓名"
    # "Required" of Django, without words of their own.
    assert told["#id_limit"].startswith("上限") and told["#id_relation_0"].startswith("关系")
    assert len(set(told.values())) == len(told)


def test_a_form_that_nobody_sent_has_no_errors() -> None:
    soup = BeautifulSoup(str(Sample()), "html.parser")
    assert soup.select(".govuk-error-summary, .govuk-error-message, [aria-invalid]") == []
    assert soup.select_one("input[type=hidden][name=token]")


def test_values_come_back_and_a_password_does_not() -> None:
    data = {"name": "沈宁<b>", "relation": "c", "born_year": "1962", "note": "话", "password": "Ginkgo"}
    soup = BeautifulSoup(str(Sample(data)), "html.parser")
    assert soup.select_one("#id_name")["value"] == "沈宁<b>"
    assert soup.select_one("#id_relation_1").has_attr("checked")
    assert soup.select_one("#id_born_0")["value"] == "1962"
    assert soup.select_one("#id_note").get_text(strip=True) == "话"
    assert not soup.select_one("#id_password").get("value")


def clean(field: forms.Field, data: object) -> tuple[object, list[str]]:
    """What a field makes of what was typed: the value, or the codes of its errors."""
    try:
        return field.clean(data), []
    except forms.ValidationError as error:
        return None, [each.code for each in error.error_list]


@pytest.mark.parametrize(
    ("typed", "value", "codes"),
    [
        (["1962", "3", "12"], datetime.date(1962, 3, 12), []),
        (["１９６２", "０３", " 12 "], datetime.date(1962, 3, 12), []),
        (["2024", "2", "29"], datetime.date(2024, 2, 29), []),
        (["2025", "2", "29"], None, ["invalid"]),
        (["1962", "", "12"], None, ["incomplete"]),
        (["1962", "march", "12"], None, ["invalid"]),
        (["", "", ""], None, ["required"]),
    ],
)
def test_a_date_in_three_boxes(typed: list[str], value: object, codes: list[str]) -> None:
    assert clean(inputs.DatePartsField(), typed) == (value, codes)


def test_a_date_that_may_be_left_out() -> None:
    assert clean(inputs.DatePartsField(required=False), ["", "", ""]) == (None, [])
    assert clean(inputs.DatePartsField(required=False), ["1962", "", ""]) == (None, ["incomplete"])


@pytest.mark.parametrize(
    ("typed", "value", "codes"),
    [
        ("1200", Decimal("1200.00"), []),
        ("1,200.50", Decimal("1200.50"), []),
        ("1200.5 元", Decimal("1200.50"), []),
        ("￥1,200.50", Decimal("1200.50"), []),
        ("¥ 1200元", Decimal("1200.00"), []),
        ("￥-5", None, ["amount_format"]),
        ("￥", None, ["required"]),
        ("１２００．５元", None, ["amount_wide"]),
        ("１２", None, ["amount_wide"]),
        ("一百", None, ["amount_format"]),
        ("1,2", None, ["amount_format"]),
        (" 12 ", Decimal("12.00"), []),
        ("12.345", None, ["amount_format"]),
        ("-5", None, ["amount_format"]),
        ("1e3", None, ["amount_format"]),
        ("999999999", None, ["amount_too_large"]),
        ("0", None, ["min_value"]),
        ("", None, ["required"]),
    ],
)
def test_an_amount_as_people_type_it(typed: str, value: object, codes: list[str]) -> None:
    assert clean(inputs.MoneyField(min_value=Decimal("0.01")), typed) == (value, codes)


@pytest.mark.parametrize(
    ("field", "typed", "value", "codes"),
    [
        (inputs.IdNumberField, "３１０１０４ 19620312 284x", None, ["id_check"]),
        (inputs.IdNumberField, "31010419620312", None, ["id_length"]),
        (inputs.IdNumberField, "11010519491231002x", "11010519491231002X", []),
        (inputs.PhoneField, "+86 138-0000-0001", "13800000001", []),
        (inputs.PhoneField, "2380000000", None, ["phone_format"]),
        (inputs.CodeField, "１２３ 456", "123456", []),
        (inputs.CodeField, "12345", None, ["invalid"]),
        (inputs.NameField, "李𬱖", "李𬱖", []),
        (inputs.NameField, "李1", None, ["name_characters"]),
    ],
)
def test_numbers_and_names_as_people_type_them(
    field: type[forms.Field], typed: str, value: object, codes: list[str]
) -> None:
    assert clean(field(), typed) == (value, codes)


# Money, masks, dates


@pytest.mark.parametrize(
    ("amount", "plain", "signed"),
    [
        ("0", "0.00", "0.00"),
        (None, "0.00", "0.00"),
        ("1234567.5", "1,234,567.50", "+1,234,567.50"),
        ("-386.83", "−386.83", "−386.83"),
        ("0.005", "0.01", "+0.01"),
        ("-0.004", "0.00", "0.00"),
        ("999.995", "1,000.00", "+1,000.00"),
    ],
)
def test_money_is_written_one_way(amount: str | None, plain: str, signed: str) -> None:
    assert tags.yuan(amount) == plain
    assert tags.yuan_signed(amount) == signed
    assert page("{% money amount %}", amount=amount).span.get_text() == plain


def test_money_to_a_relative_is_warm_and_the_hero_has_small_fen() -> None:
    with override("en"):
        warm = page("{% money amount unit=True family=True %}", amount=Decimal("386.83")).span
        hero = page("{% hero_money amount %}", amount=Decimal("-5113.49")).span
    assert warm["class"] == ["portal-money", "portal-money--family"]
    assert warm.get_text() == "386.83 yuan"
    assert hero.get_text() == "−5,113.49yuan"
    assert hero.select_one(".portal-money__fen").get_text() == ".49"


@pytest.mark.parametrize(
    ("name", "masked"), [("沈雨宁", "沈*宁"), ("方一", "方*"), ("欧阳小宁", "欧**宁"), ("宁", "宁"), ("", "")]
)
def test_names_are_masked(name: str, masked: str) -> None:
    assert masks.mask_name(name) == masked


def test_numbers_are_masked() -> None:
    assert masks.mask_id("310104196203122846") == "310***********2846"
    assert masks.mask_phone("13812345207") == "138****5207"
    assert masks.mask_phone("12393") == "****3"
    assert masks.mask_id("") == masks.mask_id(None) == ""


def test_dates_in_both_languages_and_in_our_time() -> None:
    moment = datetime.datetime(2026, 3, 12, 2, 6, tzinfo=datetime.UTC)
    snippet = "{{ at|day }}|{{ at|day_short }}|{{ at|moment }}|{{ at|moment_short }}|{{ at|clock }}|{{ none|day }}"
    with override("zh-hans"):
        told = page(snippet, at=moment, none=None).get_text()
    assert told == "2026年3月12日|3月12日|2026年3月12日 10:06|3月12日 10:06|10:06|"
    with override("en"):
        assert page("{{ at|day }}", at=moment.date()).get_text() == "12 March 2026"


@pytest.mark.parametrize("relation", [each for each in Relation if each != Relation.PARENT_IN_LAW])
def test_kinship_has_an_inverse_and_words(relation: Relation) -> None:
    assert kinship.inverse(kinship.inverse(relation)) == relation
    assert len({kinship.term(relation, sex) for sex in "MF"}) == 2


def test_the_seal_of_a_husband_says_husband() -> None:
    assert [kinship.seal(word) for word in ("丈夫", "母亲", "daughter")] == ["夫", "母", "D"]


# Drawn parts

PARTS = [
    {"kind": "cash", "amount": Decimal("46.00"), "label": "现金"},
    {"kind": "family", "amount": Decimal("386.83"), "label": "女儿"},
    {"kind": "fund", "amount": Decimal("631.12"), "label": "基金"},
    {"kind": "current", "amount": Decimal("0.00"), "label": "当年"},
]


def test_the_bar_keeps_its_order_fills_its_width_and_says_all_amounts() -> None:
    pieces = tags.bar_pieces(PARTS)
    assert [piece["kind"] for piece in pieces] == ["fund", "family", "cash"]
    last = pieces[-1]
    assert Decimal(last["x"]) + Decimal(last["width"]) == pytest.approx(Decimal(1000), abs=Decimal("0.2"))
    svg = page("{% paid_bar parts %}", parts=PARTS).svg
    assert svg["role"] == "img"
    title = svg.select_one(f"#{svg['aria-labelledby']}").get_text()
    assert "1,063.95" in title
    assert all(figure in title for figure in ("631.12", "386.83", "46.00"))


def test_a_payer_of_one_fen_is_seen() -> None:
    pieces = tags.bar_pieces([{"kind": "fund", "amount": "99999.99"}, {"kind": "cash", "amount": "0.01"}])
    assert Decimal(pieces[1]["width"]) >= 6


@pytest.mark.parametrize(
    ("used", "whole", "width"),
    [("386.83", "1000", "386.8"), ("0", "500", "0.0"), ("900", "500", "1000.0"), ("5", None, "0.0"), ("5", "0", "0.0")],
)
def test_a_meter_stays_within_its_track(used: str, whole: str | None, width: str) -> None:
    assert tags.meter(used, whole)["width"] == width


def test_the_chart_has_its_figures_in_a_table() -> None:
    rows = [{"label": f"{month}月", "current": month, "historical": 100} for month in (1, 2, 3)]
    soup = page("{% balance_chart rows %}", rows=rows)
    assert [cell.get_text() for cell in soup.select("tbody tr:last-child td")] == ["3.00", "100.00", "103.00"]
    assert len(soup.select("svg[role=img] rect")) == 6
    assert page("{% balance_chart rows %}", rows=[]).get_text(strip=True) == ""


# Frame


@pytest.fixture
def menu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A navigation of three links instead of the real one."""
    monkeypatch.setattr(navigation, "_entries", {})
    navigation.register("citizen", "admin", "Admin", "admin:index", 20)
    navigation.register("citizen", "logins", "Logins", "admin:login", 30, count=lambda request: 4)
    navigation.register("citizen", "secret", "Secret", "admin:index", 10, visible=lambda request: False)
    navigation.register("citizen", "gone", "Gone", "no:such-page", 5)


@pytest.mark.usefixtures("menu")
@pytest.mark.parametrize(
    ("where", "named", "current"),
    [("/admin/", None, ["Admin"]), ("/elsewhere/", None, []), ("/elsewhere/", "logins", ["Logins"])],
)
def test_the_navigation_knows_where_one_is(where: str, named: str | None, current: list[str]) -> None:
    request = RequestFactory().get(where)
    soup = page('{% nav "citizen" %}', request=request, **({"nav": named} if named else {}))
    links = soup.select("nav a")
    assert [link.contents[0].strip() for link in links] == ["Admin", "Logins"]
    assert [link.contents[0].strip() for link in links if link.get("aria-current")] == current


@pytest.mark.usefixtures("menu")
def test_the_nearest_link_is_current() -> None:
    request = RequestFactory().get(reverse("admin:login") + "7/")
    soup = page('{% nav "citizen" %}', request=request)
    assert [link.contents[0].strip() for link in soup.select("[aria-current]")] == ["Logins"]


def test_an_unknown_area_is_refused() -> None:
    with pytest.raises(ValueError, match="kitchen"):
        navigation.register("kitchen", "x", "X", "admin:index")


def test_every_registered_link_leads_somewhere() -> None:
    assert [reverse(entry.url_name) for entry in navigation.registered() if not reverse(entry.url_name)] == []


def html_class(client: Client) -> list[str]:
    """The classes of <html> on a page that everybody may see."""
    response = client.get("/no-such-page/")
    assert response.status_code == 404
    return BeautifulSoup(response.content, "html.parser").html["class"]


def test_a_page_tells_htmx_to_keep_nothing_and_to_show_errors(client: Client, db: None) -> None:
    soup = BeautifulSoup(client.get("/no-such-page/").content, "html.parser")
    config = soup.select_one("meta[name=htmx-config]")["content"]
    assert all(part in config for part in ('"historyCacheSize":0', '"allowEval":false', '"code":"422","swap":true'))
    assert soup.select_one("#portal-announce")["aria-live"] == "polite"
    assert soup.select_one(".govuk-skip-link")["href"] == "#main" and soup.select_one("main#main")


def logged_in(user: User) -> Client:
    """A device on which the user has just logged in."""
    client = Client()
    client.force_login(user)
    session = client.session
    session[BEGAN] = now().timestamp()
    session.save()
    return client


def test_preferences_hold_before_login(client: Client, db: None) -> None:
    assert html_class(client) == ["govuk-template", "portal"]
    response = client.post(reverse("preferences:set"), {"elder": "1", "theme": "dark", "next": "/somewhere/?a=1"})
    assert (response.status_code, response.url) == (302, "/somewhere/?a=1")
    assert html_class(client) == ["govuk-template", "portal", "dark", "elder"]
    client.post(reverse("preferences:set"), {"elder": "0", "theme": "light"})
    assert html_class(client) == ["govuk-template", "portal"]


def test_preferences_follow_the_login_to_another_device(db: None) -> None:
    user = User.objects.create(username="reader")
    logged_in(user).post(reverse("preferences:set"), {"elder": "1", "language": "en"})
    user.refresh_from_db()
    assert (user.elder, user.language, user.theme) == (True, "en", "light")
    assert html_class(logged_in(user)) == ["govuk-template", "portal", "elder"]


def test_language_is_kept_on_the_device(client: Client, db: None) -> None:
    client.post(reverse("preferences:set"), {"language": "en"})
    assert BeautifulSoup(client.get("/no-such-page/").content, "html.parser").html["lang"] == "en"


@pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)", ""])
def test_the_way_back_is_never_another_site(client: Client, db: None, target: str) -> None:
    assert client.post(reverse("preferences:set"), {"theme": "dark", "next": target}).url == "/"


def test_nonsense_changes_nothing_and_a_link_cannot_change_anything(client: Client, db: None) -> None:
    response = client.post(reverse("preferences:set"), {"elder": "7", "theme": "pink", "language": "xx"})
    assert response.cookies == {}
    assert client.get(reverse("preferences:set")).status_code == 405


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("/estimate/", "settlements:bills"),
        ("/catalogue/", "settlements:bills"),
        ("/claims/new/", "settlements:bills"),
        ("/account/statement/", "settlements:account"),
    ],
)
def test_each_page_stands_under_an_entry_of_the_navigation(path: str, current: str, people: People) -> None:
    page = BeautifulSoup(log_in(people.holder).get(path).content, "html.parser")
    assert [link["href"] for link in page.select("nav [aria-current=page]")] == [reverse(current)]
