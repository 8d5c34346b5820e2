"""Forms of closing an account at the window; heirs stand in rows that are added and taken away by sending the form."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.forms.utils import ErrorDict, ErrorList
from django.utils.translation import gettext_lazy as _

from accounts import clock, inputs
from accounts.enums import Relation
from accounts.models import Region
from family.forms import VersionForm
from settlements.actions.payees import PayeeAsked
from settlements.domain.withdrawal import INHERITANCE, TRANSFER_OUT, WITHDRAWAL
from settlements.enums import PayeeWay
from settlements.models import WithdrawalApplication
from settlements.queries.withdrawal import Purse
from settlements.texts.closing import REASON_HINTS

ELSEWHERE = "elsewhere"
MOST_HEIRS = 20
SINCE_LABELS = {
    WITHDRAWAL: _("Since which day"),
    INHERITANCE: _("Day of death"),
    TRANSFER_OUT: _("First day insured in the new region"),
}


class BankAccountField(inputs.NarrowField):
    """The number of a bank account: 8 to 30 digits; spaces and hyphens are put right."""

    box = {"autocomplete": "off", "inputmode": "numeric", "class": "govuk-input--width-20"}
    default_error_messages = {"bank_digits": _("A bank account has 8 to 30 digits, please check the number")}

    def to_python(self, value: object) -> str:
        number = super().to_python(value).replace("-", "")
        if number and not re.fullmatch(r"[0-9]{8,30}", number):
            raise forms.ValidationError(self.error_messages["bank_digits"], code="bank_digits")
        return number


class PercentField(inputs.NarrowField):
    """A share in percent: more than 0, at most 100, two decimals."""

    box = {"autocomplete": "off", "inputmode": "decimal", "class": "govuk-input--width-5"}
    default_error_messages = {"percent": _("Enter a share like 50 or 33.33, more than 0 and at most 100")}

    def to_python(self, value: object) -> Decimal | None:  # type: ignore[override]
        text = super().to_python(value).removesuffix("%")
        if not text:
            return None
        if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2})?", text) or not 0 < Decimal(text) <= 100:
            raise forms.ValidationError(self.error_messages["percent"], code="percent")
        return Decimal(text)

    def prepare_value(self, value: object) -> object:
        return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def bank_field() -> forms.CharField:
    return forms.CharField(
        label=_("Bank and branch"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"max_length": _("At most 60 characters")},
    )


def bank_account_field() -> BankAccountField:
    return BankAccountField(label=_("Bank account"), required=False, max_length=40)


class ClosingForm(VersionForm):
    """Why and since when; and for a withdrawal the bank account, for a transfer the region."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the reason"), "invalid_choice": _("Choose one of the reasons")},
    )
    since = inputs.DatePartsField(label=_("Since which day"), error_messages={"required": _("Enter the day")})
    region = forms.ChoiceField(
        label=_("New region"),
        error_messages={"required": _("Choose one of the regions"), "invalid_choice": _("Choose one of the regions")},
    )
    place = forms.CharField(
        label=_("Office of the new region"),
        help_text=_("Only if the region is not in the list."),
        max_length=60,
        required=False,
        error_messages={"max_length": _("At most 60 characters")},
    )
    bank = bank_field()
    bank_account = bank_account_field()
    agent_name = inputs.NameField(
        label=_("Agent"),
        help_text=_("Only if somebody else acts for the applicant, with a written authority."),
        required=False,
    )

    def __init__(self, kind: str, reasons: tuple[str, ...], purse: Purse, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.kind, self.purse = kind, purse
        self.fields["version"].required = False
        self.fields["since"].label = SINCE_LABELS[kind]
        self.fields["reason"].choices = [(reason, REASON_HINTS[reason]) for reason in reasons]
        if len(reasons) == 1:
            self.fields["reason"].widget = forms.HiddenInput()
            self.initial["reason"] = reasons[0]
        if kind != TRANSFER_OUT:
            del self.fields["region"], self.fields["place"]
        else:
            others = Region.objects.exclude(pk=purse.region_id).order_by("code")
            # None is chosen beforehand: the first of the list would be where somebody's money goes.
            self.fields["region"].choices = [
                ("", _("choose")),
                *((one.pk, one.local_name) for one in others),
                (ELSEWHERE, _("Another region")),
            ]
        if kind != WITHDRAWAL:
            del self.fields["bank"], self.fields["bank_account"]
        else:
            self.fields["bank"].required = self.fields["bank_account"].required = True
            self.fields["bank"].error_messages["required"] = _("Enter the bank and its branch")
            self.fields["bank_account"].error_messages["required"] = _("Enter the bank account")
            self.fields["bank_account"].help_text = _("In the name of the member himself.")

    def clean_since(self) -> Any:
        since = self.cleaned_data["since"]
        if since and since > clock.today():
            raise forms.ValidationError(_("This day has not come yet"), code="future")
        return since

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.kind == TRANSFER_OUT and cleaned.get("region") == ELSEWHERE and len(cleaned.get("place", "")) < 2:
            self.add_error("place", _("Write which office gets the balance"))
        return cleaned

    def payees(self) -> list[PayeeAsked]:
        """Who gets the money, but for heirs."""
        data, member = self.cleaned_data, self.purse.member
        if self.kind == WITHDRAWAL:
            return [
                PayeeAsked(
                    way=PayeeWay.BANK,
                    name=member.name,
                    id_number=member.id_number,
                    bank=data["bank"],
                    bank_account=data["bank_account"],
                )
            ]
        region = Region.objects.filter(pk=data["region"]).first()
        return [PayeeAsked(way=PayeeWay.REGION, name=region.local_name if region else data["place"], region=region)]


class HeirForm(forms.Form):
    """One heir."""

    name = inputs.NameField(label=_("Name"), error_messages={"required": _("Enter the heir's name")})
    id_number = inputs.IdNumberField(label=_("ID number"), error_messages={"required": _("Enter the heir's ID number")})
    relation = forms.ChoiceField(
        label=_("To the deceased"),
        choices=[("", _("choose")), *Relation.choices],
        error_messages={"required": _("Choose the relation"), "invalid_choice": _("Choose one of the relations")},
    )
    percent = PercentField(label=_("Share, percent"), error_messages={"required": _("Enter the share")})
    way = forms.ChoiceField(
        label=_("How it is paid"),
        choices=[
            (PayeeWay.ACCOUNT, _("Into the heir's personal account")),
            (PayeeWay.BANK, _("To a bank account")),
        ],
        error_messages={"required": _("Choose how it is paid"), "invalid_choice": _("Choose one of the ways")},
    )
    bank = bank_field()
    bank_account = bank_account_field()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("way") == PayeeWay.BANK:
            if not cleaned.get("bank"):
                self.add_error("bank", _("Enter the bank and its branch"))
            if not cleaned.get("bank_account") and "bank_account" not in self.errors:
                self.add_error("bank_account", _("Enter the bank account"))
        return cleaned

    def asked(self) -> PayeeAsked:
        """As the action takes it; a bank account beside another way is not kept."""
        data = dict(self.cleaned_data)
        if data["way"] != PayeeWay.BANK:
            data["bank"] = data["bank_account"] = ""
        return PayeeAsked(**data)


class BaseHeirs(forms.BaseFormSet):
    """The table of heirs."""

    row_label = _("Heir %(number)s")

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        """A row that is there is an heir: one left empty is a mistake to be told, not a row to be skipped."""
        return super()._construct_form(i, **kwargs | {"empty_permitted": False, "use_required_attribute": False})

    def say_nothing(self) -> None:
        """A row was added or taken away: what is typed stays, and nobody is told yet what is missing."""
        self._errors = [ErrorDict() for _form in self.forms]
        self._non_form_errors = ErrorList()
        for form in self.forms:
            form._errors = ErrorDict()


Heirs = forms.formset_factory(
    HeirForm, formset=BaseHeirs, extra=0, min_num=0, max_num=MOST_HEIRS, absolute_max=MOST_HEIRS
)
PREFIX = "heirs"


def changed_rows(data: Any, *, add: bool = False, drop: int | None = None) -> dict[str, Any]:
    """What was sent, with a row of heirs more, or without one."""
    flat = {key: data.get(key) for key in data}
    count = {str(count): count for count in range(MOST_HEIRS + 1)}.get(flat.get(f"{PREFIX}-TOTAL_FORMS"), 0)
    rows = [{field: flat.pop(f"{PREFIX}-{at}-{field}", "") for field in HeirForm.base_fields} for at in range(count)]
    if drop is not None and drop < len(rows):
        rows.pop(drop)
    if add and len(rows) < MOST_HEIRS:
        rows.append(dict.fromkeys(HeirForm.base_fields, ""))
    for at, row in enumerate(rows):
        flat |= {f"{PREFIX}-{at}-{field}": value for field, value in row.items()}
    return flat | {f"{PREFIX}-TOTAL_FORMS": str(len(rows)), f"{PREFIX}-INITIAL_FORMS": "0"}


def initial_closing(application: WithdrawalApplication) -> dict[str, Any]:
    """What the form says when an application is changed."""
    initial = {
        "reason": application.reason,
        "since": application.since,
        "agent_name": application.case.agent_name,
        "version": application.case.version,
    }
    payee = application.payees.order_by("position").first()
    if payee is not None and application.case.kind == WITHDRAWAL:
        initial |= {"bank": payee.bank, "bank_account": payee.bank_account}
    if payee is not None and application.case.kind == TRANSFER_OUT:
        initial |= {"region": payee.region_id or ELSEWHERE, "place": "" if payee.region_id else payee.name}
    return initial


def initial_heirs(application: WithdrawalApplication) -> list[dict[str, Any]]:
    """The rows of heirs when an application is changed."""
    return [
        {field: getattr(payee, field) or "" for field in HeirForm.base_fields}
        for payee in application.payees.order_by("position")
        if payee.way != PayeeWay.FUND
    ]
