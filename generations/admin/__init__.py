"""The administrators' side: Django's own admin, under our policy and with our stylesheet."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_q.models import Failure, OrmQ, Schedule, Success

from generations.admin.accounts import ProviderAccountAdmin
from generations.admin.allowances import AllowanceAdmin, give_own
from generations.admin.engines import CustomEngineAdmin
from generations.admin.labels import LabelPolicyInline, UnlabelledDownloadAdmin
from generations.admin.prices import PriceAdmin
from generations.admin.projects import ProjectForm
from generations.admin.read_only import ReadOnly
from generations.admin.risks import AtRiskAdmin
from generations.admin.uncertain import UncertainAdmin
from generations.models import (
    Allowance,
    AtRiskJob,
    CustomEngine,
    Episode,
    Generation,
    Job,
    LedgerEntry,
    Membership,
    Price,
    Project,
    ProviderAccount,
    Submission,
    UncertainJob,
    UnlabelledDownload,
    User,
)

admin.site.site_header = admin.site.site_title = "Diptych"
admin.site.index_title = _("Administration")
admin.site.register(Allowance, AllowanceAdmin)
admin.site.register(AtRiskJob, AtRiskAdmin)
admin.site.register(Price, PriceAdmin)
admin.site.register(CustomEngine, CustomEngineAdmin)
admin.site.register(ProviderAccount, ProviderAccountAdmin)
admin.site.register(UncertainJob, UncertainAdmin)
admin.site.register(UnlabelledDownload, UnlabelledDownloadAdmin)
# Task payloads and tracebacks are nobody's business: our own rows say what happened.
for hidden in (Failure, OrmQ, Schedule, Success):
    if admin.site.is_registered(hidden):
        admin.site.unregister(hidden)


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    list_display = ("username", "first_name", "last_name", "is_staff", "is_active", "last_login")
    actions = (give_own,)
    fieldsets = (*(UserAdmin.fieldsets or ()), (_("Reading"), {"fields": ("language", "theme")}))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """People are deactivated: what they made and spent keeps their name."""
        return False


class MemberInline(admin.TabularInline[Membership, Project]):
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin[Project]):
    form = ProjectForm
    list_display = ("name", "slug", "created_at")
    search_fields = ("name", "slug")
    exclude = ("archived_at",)  # owners archive; left in, it is asked for and nothing can be saved
    inlines = (MemberInline, LabelPolicyInline)
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        """A project holds paid work and its ledger; it is not thrown away from a list."""
        return False


class SubmissionInline(admin.TabularInline[Submission, Job]):
    model = Submission
    extra = 0
    can_delete = False
    fields = readonly_fields = (
        "uuid",
        "outcome",
        "model_id",
        "remote_id",
        "request_id",
        "http_status",
        "provider_code",
        "body_sha256",
        "sent_at",
        "answered_at",
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Job)
class JobAdmin(ReadOnly):
    list_display = ("public_id", "state", "reason", "user", "account", "queued_at", "finished_at")
    list_filter = ("state", "account")
    list_select_related = ("user", "account")
    search_fields = ("=remote_id", "=public_id")
    ordering = ("-id",)
    inlines = (SubmissionInline,)


@admin.register(Episode)
class EpisodeAdmin(ReadOnly):
    list_display = ("opened_at", "kind", "subject", "closed_at")
    list_filter = ("kind",)


@admin.register(Generation)
class GenerationAdmin(ReadOnly):
    list_display = ("public_id", "project", "user", "engine", "count", "state", "created_at")
    list_filter = ("state", "engine")
    list_select_related = ("project", "user")
    exclude = ("prompt", "recipe")  # staff without membership do not read a team's prompts
    ordering = ("-id",)


@admin.register(LedgerEntry)
class LedgerAdmin(ReadOnly):
    list_display = ("created_at", "kind", "amount", "allowance", "job", "actor", "why")
    list_filter = ("kind",)
    list_select_related = ("allowance", "job", "actor")
    ordering = ("-id",)
