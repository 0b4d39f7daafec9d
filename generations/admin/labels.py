"""AIGC labels for administrators: a project's policy beside it, and the register, read only."""

from __future__ import annotations

from django.contrib import admin

from generations.admin.read_only import ReadOnly
from generations.label_forms import LabelPolicyForm
from generations.models import LabelPolicy, Project


class LabelPolicyInline(admin.StackedInline[LabelPolicy, Project]):
    model = LabelPolicy
    form = LabelPolicyForm
    extra = 0
    max_num = 1


class UnlabelledDownloadAdmin(ReadOnly):
    list_display = ("created_at", "project", "user", "asset_public_id", "missing", "way", "reason")
    list_filter = ("way",)
    list_select_related = ("project", "user")
    search_fields = ("=asset_public_id", "reason", "user__username")
    ordering = ("-id",)
