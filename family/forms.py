"""Forms of family sharing; each field says in its own words what is missing."""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import inputs
from accounts.enums import Relation
from accounts.once import OnceForm
from family.domain import order
from family.domain.check import Terms
from family.domain.rules import SharingRules
from family.models import Commitment, SharingApplication, SharingGrant

DAY = datetime.timedelta(days=1)
CARE, PREMIUM = "care", "premium"
USES = [(CARE, _("Care and medicine")), (PREMIUM, _("Premiums of the residents' insurance"))]
# As the region's rules call what is chosen here.
USES_IN_RULES = {CARE: "pay", PREMIUM: "premium"}
UNREADABLE = _("The page was not sent whole. Please look at it and send it again.")


def relation_field(label: Any = None) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label or _("This relative is my"),
        choices=Relation.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the relation"), "invalid_choice": _("Choose one of the relations")},
    )


def version_field() -> forms.IntegerField:
    """Which state of the case or list the page showed: what somebody else has changed meanwhile is not changed unseen."""
    return forms.IntegerField(widget=forms.HiddenInput, error_messages={"required": UNREADABLE, "invalid": UNREADABLE})


class WhoForm(OnceForm):
    """Step 1: the relative, as the ID card says."""

    name = inputs.NameField(
        label=_("Name of the relative"),
        help_text=_("As on the ID card."),
        error_messages={"required": _("Enter the name of the relative")},
    )
    id_number = inputs.IdNumberField(
        label=_("ID number of the relative"),
        help_text=_("18 characters; an X at the end may be small."),
        error_messages={"required": _("Enter the ID number of the relative")},
    )
    relation = relation_field()


class TermsForm(OnceForm):
    """Step 2: for what, how much, until when. Only uses that the region offers can be chosen."""

    uses = forms.MultipleChoiceField(
        label=_("What may the account pay?"),
        choices=USES,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one use"), "invalid_choice": _("Choose one of these uses")},
    )
    limit = inputs.MoneyField(
        label=_("At most how much a year?"),
        help_text=_("Leave it empty for no limit. You can change it at any time."),
        required=False,
        min_value=Decimal("0.01"),
        error_messages={
            "min_value": _("The limit must be more than nought; leave it empty for no limit"),
            "amount_too_large": _("This limit is too large; leave it empty for no limit"),
        },
    )
    last_day = inputs.DatePartsField(
        label=_("Until which day?"),
        help_text=_("Leave it empty for open-ended. Either of you can end it at any time."),
        required=False,
    )

    def __init__(self, rules: SharingRules | None, on: datetime.date, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on = on
        offered = [use for use in USES if rules is None or USES_IN_RULES[use[0]] in rules.uses]
        self.fields["uses"].choices = offered
        self.initial.setdefault("uses", [code for code, _label in offered])

    def clean_last_day(self) -> datetime.date | None:
        day: datetime.date | None = self.cleaned_data["last_day"]
        if day is not None and day < self.on:
            raise forms.ValidationError(_("This day has passed; choose a later one or leave it empty"))
        return day

    @property
    def terms(self) -> Terms:
        """What is offered; `ends_on` is the first day without it."""
        data = self.cleaned_data
        last = data.get("last_day")
        return Terms(
            care=CARE in data["uses"],
            premium=PREMIUM in data["uses"],
            limit=data["limit"],
            ends_on=last + DAY if last else None,
        )


class AmendForm(TermsForm):
    """A draft or a returned application: the terms, and the relation."""

    relation = relation_field()
    version = version_field()
    field_order = ["relation", "uses", "limit", "last_day"]


class LimitForm(TermsForm):
    """A grant that is there: for what and how much. When it ends is a matter of ending it."""

    last_day = None


def initial_terms(sharing: SharingApplication | SharingGrant) -> dict[str, Any]:
    """What the forms above begin with for what is there already."""
    uses = [code for code, chosen in ((CARE, sharing.uses_care), (PREMIUM, sharing.uses_premium)) if chosen]
    last = sharing.ends_on - DAY if sharing.ends_on else None
    return {"uses": uses, "limit": sharing.limit, "last_day": last, "relation": sharing.relation}


class SignForm(OnceForm):
    """The signature under a commitment: which text was read, and which state of the case."""

    agree = forms.BooleanField(
        label=_("I have read it, and I promise all of this"),
        error_messages={"required": _("Tick the box to sign")},
    )
    version = version_field()
    commitment = forms.ModelChoiceField(
        Commitment.objects.all(),
        widget=forms.HiddenInput,
        error_messages={"required": UNREADABLE, "invalid_choice": UNREADABLE},
    )


class PaperSignForm(SignForm):
    """The same at the window, where the applicant signs on paper."""

    agree = forms.BooleanField(
        label=_("The applicant has read the commitment and signed it on paper"),
        error_messages={"required": _("Let the applicant sign first, then tick the box")},
    )


class VersionForm(OnceForm):
    """A button on something that somebody else may have changed meanwhile."""

    version = version_field()


class MoveForm(forms.Form):
    """One press on the order list, or one drop. Sending it twice is caught by the version."""

    id = forms.UUIDField(error_messages={"required": UNREADABLE, "invalid": UNREADABLE})
    version = version_field()
    move = forms.ChoiceField(
        choices=[(move, move) for move in order.MOVES],
        required=False,
        error_messages={"invalid_choice": UNREADABLE},
    )
    position = forms.IntegerField(
        required=False, min_value=1, error_messages={"invalid": UNREADABLE, "min_value": UNREADABLE}
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("move") and not cleaned.get("position"):
            raise forms.ValidationError(UNREADABLE)
        return cleaned

    def applied_to(self, grants: Sequence[SharingGrant]) -> tuple[list[int], SharingGrant] | None:
        """The ids of the grants in the new order and the one moved; None if it is not among them (any more)."""
        public_id: UUID = self.cleaned_data["id"]
        moved = next((grant for grant in grants if grant.public_id == public_id), None)
        if moved is None:
            return None
        ids = [grant.pk for grant in grants]
        if self.cleaned_data.get("position"):
            return order.place(ids, moved.pk, self.cleaned_data["position"]), moved
        return order.move(ids, moved.pk, self.cleaned_data["move"]), moved
