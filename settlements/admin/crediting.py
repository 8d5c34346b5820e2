"""The administration's view of contributions and crediting runs: lists are Django's, every act is a page of our own."""

from django.contrib import admin
from django.urls import path
from django.utils.translation import gettext_lazy as _

from accounts import dates
from accounts.admin_base import RegionalAdmin
from accounts.admin_lists import DaysFilter
from settlements.admin.bases import OwnPagesAdmin
from settlements.models import Contribution, ContributionFile, CreditRun
from settlements.views import contributions, credit_runs


@admin.register(ContributionFile)
class ContributionFileAdmin(OwnPagesAdmin):
    """Uploaded by one administrator, released by another."""

    list_display = ["month_told", "region", "name", "state", "fault_count", "uploaded_by", "uploaded_at"]
    list_filter = ["state", "region"]
    list_select_related = ["region", "uploaded_by"]

    def get_queryset(self, request):
        return super().get_queryset(request).defer("content")

    @admin.display(description=_("month"), ordering="month")
    def month_told(self, file):
        return dates.month(file.month)

    def get_urls(self):
        wrap, name = self.admin_site.admin_view, "settlements_contributionfile"
        return [
            path("add/", wrap(contributions.upload), name=f"{name}_add"),
            path("template.csv", wrap(contributions.template), name=f"{name}_template"),
            path("<int:pk>/part/", wrap(contributions.part), name=f"{name}_part"),
            path("<int:pk>/mistakes.csv", wrap(contributions.mistakes), name=f"{name}_mistakes"),
            path("<int:pk>/do/<slug:name>/", wrap(contributions.act), name=f"{name}_act"),
            path("<int:pk>/change/", wrap(contributions.detail), name=f"{name}_change"),
            *super().get_urls(),
        ]


@admin.register(CreditRun)
class CreditRunAdmin(OwnPagesAdmin):
    """Begun by the calendar, by a file, or planned here: the clearing of a year."""

    list_display = ["period", "kind", "region", "state", "on", "released_at", "finished_at"]
    list_filter = ["state", "kind", "region"]
    list_select_related = ["region"]

    def get_urls(self):
        wrap, name = self.admin_site.admin_view, "settlements_creditrun"
        return [
            path("add/", wrap(credit_runs.plan), name=f"{name}_add"),
            path("<int:pk>/part/", wrap(credit_runs.part), name=f"{name}_part"),
            path("<int:pk>/do/<slug:name>/", wrap(credit_runs.act), name=f"{name}_act"),
            path("<int:pk>/change/", wrap(credit_runs.detail), name=f"{name}_change"),
            *super().get_urls(),
        ]


@admin.register(Contribution)
class ContributionAdmin(RegionalAdmin):
    """The dated history of bases; read only."""

    region_path = "file__region"
    labels = {"member": _("member")}
    list_display = ["member", "month_told", "base", "file", "line"]
    list_filter = [("month", DaysFilter)]
    list_select_related = ["member", "file"]
    search_fields = ["=member__id"]

    @admin.display(description=_("month"), ordering="month")
    def month_told(self, contribution):
        return dates.month(contribution.month)

    def get_queryset(self, request):
        return super().get_queryset(request).defer("file__content")
