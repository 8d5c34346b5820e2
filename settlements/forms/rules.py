"""A draft of rules: from which version, its text, the day it is to hold from, and over which bills it is tried."""

import datetime
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import dates
from settlements.actions import drafts, trials
from settlements.enums import CareKind

MONTHS_BACK = 24


class DraftForm(forms.Form):
    """The version that the draft begins as."""

    version = forms.ChoiceField(
        label=gettext_lazy("Version"),
        help_text=gettext_lazy("Those that have no end yet. The draft begins with its text."),
        error_messages={
            "required": gettext_lazy("Choose the version"),
            "invalid_choice": gettext_lazy("Choose a version of the list"),
        },
    )

    def __init__(self, *args: Any, versions: dict[str, tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.versions = versions
        self.fields["version"].choices = [(key, label) for key, (label, _version) in versions.items()]

    def clean_version(self) -> Any:
        return self.versions[self.cleaned_data["version"]][1]


class TextForm(forms.Form):
    """The text of a draft in the notation of regions/*.toml."""

    text = forms.CharField(
        label=gettext_lazy("Text of the version"),
        help_text=gettext_lazy(
            "One version as it would stand in the region's file, without its days. Give source, grade and note of what"
            " you change."
        ),
        widget=forms.Textarea({"rows": 32, "spellcheck": "false", "class": "portal-source", "dir": "ltr"}),
        max_length=drafts.MAX_TEXT,
        strip=False,
        error_messages={
            "required": gettext_lazy("Write the text of the version"),
            "max_length": gettext_lazy("Write at most %(limit_value)s characters"),
        },
    )

    def clean_text(self) -> str:
        return str(self.cleaned_data["text"]).replace("\r\n", "\n").strip() + "\n"


class PublishForm(forms.Form):
    """The day from which the draft holds."""

    valid_from = forms.DateField(
        label=gettext_lazy("Holds from"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": gettext_lazy("Write the first day on which it holds"),
            "invalid": gettext_lazy("Write the day like 2026-01-31"),
        },
    )
    # What was read is what is published.
    seen = forms.DateTimeField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, earliest: datetime.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["valid_from"]
        field.help_text = _("%(day)s at the earliest: no day that has begun, and none on which bills were settled.") % {
            "day": dates.day(earliest)
        }
        field.widget.attrs["min"] = earliest.isoformat()


class DiscardForm(forms.Form):
    """Why a draft is given up: needed where it is another's, who reads it."""

    reason = forms.CharField(
        label=gettext_lazy("Why is it discarded?"),
        help_text=gettext_lazy("Whoever made the draft reads it."),
        max_length=200,
        widget=forms.Textarea({"rows": 3}),
        error_messages={
            "required": gettext_lazy("Write for its maker why the draft is discarded"),
            "max_length": gettext_lazy("Write at most 200 characters"),
        },
    )

    def __init__(self, *args: Any, own: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = not own


class TrialForm(forms.Form):
    """Which settlements are decided anew."""

    over = forms.ChoiceField(
        label=gettext_lazy("Settlements"),
        error_messages={
            "required": gettext_lazy("Choose the settlements"),
            "invalid_choice": gettext_lazy("Choose from the list"),
        },
    )

    def __init__(self, *args: Any, today: datetime.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        last: list[tuple[str, str | Promise]] = [
            (str(count), _("The last %(count)s") % {"count": f"{count:,}"}) for count in trials.LAST
        ]
        months, day = [], today.replace(day=1)
        for _number in range(MONTHS_BACK):
            months.append((f"{day:%Y-%m}", dates.month(day)))
            day = (day - datetime.timedelta(days=1)).replace(day=1)
        self.fields["over"].choices = [(_("Last settlements"), last), (_("Settled in a month"), months)]

    def chosen(self) -> dict[str, Any]:
        """What `trials.start` takes."""
        over = self.cleaned_data["over"]
        return {"month": over} if "-" in over else {"last": int(over)}


class CatalogueSearch(forms.Form):
    """A code or a name, and for which care accounts would pay."""

    text = forms.CharField(
        label=gettext_lazy("Code or name"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("The beginning of a code, or any part of a name."),
        widget=forms.TextInput({"type": "search", "autocomplete": "off"}),
        error_messages={"max_length": gettext_lazy("Write at most 100 characters")},
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind of care"),
        choices=CareKind.choices,
        error_messages={
            "required": gettext_lazy("Choose the kind of care"),
            "invalid_choice": gettext_lazy("Choose the kind of care"),
        },
    )
