"""Rollovers in the administration: the list is Django's, every act is a page of our own."""

from django.contrib import admin
from django.urls import path

from settlements.admin.bases import OwnPagesAdmin
from settlements.models import RolloverRun
from settlements.views import adjusting, rollover


@admin.register(RolloverRun)
class RolloverRunAdmin(OwnPagesAdmin):
    list_display = ["year", "region", "state", "current_rate", "historical_rate", "released_at", "closed_at"]
    list_filter = ["state", "region"]
    list_select_related = ["region"]

    def get_urls(self):
        wrap = self.admin_site.admin_view
        name = "settlements_rolloverrun"
        return [
            path("<int:pk>/progress/", wrap(rollover.progress_part), name=f"{name}_progress"),
            path("<int:pk>/status.json", wrap(rollover.status_json), name=f"{name}_status"),
            path("status.json", wrap(rollover.status_all), name=f"{name}_statuses"),
            path("<int:pk>/report.csv", wrap(rollover.report), name=f"{name}_report"),
            path("<int:pk>/report.pdf", wrap(rollover.report_pdf), name=f"{name}_paper"),
            path("<int:pk>/adjust/", wrap(adjusting.plan), name=f"{name}_adjust"),
            path("adjustments/<int:pk>/", wrap(adjusting.detail), name=f"{name}_adjustment"),
            path("adjustments/<int:pk>/do/<slug:name>/", wrap(adjusting.act), name=f"{name}_adjustmentact"),
            path("<int:pk>/do/<slug:name>/", wrap(rollover.act), name=f"{name}_act"),
            path("<int:pk>/change/", wrap(rollover.detail), name=f"{name}_change"),
            path("add/", wrap(rollover.plan), name=f"{name}_add"),
            *super().get_urls(),
        ]
