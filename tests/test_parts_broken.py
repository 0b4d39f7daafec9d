"""A call of many pictures that breaks off: what came stays, and a person decides about the rest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from generations.models import Asset, Job, JobState
from generations.providers.base import Finished, Part
from generations.services import jobs
from generations.services.jobs import parts
from generations.services.supervisor import ensure
from tests.sending import BROKEN, Sending, begin, money, part, sending

__all__ = ["sending"]
pytestmark = pytest.mark.django_db
S = JobState


# --- A call that breaks off ---------------------------------------------------------------------


def test_what_came_before_it_broke_stays_and_the_rest_is_uncertain(sending: Sending) -> None:
    sending.hears(part(0))
    sending.hears(part(1))
    assert sending.ends(BROKEN).state == S.UNCERTAIN
    sending.fetches()  # the messages come after it broke
    assert sending.places == [0, 1]
    assert money() == (4, 0)


@pytest.mark.parametrize("guarded", [True, False])
def test_a_crash_takes_nothing_that_was_noted(
    sending: Sending, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin: without the note, what arrived is gone with the process that heard it."""
    if not guarded:
        monkeypatch.setattr(parts, "note", lambda **_more: None)
    for index in range(2):
        sending.hears(part(index))
    sending.asked.clear()  # the messages are lost, too
    past = timezone.now() - timedelta(seconds=1)
    Job.objects.update(lease_expires_at=past)
    ensure.ensure()
    sending.job.refresh_from_db()
    assert sending.job.state == S.UNCERTAIN
    ensure.ensure()
    sending.fetches()
    assert sending.places == ([0, 1] if guarded else [])
    assert money() == (4, 0)


def test_the_sweep_asks_again_later_and_later_and_for_a_day(sending: Sending) -> None:
    sending.hears(part(0))
    sending.ends(BROKEN)
    sending.asked.clear()

    def round_() -> int:
        sending.asked.clear()
        parts.ask_for_missing()
        return len(sending.asked)

    assert [round_(), round_()] == [1, 0]
    Job.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    assert round_() == 1
    sending.fetches()
    Job.objects.update(not_before=None)
    assert round_() == 0
    Asset.objects.filter(job=sending.job).delete()
    Job.objects.update(not_before=None, sent_at=timezone.now() - timedelta(hours=25))
    assert round_() == 0


def test_a_late_part_of_a_sender_taken_for_dead_is_kept(sending: Sending) -> None:
    Job.objects.filter(pk=sending.job.pk).update(state=S.UNCERTAIN)
    sending.hears(part(0))
    sending.fetches()
    assert sending.places == [0]
    found = (part(0), part(1))
    assert sending.ends(Finished(found)).state == S.COLLECTING
    assert sending.finishes().state == S.SUCCEEDED
    assert sending.places == [0, 1]


def test_a_picture_that_kills_its_worker_is_left_alone(sending: Sending) -> None:
    sending.hears(part(0))
    Job.objects.filter(pk=sending.job.pk).update(crashes=3)
    sending.fetches()
    assert sending.places == []
    Job.objects.filter(pk=sending.job.pk).update(crashes=2)
    parts.keep(job_id=sending.job.pk, place=0)
    assert sending.places == [0]


def test_an_address_that_is_gone_is_no_crash(sending: Sending) -> None:
    sending.hears(Part(0, "http://127.0.0.1:9/gone.jpeg"))
    sending.fetches()
    sending.job.refresh_from_db()
    assert (sending.job.state, sending.places, sending.job.crashes) == (S.SUBMITTING, [], 0)


# --- What a person may do then ------------------------------------------------------------------


@pytest.fixture
def broken(sending: Sending) -> Sending:
    sending.hears(part(0))
    sending.hears(part(1))
    sending.fetches()
    sending.ends(BROKEN)
    return sending


def test_dismissed_with_pictures_it_is_done_and_charged(broken: Sending) -> None:
    """All of it counts: nobody knows whether the rest was made."""
    jobs.dismiss(job=broken.job, actor=broken.job.user)
    broken.job.refresh_from_db()
    assert (broken.job.state, broken.job.reason) == (S.SUCCEEDED, "dismissed")
    assert broken.places == [0, 1]
    assert money() == (0, 4)


def test_dismissed_without_a_picture_it_has_failed(sending: Sending) -> None:
    sending.ends(BROKEN)
    jobs.dismiss(job=sending.job, actor=sending.job.user)
    sending.job.refresh_from_db()
    assert (sending.job.state, money()) == (S.FAILED, (0, 4))


@pytest.mark.parametrize("guarded", [True, False])
def test_sent_again_the_new_pictures_stand_behind_the_old(
    broken: Sending, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin: in the same places they would be taken for the ones that are there."""
    if not guarded:
        monkeypatch.setattr(parts, "for_next_round", lambda job: [])
    jobs.send_again(job=broken.job, actor=broken.job.user)
    assert money() == (4, 4)
    job = Job.objects.select_related("generation", "account").get(pk=broken.job.pk)
    broken.job, broken.row = job, begin(job, broken.watch.lease)
    found = tuple(part(index, shade=200) for index in range(3))
    for each in found:
        broken.hears(each)
    broken.fetches()
    broken.ends(Finished(found))
    assert broken.finishes().state == S.SUCCEEDED
    assert len(broken.places) == (5 if guarded else 3)
    if guarded:
        assert money() == (0, 7)


def test_there_is_no_task_to_adopt(broken: Sending) -> None:
    with pytest.raises(jobs.NotPossible):
        jobs.adopt_remote_id(job=broken.job, remote_id="7392", actor=broken.job.user)
