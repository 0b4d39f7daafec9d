"""Pictures and videos that exist only at the provider: made and paid for, and not stored here yet."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Case, DateTimeField, ExpressionWrapper, F, Q, When

from generations.models import AtRiskJob, JobState
from generations.models.runs import JobQuerySet
from generations.services import engines

# Shorter than this is no trouble: a fetch takes seconds, and a run that ends late is still found.
LATE = timedelta(minutes=10)
NEAR_THE_END = timedelta(hours=1)
S = JobState


def lost_first() -> Case:
    """When a job's result is lost, as `shown.lost_at` has it, to sort by."""
    short = [each for each in engines.every() if each.result_lives_s < each.deadline_s]
    dies = [
        When(
            generation__engine=each.slug,
            answered_at__isnull=False,
            then=ExpressionWrapper(
                F("answered_at") + timedelta(seconds=each.result_lives_s), DateTimeField()
            ),
        )
        for each in short
    ]
    return Case(*dies, default=F("deadline_at"), output_field=DateTimeField())


def not_archived() -> JobQuerySet:
    """Everything that is lost unless it is fetched in time, the most urgent first."""
    return AtRiskJob.objects.filter(state=S.COLLECTING).order_by(lost_first(), "pk")


def at_risk(now: datetime) -> JobQuerySet:
    """Of these what somebody should look at, and runs about to be forgotten before they end."""
    stuck = Q(state=S.COLLECTING) & (Q(tries__gte=3) | Q(answered_at__lt=now - LATE))
    ending = Q(state=S.RUNNING, deadline_at__lt=now + NEAR_THE_END, accepted_at__lt=now - LATE)
    return AtRiskJob.objects.filter(stuck | ending).order_by(lost_first(), "pk")
