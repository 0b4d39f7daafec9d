"""Runs: what a person asked for, the provider calls it takes, and every attempt to submit one."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.models.batches import Batch
from generations.models.people import User
from generations.models.projects import Project
from generations.models.providers import ProviderAccount

if TYPE_CHECKING:
    from generations.models.projects import Person


class JobState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    SUBMITTING = "submitting", _("Sending")
    RUNNING = "running", _("Running")
    COLLECTING = "collecting", _("Fetching")
    SUCCEEDED = "succeeded", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("Expired")
    UNCERTAIN = "uncertain", _("Uncertain")


_S = JobState
# The only place that knows which state may follow which.
TRANSITIONS: dict[str, frozenset[str]] = {
    _S.QUEUED: frozenset({_S.SUBMITTING, _S.CANCELLED, _S.FAILED}),
    _S.SUBMITTING: frozenset({_S.RUNNING, _S.COLLECTING, _S.QUEUED, _S.FAILED, _S.UNCERTAIN}),
    _S.RUNNING: frozenset({_S.COLLECTING, _S.FAILED, _S.CANCELLED, _S.EXPIRED}),
    _S.COLLECTING: frozenset({_S.SUCCEEDED, _S.FAILED, _S.RUNNING, _S.EXPIRED}),
    _S.SUCCEEDED: frozenset(),
    _S.FAILED: frozenset({_S.QUEUED}),
    _S.CANCELLED: frozenset({_S.QUEUED}),
    _S.EXPIRED: frozenset({_S.QUEUED}),
    _S.UNCERTAIN: frozenset({_S.QUEUED, _S.RUNNING, _S.COLLECTING, _S.SUCCEEDED, _S.FAILED}),
}
ACTIVE = (_S.QUEUED, _S.SUBMITTING, _S.RUNNING, _S.COLLECTING)
FINAL = (_S.SUCCEEDED, _S.FAILED, _S.CANCELLED, _S.EXPIRED)


class Priority(models.IntegerChoices):
    INTERACTIVE = 0, _("Interactive")
    BATCH = 10, _("Batch")


class GenerationQuerySet(models.QuerySet["Generation"]):
    def visible_to(self, user: Person) -> GenerationQuerySet:
        return self.filter(project__in=Project.objects.visible_to(user))


class Generation(models.Model):
    """What a person asked for once. Its state is derived from its jobs' and kept for lists."""

    class State(models.TextChoices):
        ACTIVE = "active", _("In progress")
        SUCCEEDED = "succeeded", _("Done")
        PARTIAL = "partial", _("Partly done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        UNCERTAIN = "uncertain", _("Uncertain")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="generations")
    user = models.ForeignKey(User, models.PROTECT, related_name="generations")
    recipe = models.JSONField(_("recipe"))
    recipe_sha256 = models.CharField(max_length=64)
    # The AIGC labels asked for, as the project's policy was then: beside the recipe, not in it, so that
    # the same recipe stays the same.
    labels = models.JSONField(default=dict, blank=True)
    engine = models.CharField(_("engine"), max_length=60)
    kind = models.CharField(max_length=5)
    prompt = models.TextField(_("prompt"))
    count = models.PositiveSmallIntegerField(_("how many"))
    state = models.CharField(max_length=9, choices=State.choices, default=State.ACTIVE)
    rerun_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="reruns")
    batch = models.ForeignKey(Batch, models.SET_NULL, null=True, related_name="generations")
    prompt_version = models.ForeignKey(
        "generations.PromptVersion", models.SET_NULL, null=True, related_name="generations"
    )
    # The one-time token of the form that asked: a double click finds the first one's row.
    form_token = models.CharField(max_length=64, null=True, unique=True)
    # What was asked for with one press for several models has one of these; shown in one row.
    together = models.UUIDField(null=True, db_index=True, editable=False)
    cost_mills = models.PositiveBigIntegerField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    # The best of its pictures' ratings, kept for lists.
    rating = models.PositiveSmallIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    # Set by compose on a row that its token had made before: this time nothing was.
    repeated = False

    objects = GenerationQuerySet.as_manager()

    class Meta:
        verbose_name = _("generation")
        verbose_name_plural = _("generations")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["project", "-created_at", "-id"], name="generation_keyset"),
            models.Index(fields=["user", "-created_at", "-id"], name="generation_by_person"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(count__gte=1), name="generation_count"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: Person) -> JobQuerySet:
        return self.filter(generation__project__in=Project.objects.visible_to(user))


