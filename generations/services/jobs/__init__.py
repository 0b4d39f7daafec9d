"""Jobs: every change of state goes through here, and so does everything a person may order."""

from __future__ import annotations

from generations.services.jobs import changes
from generations.services.jobs.ahead import Ahead
from generations.services.jobs.backoff import collect_grace
from generations.services.jobs.changes import (
    Change,
    apply,
    derived_state,
    free_lease,
    together,
    touch,
)
from generations.services.jobs.durations import Class, Usual, class_from, usual, usual_of
from generations.services.jobs.finish import finish, finish_ready
from generations.services.jobs.forecast import if_asked_now
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
from generations.services.jobs.pauses import (
    Pause,
    held_back,
    pause_sending,
    pauses,
    resume_sending,
)
from generations.services.jobs.risk import at_risk, not_archived
from generations.services.jobs.shown import (
    Step,
    deadline,
    engine_of,
    lost_at,
    progress_percent,
    timeline,
)
from generations.services.jobs.waiting import (
    Place,
    cancel_waiting,
    claim_order,
    not_paused,
    places,
    served,
    to_front,
)

__all__ = [
    "Ahead",
    "Change",
    "Class",
    "Flight",
    "Mine",
    "NotPossible",
    "Pause",
    "Place",
    "Step",
    "Usual",
    "adopt_remote_id",
    "apply",
    "at_risk",
    "cancel",
    "cancel_all",
    "cancel_waiting",
    "changes",
    "claim_order",
    "class_from",
    "collect_grace",
    "deadline",
    "derived_state",
    "dismiss",
    "engine_of",
    "finish",
    "finish_ready",
    "free_lease",
    "held_back",
    "if_asked_now",
    "in_flight",
    "lost_at",
    "not_archived",
    "not_paused",
    "pause_sending",
    "pauses",
    "places",
    "progress_percent",
    "resume",
    "resume_sending",
    "retry",
    "send_again",
    "served",
    "timeline",
    "to_front",
    "together",
    "touch",
    "usual",
    "usual_of",
]
