"""Why a picture was not made: for every reason of a job one plain sentence, and the one next step.

The sentence says what it cost. Whose fault it may be (`about`) decides what the compose panel marks
when the run is opened again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import quote, urlencode

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from generations.models import Job, JobState
from generations.services import engines


class Step(StrEnum):
    """What the person who asked for the picture can do about it."""

    PROMPT = "prompt"
    REFERENCES = "references"
    SETTINGS = "settings"
    AGAIN = "again"
    TELL = "tell"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a reason means for a person. `about`: the input at fault, "" when it is none of them.

    `params` fill the places of a sentence that has some.
    """

    sentence: str
    step: Step
    about: str = ""
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Sending the same once more would only be refused once more."""
        return bool(self.about)

    def __str__(self) -> str:
        return _(self.sentence) % self.params if self.params else _(self.sentence)


def _change(sentence: str, step: Step) -> Meaning:
    return Meaning(sentence, step, step.value)


P, R, SET, AGAIN, TELL = Step.PROMPT, Step.REFERENCES, Step.SETTINGS, Step.AGAIN, Step.TELL
MEANINGS: dict[str, Meaning] = {
    # The content check and the rights check.
    "moderated_prompt": _change(
        N_("The service's content check refused the prompt. Nothing was charged."), P
    ),
    "copyright_prompt": _change(
        N_("The prompt holds a sensitive word or a protected name. Nothing was charged."), P
    ),
    "content_filtered": _change(
        N_("The service's content check refused this run. Nothing was charged."), P
    ),
    "moderated_text": _change(
        N_("The service's content check held back the text of the result. Nothing was charged."), P
    ),
    "moderated_input": _change(
        N_("The service's content check refused a reference picture. Nothing was charged."), R
    ),
    "copyright_input": _change(
        N_("A reference picture shows something protected by copyright. Nothing was charged."), R
    ),
    "moderated_output": Meaning(
        N_(
            "The service's content check held back the finished picture. Nothing was charged. "
            "Another try may pass."
        ),
        AGAIN,
    ),
    "copyright_output": Meaning(
        N_(
            "The finished picture came too close to something protected by copyright. "
            "Nothing was charged. Another try may pass."
        ),
        AGAIN,
    ),
    "check_failed": Meaning(
        N_("The service's content check itself broke down. Nothing was charged."), AGAIN
    ),
    # What was handed in.
    "reference_size": _change(
        N_("A reference is larger than the service takes. Nothing was charged."), R
    ),
    "reference_unreadable": _change(
        N_("The service could not open a reference. Nothing was charged."), R
    ),
    "body_too_large": _change(
        N_("The references together are too much for one request. Nothing was charged."), R
    ),
    "input_refused": _change(
        N_("The model cannot work with this input as it is set. Nothing was charged."), SET
    ),
    "bad_request": _change(N_("The service refused these settings. Nothing was charged."), SET),
    # The studio's own account and machinery.
    "key_refused": Meaning(
        N_("The service does not accept this studio's key. Nothing was charged."), TELL
    ),
    "not_opened": Meaning(
        N_("This model is not opened for the studio's account. Nothing was charged."), TELL
    ),
    "unknown_model": Meaning(
        N_(
            "The service has no model “%(id)s” for this studio. Nothing was charged. An administrator "
            "checks in the service's console that the id is spelled so, that it belongs to this account "
            "and region, and that the model is opened for it."
        ),
        TELL,
    ),
    "not_allowed": Meaning(
        N_("The studio's key may not use this service. Nothing was charged."), TELL
    ),
    "clock": Meaning(
        N_("The studio's clock is off, so the service turned it away. Nothing was charged."), TELL
    ),
    "provider_quota": Meaning(
        N_("The studio's quota at the service is used up. Nothing was charged."), TELL
    ),
    "request_broken": Meaning(
        N_("The service does not know what the studio asked for. Nothing was charged."), TELL
    ),
    "unbuildable": Meaning(
        N_("The studio could not put this request together. Nothing was sent or charged."), TELL
    ),
    "internal": Meaning(N_("Something went wrong in the studio itself."), TELL),
    "poison": Meaning(
        N_(
            "The studio broke down over this one three times, so it was set aside. "
            "If it had been sent, it counts as charged."
        ),
        TELL,
    ),
    "refused_url": Meaning(
        N_("The result lay at an address that is not allowed. It counts as charged."), TELL
    ),
    # The run itself, and its result.
    "engine_failed": Meaning(N_("The model failed on this picture. Nothing was charged."), AGAIN),
    "engine_fault": Meaning(N_("The service had a fault of its own. Nothing was charged."), AGAIN),
    "not_found": Meaning(
        N_("The service no longer knows this task. It may have been charged."), AGAIN
    ),
    "stale_task": Meaning(
        N_("The service refuses to say what became of this task. It may have been charged."), AGAIN
    ),
    "expired": Meaning(N_("The service let this task expire. It may have been charged."), AGAIN),
    "deadline": Meaning(N_("No result came before the deadline. It may have been charged."), AGAIN),
    "bad_output": Meaning(
        N_("The file that came back is damaged or no picture. It counts as charged."), AGAIN
    ),
    "too_large": Meaning(
        N_("The file that came back is too large to keep. It counts as charged."), AGAIN
    ),
    "result_lost": Meaning(
        N_("The result was gone before it could be fetched. It counts as charged."), AGAIN
    ),
    "dismissed": Meaning(
        N_("Nobody knows whether this one was made, and it was given up. It counts as charged."),
        AGAIN,
    ),
}
# Reasons of a job that waits by itself: nobody has to do anything, so a card offers nothing.
WAITS: dict[str, Meaning] = {
    "rate": Meaning(N_("Waiting: the service asks for a pause"), Step.WAIT),
    "concurrency": Meaning(N_("Waiting: the service asks for a pause"), Step.WAIT),
    "provider_quota": Meaning(
        N_("Waiting: the studio's quota at the service is used up"), Step.WAIT
    ),
    "not_sent": Meaning(N_("Service unreachable, waiting"), Step.WAIT),
    "store_down": Meaning(
        N_("Waiting: the store that lends references to the service does not answer"), Step.WAIT
    ),
    "store_refused": Meaning(
        N_("Waiting: the store that lends references to the service turns the studio away"),
        Step.WAIT,
    ),
    "disk_low": Meaning(N_("Waiting: the studio's disk is full"), Step.WAIT),
    "no_key": Meaning(N_("Waiting: this account's key is not set up any more"), Step.WAIT),
}
UNKNOWN = Meaning(N_("This picture was not made. Try again."), AGAIN)
WRONG_TYPE = "50204"  # at Jimeng also an id that is unknown
ENDED = (JobState.FAILED, JobState.EXPIRED)


def meaning(job: Job) -> Meaning:
    """What the end of a failed or expired job means."""
    # Of an id that an administrator typed, these can mean that it is not the right one.
    doubt = job.reason == "not_opened" or job.provider_code == WRONG_TYPE
    odd = doubt and engines.is_clone(job.generation.engine)
    if job.reason != "unknown_model" and not odd:
        return MEANINGS.get(job.reason, UNKNOWN)
    return replace(MEANINGS["unknown_model"], params={"id": model_id(job)})


def model_id(job: Job) -> str:
    """What the provider was asked for by the last attempt."""
    attempts = sorted(job.submissions.all(), key=lambda each: each.pk)
    return attempts[-1].model_id if attempts else job.generation.engine


def blamed(jobs: Iterable[Job]) -> dict[str, str]:
    """For each input that made a job fail, the sentence that says so; the first one counts."""
    found: dict[str, str] = {}
    for job in sorted(jobs, key=lambda job: job.position):
        why = meaning(job)
        if job.state in ENDED and why.about:
            found.setdefault(why.about, str(why))
    return found


def letter(job: Job) -> str:
    """A mailto: address that opens a letter to an administrator, with all they need to know."""
    lines = [
        str(meaning(job)),
        " ".join(filter(None, [job.provider_code, job.provider_message])),
        f"{job.account.label} · {job.generation.engine} · {job.public_id}",
    ]
    subject = _("A picture was not made in the studio")
    text = "\r\n".join(filter(None, lines))
    return f"mailto:?{urlencode({'subject': subject, 'body': text}, quote_via=quote)}"
