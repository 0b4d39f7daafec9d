"""Pictures that are made and paid for and not stored here yet, each with its clock."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.admin.read_only import ReadOnly
from generations.models import AtRiskJob
from generations.models.runs import JobQuerySet
from generations.services import jobs


class AtRiskAdmin(ReadOnly):
    list_display = ("public_id", "until", "state", "tries", "reason", "user", "account")
    list_filter = ("account",)
    list_select_related = ("user", "account", "generation")
    search_fields = ("=remote_id", "=public_id")
    exclude = ("output_urls",)

    def get_queryset(self, request: HttpRequest) -> JobQuerySet:
        return jobs.not_archived() | jobs.at_risk(timezone.now())

    @admin.display(description=_("fetched by, or lost"), ordering="deadline_at")
    def until(self, row: AtRiskJob) -> object:
        return jobs.lost_at(row)