class Job(models.Model):
    """One provider call of a Generation: a durable row with state, lease and attempts.

    `round` counts how often a person ordered it (1, then one more per *try again* or *send again*);
    a round has one reservation and at most one submission that may have reached the provider.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    generation = models.ForeignKey(Generation, models.CASCADE, related_name="jobs")
    account = models.ForeignKey(ProviderAccount, models.PROTECT, related_name="jobs")
    user = models.ForeignKey(User, models.PROTECT, related_name="jobs")
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    priority = models.PositiveSmallIntegerField(
        choices=Priority.choices, default=Priority.INTERACTIVE
    )
    # Among its person's waiting jobs of the same priority the lowest goes first, then the oldest.
    rank = models.IntegerField(default=0)
    round = models.PositiveSmallIntegerField(default=1)
    max_outputs = models.PositiveSmallIntegerField(default=1)
    # What one output costs, in mills of CNY, as it was when a person asked; None: no price was known.
    price_mills = models.PositiveBigIntegerField(null=True)
    # What its rounds that have ended came to.
    cost_mills = models.PositiveBigIntegerField(null=True)
    remote_id = models.CharField(max_length=100, blank=True)
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_epoch = models.PositiveBigIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    cancel_asked_at = models.DateTimeField(null=True)
    cancel_refused = models.BooleanField(default=False)
    tries = models.PositiveSmallIntegerField(default=0)
    # Begun and not survived since: counted before whatever may take its process down.
    crashes = models.PositiveSmallIntegerField(default=0)
    output_urls = models.JSONField(default=list)
    # A stable slug (`reason`) that the pages turn into a sentence; the provider's own words beside it.
    reason = models.CharField(max_length=40, blank=True)
    provider_code = models.CharField(max_length=60, blank=True)
    provider_message = models.CharField(max_length=500, blank=True)
    queued_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["generation", "position"]
        indexes = [
            models.Index(fields=["account", "state", "priority", "id"], name="job_to_claim"),
            models.Index(fields=["state", "lease_expires_at"], name="job_lease_sweep"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["generation", "position"], name="job_position"),
            models.UniqueConstraint(
                fields=["account", "remote_id"],
                condition=~models.Q(remote_id=""),
                name="one_job_per_remote_id",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=JobState.values), name="job_state_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["running", "collecting"]) | ~models.Q(remote_id=""),
                name="job_running_has_remote_id",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE


class UncertainJob(Job):
    """For the administrators' list: the jobs that wait for a person to decide."""

    class Meta:
        proxy = True
        verbose_name = _("uncertain job")
        verbose_name_plural = _("uncertain jobs")


class AtRiskJob(Job):
    """For the administrators' list: the jobs whose pictures only the provider has."""

    class Meta:
        proxy = True
        verbose_name = _("picture at risk")
        verbose_name_plural = _("pictures at risk")


class Outcome(models.TextChoices):
    PENDING = "pending", _("Pending")
    ACCEPTED = "accepted", _("Accepted")
    REJECTED = "rejected", _("Rejected")
    UNKNOWN = "unknown", _("Unknown")


class Submission(models.Model):
    """One HTTP attempt to submit a Job. Its uuid travels as `X-Client-Request-Id`."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="submissions")
    round = models.PositiveSmallIntegerField(default=1)
    body_sha256 = models.CharField(max_length=64)
    # What the model was called: an administrator may correct the id of one later.
    model_id = models.CharField(_("id at the provider"), max_length=120, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.PENDING)
    # Set when a person ordered another one although this one's outcome is unknown.
    superseded_by_person = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    remote_id = models.CharField(max_length=100, blank=True)
    request_id = models.CharField(max_length=100, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    provider_code = models.CharField(max_length=60, blank=True)
    sent_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["job"],
                condition=models.Q(
                    outcome__in=["pending", "accepted", "unknown"],
                    superseded_by_person__isnull=True,
                ),
                name="one_live_submission",
            ),
        ]

    def __str__(self) -> str:
        return str(self.uuid)
