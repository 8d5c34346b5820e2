"""What is typed at the till: whom to look for, how many at what price, whose account may pay."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.inputs import MoneyField, MoneyWidget
from accounts.models import Region
from accounts.money import plain
from gateway.actions.bills import ACCOUNTS_USED, ONE_IS_OWN
from portal.till.visit import Item

MOST_PRICE, MOST_QUANTITY = Decimal("50000.00"), 999
# What may pay -> how it is offered; the code for it is the institution's (docs/decisions, 0010).
OFFERED = {
    (True, True): gettext_lazy("Own account, then relatives' accounts"),
    (True, False): gettext_lazy("Own account only"),
    (False, True): gettext_lazy("Relatives' accounts only"),
    (False, False): gettext_lazy("No account"),
}


class PatientSearch(forms.Form):
    """Narrows the list of people."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=20,
        widget=forms.TextInput({"type": "search", "autocomplete": "off", "class": "govuk-input--width-10"}),
        error_messages={"max_length": gettext_lazy("Write at most %(limit_value)s characters")},
    )
    region = forms.ChoiceField(
        label=gettext_lazy("Insured in"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose a region of the list")},
    )
    everybody = forms.BooleanField(label=gettext_lazy("Also people with whom nobody shares"), required=False)

    def __init__(self, *args: Any, regions: list[Region], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region"].choices = [(region.pk, region.local_name) for region in regions]


class ItemForm(forms.Form):
    """Quantity and price of a line of the basket; the boxes stand in a table that names them."""

    quantity = forms.IntegerField(
        min_value=1,
        max_value=MOST_QUANTITY,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off", "class": "govuk-input--width-3"}),
        error_messages={
            "required": gettext_lazy("Enter how many"),
            "invalid": gettext_lazy("Enter a whole number, like 2"),
            "min_value": gettext_lazy("At least 1; a line that is not wanted is removed"),
            "max_value": gettext_lazy("At most %(limit_value)s"),
        },
    )
    price = MoneyField(
        min_value=Decimal("0.01"),
        max_value=MOST_PRICE,
        widget=MoneyWidget({"class": "govuk-input--width-5"}),
        error_messages={
            "required": gettext_lazy("Enter a price"),
            "min_value": gettext_lazy("Enter a price above nought"),
            "max_value": gettext_lazy("Enter a price of at most 50,000 yuan"),
        },
    )

    def __init__(self, *args: Any, item: Item, number: int, **kwargs: Any) -> None:
        super().__init__(*args, prefix=f"line{number}", **kwargs)
        self.item, self.number = item, number
        self.fields["quantity"].label = _("Quantity of %(name)s") % {"name": item.name}
        self.fields["price"].label = _("Price of %(name)s in yuan") % {"name": item.name}
        for name in self.fields:
            self.fields[name].widget.attrs["aria-label"] = self.fields[name].label
        self.initial = {"quantity": item.quantity, "price": Decimal(item.price)}

    def apply(self) -> None:
        """The line as it was typed."""
        quantity, price = str(self.cleaned_data["quantity"]), plain(self.cleaned_data["price"])
        if [quantity, price] != [self.item.quantity, self.item.price]:
            self.item.quantity, self.item.price, self.item.cut = quantity, price, None


class AccountForm(forms.Form):
    """Whose account may pay: acct_used_flag, as this institution means it."""

    flag = forms.ChoiceField(
        label=gettext_lazy("Account"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose whose account may pay"),
            "invalid_choice": gettext_lazy("Choose one of the list"),
        },
    )

    def __init__(self, *args: Any, one_is_own: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        meant = ONE_IS_OWN if one_is_own else ACCOUNTS_USED
        flags = sorted(meant, key=lambda flag: list(OFFERED).index(meant[flag]))
        self.fields["flag"].choices = [(flag, OFFERED[meant[flag]]) for flag in flags]
        self.fields["flag"].help_text = (
            _("The code sent is acct_used_flag; with this institution 1 means the own account alone.")
            if one_is_own
            else _(
                "The code sent is acct_used_flag; with this institution 1 means the own account, then the relatives'."
            )
        )
