"""Rules, their drafts and the catalogue in the administration: lists are Django's, every act is a page of our own."""

from django.contrib import admin
from django.urls import path

from accounts.admin_base import RoleAdmin, RulesAdmin
from settlements.admin.bases import OwnPagesAdmin
from settlements.models import CatalogueFile, CatalogueItem, CreditRule, RuleDraft, Scheme
from settlements.views import catalogue_files, drafts


@admin.register(RuleDraft)
class RuleDraftAdmin(OwnPagesAdmin):
    """Made by one administrator, published by another."""

    list_display = [
        "region",
        "part",
        "insurance",
        "kind",
        "state",
        "made_by",
        "edited_at",
        "valid_from",
        "published_by",
    ]
    list_display_links = ["region", "part"]
    list_filter = ["state", "part", "region"]
    list_select_related = ["region", "made_by", "published_by"]

    def get_urls(self):
        wrap, name = self.admin_site.admin_view, "settlements_ruledraft"
        return [
            path("add/", wrap(drafts.make), name=f"{name}_add"),
            path("<int:pk>/part/", wrap(drafts.part), name=f"{name}_part"),
            path("<int:pk>/edit/", wrap(drafts.edit), name=f"{name}_edit"),
            path("<int:pk>/what-if/", wrap(drafts.what_if), name=f"{name}_whatif"),
            path("<int:pk>/publish/", wrap(drafts.publish), name=f"{name}_publish"),
            path("<int:pk>/discard/", wrap(drafts.discard), name=f"{name}_discard"),
            path("<int:pk>/do/<slug:name>/", wrap(drafts.act), name=f"{name}_act"),
            path("<int:pk>/change/", wrap(drafts.detail), name=f"{name}_change"),
            *super().get_urls(),
        ]


@admin.register(CatalogueFile)
class CatalogueFileAdmin(OwnPagesAdmin):
    """Uploaded by one administrator, released by another."""

    list_display = ["valid_from", "region", "name", "state", "fault_count", "uploaded_by", "uploaded_at", "released_at"]
    list_filter = ["state", "region"]
    list_select_related = ["region", "uploaded_by"]

    def get_queryset(self, request):
        return super().get_queryset(request).defer("content")

    def get_urls(self):
        wrap, name = self.admin_site.admin_view, "settlements_cataloguefile"
        return [
            path("add/", wrap(catalogue_files.upload), name=f"{name}_add"),
            path("template.csv", wrap(catalogue_files.template), name=f"{name}_template"),
            path("<int:pk>/part/", wrap(catalogue_files.part), name=f"{name}_part"),
            path("<int:pk>/mistakes.csv", wrap(catalogue_files.mistakes), name=f"{name}_mistakes"),
            path("<int:pk>/do/<slug:name>/", wrap(catalogue_files.act), name=f"{name}_act"),
            path("<int:pk>/change/", wrap(catalogue_files.detail), name=f"{name}_change"),
            *super().get_urls(),
        ]


@admin.register(Scheme)
class SchemeAdmin(RulesAdmin):
    keys = ("insurance", "kind")


@admin.register(CreditRule)
class CreditRuleAdmin(RulesAdmin):
    pass


@admin.register(CatalogueItem)
class CatalogueItemAdmin(RoleAdmin):
    list_display = ["code", "name", "region", "item_class", "self_pay_percent", "price_limit", "valid_from", "valid_to"]
    list_filter = ["region"]
    list_select_related = ["region"]
    search_fields = ["code", "name"]
