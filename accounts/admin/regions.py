"""Regions, their institutions and their service centres in the administration."""

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts import rule_text
from accounts.admin_base import ReadOnlyInline, RoleAdmin
from accounts.enums import Role
from accounts.models import BenefitYear, Institution, Region, ServiceCentre
from accounts.policies import regions_with_role


class BenefitYearInline(ReadOnlyInline):
    model = BenefitYear
    fields = ["year", "starts_on"]


@admin.register(Region)
class RegionAdmin(RoleAdmin):
    """Regions come from regions/*.toml."""

    list_display = ["code", "name", "two_buckets", "loaded_at"]
    fields = ["code", "name", "name_en", "two_buckets", "loaded_at", "further_rules"]
    readonly_fields = fields
    inlines = [BenefitYearInline]
    region_path = "pk"

    @admin.display(description=_("further rules"))
    def further_rules(self, region: Region) -> SafeString:
        """As lines, like those of its other rules."""
        return format_html("<pre>{}</pre>", "\n".join(rule_text.lines(region.data)))


class OfRegionAdmin(RoleAdmin):
    """What a region administrator keeps for his own regions."""

    editors = (Role.REGION_ADMIN,)
    region_path = "region"
    list_filter = ["region"]

    def formfield_for_foreignkey(self, field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if field.name == "region":
            kwargs["queryset"] = Region.objects.filter(pk__in=regions_with_role(request.user, Role.REGION_ADMIN))
        return super().formfield_for_foreignkey(field, request, **kwargs)


class InstitutionForm(forms.ModelForm):
    """A hospital or a pharmacy; its code is what it calls and signs with, so a wrong one is told when it is written."""

    class Meta:
        error_messages = {
            "code": {
                "required": _("Write the code of the institution"),
                "unique": _("This code is another institution's"),
            }
        }

    def clean_code(self) -> str:
        """fixmedins_code: H or P, six digits of the division, five of its own. One that stands already may be otherwise."""
        code: str = self.cleaned_data["code"].strip().upper()
        if "code" in self.changed_data and not re.fullmatch(r"[HP][0-9]{11}", code):
            raise forms.ValidationError(_("H or P and eleven digits, such as H31010100001"))
        return code


@admin.register(Institution)
class InstitutionAdmin(OfRegionAdmin):
    form = InstitutionForm
    labels = {"kind": _("Kind")}
    list_display = ["code", "name", "region", "kind", "level", "is_active"]
    list_filter = ["region", "kind", "level", "is_active"]
    search_fields = ["code", "name"]


@admin.register(ServiceCentre)
class ServiceCentreAdmin(OfRegionAdmin):
    list_display = ["name", "region", "address", "phone"]
    search_fields = ["name"]
