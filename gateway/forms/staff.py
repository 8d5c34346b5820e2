"""Forms of the region's staff: why a message is read, and what an institution has of its own."""

import datetime
import ipaddress
import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import clock, once
from gateway.envelope import OUTPUT
from gateway.models import InstitutionKey, InstitutionSettings

LEAST_REASON, MOST_REASON = 5, 200
MOST_FIELDS = 10
OWN = {
    "infcode", "inf_refmsgid", "refmsg_time", "respond_time", "warn_msg", "cainfo", "signtype", "err_msg"
}  # fmt: skip


class ReasonForm(forms.Form):
    """Why somebody's data is read."""

    reason = forms.CharField(
        label=_("Why do you read it?"),
        help_text=_("It is kept with your name, and the person sees it."),
        min_length=LEAST_REASON,
        max_length=MOST_REASON,
        error_messages={
            "required": _("Say why you read this message"),
            "min_length": _("At least %(limit_value)s characters: say more, such as the number of the complaint"),
            "max_length": _("At most %(limit_value)s characters; shorten it"),
        },
    )


class KeyForm(forms.ModelForm):
    """What is chosen when a key is issued."""

    token = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = InstitutionKey
        fields = ["institution", "variant", "valid_until"]
        help_texts = {"valid_until": _("Empty: it is valid until it is retired.")}
        error_messages = {"institution": {"required": _("Choose the institution")}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault(once.FIELD, once.new_token())
        until = self.fields["valid_until"]
        wrong = _("Write day and time, such as 2027-12-31 and 23:59, or leave both empty")
        until.error_messages |= {"invalid_date": wrong, "invalid_time": wrong}
        for part in getattr(until, "fields", ()):
            part.error_messages["invalid"] = wrong
        # The administration asks for day and time in two boxes and names neither of them to a screen reader.
        boxes = getattr(self.fields["valid_until"].widget, "widgets", ())
        for box, name in zip(boxes, (_("Until, date"), _("Until, time")), strict=False):
            box.attrs["aria-label"] = name

    def clean_valid_until(self) -> datetime.datetime | None:
        """A moment that is over would be a key that never signs."""
        until: datetime.datetime | None = self.cleaned_data["valid_until"]
        if until is not None and until <= clock.now():
            raise forms.ValidationError(_("Write a moment to come, or leave it empty: valid until it is retired"))
        return until


class NetworksField(forms.CharField):
    """Addresses and networks, one a line."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def to_python(self, value: Any) -> Any:
        found = []
        for text in re.split(r"[\s,;，；]+", value or ""):
            if not text:
                continue
            try:
                found.append(str(ipaddress.ip_network(text)))
            except ValueError:
                raise forms.ValidationError(
                    _("%(text)s is no address and no network; write it like 203.0.113.9 or 203.0.113.0/24"),
                    params={"text": text},
                ) from None
        return found


class SettingsForm(forms.ModelForm):
    """What `InstitutionSettings` holds, checked where it is written."""

    networks = NetworksField(
        label=_("allowed addresses"),
        required=False,
        help_text=_(
            "Addresses or networks from which it calls, one a line, such as 203.0.113.0/24. Empty: from anywhere."
        ),
    )

    class Meta:
        model = InstitutionSettings
        fields = ["institution", "infcode_as_text", "extra_fields", "networks", "one_is_own", "sign_in_required"]
        # As they are: Django would begin them with a capital, and then they are no names of the interface.
        labels = {
            "infcode_as_text": _("infcode as text"),
            "one_is_own": _("acct_used_flag 1 is the own account alone"),
        }

    def clean_extra_fields(self) -> dict[str, Any]:
        """An object of few plain values under names that the interface does not use itself."""
        found = self.cleaned_data["extra_fields"] or {}
        if not isinstance(found, dict) or len(found) > MOST_FIELDS:
            raise forms.ValidationError(_('Write an object with at most ten fields, such as {"enctype": ""}'))
        inside = found.get(OUTPUT, {"": ""})
        if not isinstance(inside, dict) or not 0 < len(inside) <= MOST_FIELDS:
            raise forms.ValidationError(_('output must be an object with something in it, such as {"result": "ok"}'))
        plain = {name: value for name, value in found.items() if name != OUTPUT}
        for name, value in [*plain.items(), *(inside.items() if OUTPUT in found else ())]:
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", name) or name in OWN:
                raise forms.ValidationError(
                    _("%(name)s cannot be added: it is no name, or the interface has it"), params={"name": name}
                )
            if not isinstance(value, str | int | None) or len(str(value)) > MOST_REASON:
                raise forms.ValidationError(
                    _("%(name)s must be a short text, a whole number or null"), params={"name": name}
                )
        return found
