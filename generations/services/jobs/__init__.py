"""Jobs: every change of state goes through here, and so does everything a person may order."""

from __future__ import annotations

from generations.services.jobs.changes import Change, apply, derived_state, free_lease, touch
from generations.services.jobs.finish import finish
from generations.services.jobs.inflight import Flight, Mine, in_flight
from generations.services.jobs.orders import (
    NotPossible,
    adopt_remote_id,
    cancel,
    cancel_all,
    dismiss,
    resume,
    retry,
    send_again,
)
from generations.services.jobs.shown import Step, deadline, engine_of, progress_percent, timeline
from generations.services.jobs.waiting import (
    Place,
    cancel_waiting,
    claim_order,
    not_paused,
    places,
    to_front,
)

__all__ = [
    "Change",
    "Flight",
    "Mine",
    "NotPossible",
    "Place",
    "Step",
    "adopt_remote_id",
    "apply",
    "cancel",
    "cancel_all",
    "cancel_waiting",
    "claim_order",
    "deadline",
    "derived_state",
    "dismiss",
    "engine_of",
    "finish",
    "free_lease",
    "in_flight",
    "not_paused",
    "places",
    "progress_percent",
    "resume",
    "retry",
    "send_again",
    "timeline",
    "to_front",
    "touch",
]
