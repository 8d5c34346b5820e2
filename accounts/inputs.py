"""Form fields that take what people really type: full-width digits, spaces, commas, three boxes for a date.

Each form gives its own `error_messages["required"]`: the defaults here say what is wrong with a value,
not which one is missing.
"""

import datetime
import re
import unicodedata
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts import clock
from accounts.domain import id_number, names, phone
from accounts.money import BadAmount, parse_amount

GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")


def narrow(text: str | None) -> str:
    """Full-width letters and digits made narrow, spaces taken out."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text or ""))


def row_number(text: str | None) -> int | None:
    """The number of a row out of an address or a form; None for whatever is none."""
    return int(text) if text and re.fullmatch(r"[0-9]{1,18}", text) else None


class DatePartsWidget(forms.MultiWidget):
    """Year, month and day in three boxes; nothing jumps from box to box (that traps screen reader users)."""

    template_name = "django/forms/widgets/date_parts.html"
    use_fieldset = True
    parts = (("year", _("Year"), 4), ("month", _("Month"), 2), ("day", _("Day"), 2))

    def __init__(self, attrs: dict | None = None, autocomplete: str = "") -> None:
        self.autocomplete = autocomplete
        widgets = {name: forms.TextInput({"inputmode": "numeric"}) for name, _label, _width in self.parts}
        super().__init__(widgets, attrs)

    def decompress(self, value: datetime.date | None) -> list:
        return [value.year, value.month, value.day] if value else [None, None, None]

    def get_context(self, name: str, value: object, attrs: dict | None) -> dict:
        context = super().get_context(name, value, attrs)
        for box, (part, label, width) in zip(context["widget"]["subwidgets"], self.parts, strict=True):
            box["label"] = label
            box["width"] = width
            if self.autocomplete:
                box["attrs"]["autocomplete"] = f"{self.autocomplete}-{part}"
        return context


class DatePartsField(forms.MultiValueField):
    """A date from three boxes; an impossible one (30 February) is refused as a whole."""

    widget = DatePartsWidget
    default_error_messages = {
        "incomplete": _("Enter the year, the month and the day"),
        "invalid": _("There is no such day, check the year, the month and the day"),
    }

    def __init__(self, **kwargs: object) -> None:
        boxes = [forms.CharField(max_length=8) for _part in DatePartsWidget.parts]
        super().__init__(boxes, require_all_fields=True, **kwargs)

    def clean(self, value: object) -> datetime.date | None:
        texts = [narrow(str(part or "")) for part in value or []]
        # The base class would call a half-filled date simply missing.
        if any(texts) and not all(texts):
            raise ValidationError(self.error_messages["incomplete"], code="incomplete")
        return super().clean(value)

    def compress(self, data_list: list[str]) -> datetime.date | None:
        if not data_list:
            return None
        try:
            year, month, day = (int(narrow(part)) for part in data_list)
            return datetime.date(year, month, day)
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class MoneyWidget(forms.TextInput):
    """A box for yuan with the unit beside it."""

    template_name = "django/forms/widgets/money.html"

    def __init__(self, attrs: dict | None = None) -> None:
        super().__init__(
            {"inputmode": "decimal", "autocomplete": "off", "class": "govuk-input--width-10"} | (attrs or {})
        )

    def format_value(self, value: object) -> str | None:
        return f"{value:,.2f}" if isinstance(value, Decimal) else super().format_value(value)


class MoneyField(forms.Field):
    """Decimal yuan, at most two decimals; `min_value` and `max_value` in yuan."""

    widget = MoneyWidget
    default_error_messages = {
        "amount_format": _("Enter an amount like 1200 or 1200.50"),
        "amount_wide": _("Type the amount in half-width digits, like 1200"),
        "amount_too_large": _("This amount is too large"),
        "min_value": _("Enter an amount that is large enough"),
        "max_value": _("This amount is too large"),
    }

    def __init__(self, *, min_value: Decimal | None = None, max_value: Decimal | None = None, **kwargs: object) -> None:
        self.min_value, self.max_value = min_value, max_value
        super().__init__(**kwargs)

    def to_python(self, value: object) -> Decimal | None:
        if isinstance(value, Decimal):
            return value
        # Invoices print the sign before the amount, and whoever copies them types it.
        text = str(value or "").strip(" ").removesuffix("元").lstrip("¥￥").strip(" ")
        if not text:
            return None
        # Digits of other widths and commas between other places are not guessed at: what was meant would be money.
        if GROUPED.fullmatch(text):
            text = text.replace(",", "")
        try:
            return parse_amount(text)
        except BadAmount as bad:
            code = "amount_wide" if unicodedata.normalize("NFKC", text) != text else bad.code
            raise ValidationError(self.error_messages[code], code=code) from None

    def validate(self, value: Decimal | None) -> None:
        super().validate(value)
        if value is None:
            return
        if self.min_value is not None and value < self.min_value:
            raise ValidationError(self.error_messages["min_value"], code="min_value")
        if self.max_value is not None and value > self.max_value:
            raise ValidationError(self.error_messages["max_value"], code="max_value")

    def has_changed(self, initial: object, data: object) -> bool:
        try:
            return self.to_python(initial) != self.to_python(data)
        except ValidationError:
            return True


class NarrowField(forms.CharField):
    """Text whose full-width forms and spaces are put right before anything looks at it."""

    box: dict[str, str] = {}

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        for name, value in self.box.items():
            self.widget.attrs.setdefault(name, value)

    def to_python(self, value: object) -> str:
        return narrow(super().to_python(value))


class IdNumberField(NarrowField):
    """An ID number as the register writes it; a wrong one is refused with the part that is wrong."""

    # Not type=number and not a numeric keypad: both keep people from typing X.
    box = {
        "autocomplete": "off",
        "autocapitalize": "characters",
        "spellcheck": "false",
        "class": "govuk-input--width-20",
    }
    default_error_messages = {
        "id_length": _("An ID number has 18 characters, this one has %(length)s"),
        "id_characters": _("An ID number is made of digits, only the last may be an X"),
        "id_province": _("The first two digits of the ID number are not right, please check them"),
        "id_birth": _("The date of birth in the ID number is not right, please check digits 7 to 14"),
        "id_future": _("The date of birth in the ID number has not come yet, please check digits 7 to 14"),
        "id_check": _("The last character of the ID number does not fit, please check the number"),
    }

    def to_python(self, value: object) -> str:
        number = super().to_python(value)
        if not number:
            return ""
        try:
            return id_number.parse(number, on=clock.today())
        except id_number.BadIdNumber as bad:
            raise ValidationError(self.error_messages[bad.code], code=bad.code, params={"length": bad.length}) from None


class NameField(forms.CharField):
    """A person's name in any script; spaces and middle dots put right, characters never replaced."""

    default_error_messages = {
        "name_too_long": _("A name has at most 50 characters"),
        "name_characters": _("A name has no digits and no signs, please check it"),
    }

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        for name, value in {"autocomplete": "off", "class": "govuk-input--width-20"}.items():
            self.widget.attrs.setdefault(name, value)

    def to_python(self, value: object) -> str:
        text = super().to_python(value)
        if not text:
            return ""
        try:
            return names.parse(text)
        except names.BadName as bad:
            raise ValidationError(self.error_messages[bad.code], code=bad.code) from None


class PhoneField(NarrowField):
    """A mobile number of mainland China, eleven digits."""

    box = {"inputmode": "tel", "autocomplete": "tel-national", "class": "govuk-input--width-10"}
    default_error_messages = {"phone_format": _("Enter a mobile number of 11 digits that begins with 1")}

    def to_python(self, value: object) -> str:
        number = super().to_python(value)
        if not number:
            return ""
        try:
            return phone.parse(number)
        except phone.BadPhone as bad:
            raise ValidationError(self.error_messages["phone_format"], code=bad.code) from None


class CodeField(NarrowField):
    """The six digits of a text message."""

    box = {"inputmode": "numeric", "autocomplete": "one-time-code", "class": "portal-code"}
    default_error_messages = {"invalid": _("The code has 6 digits")}

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and not re.fullmatch(r"[0-9]{6}", value):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
