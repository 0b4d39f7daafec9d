"""References by way of an object store: put there before the call, lent by a signed address, taken away."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from threading import Event

import pytest
import requests
from django.utils import timezone
from pytest_django import Settings

from generations.models import (
    Blob,
    Generation,
    Job,
    JobState,
    StoredCopy,
    Submission,
)
from generations.services import compose, store
from generations.services.driver import lending
from generations.services.library import lent
from generations.services.supervisor import ensure
from tests import driving, world
from tests.driving import count, until
from tests.object_store import ObjectStore, configure, running_store
from tests.running import Sandbox

S = JobState
TAKEN = (S.RUNNING, S.COLLECTING)  # the sandbox fetches before it accepts
REMOTE = "https://visual.volcengineapi.com"


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with running_store(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture
def at_store(
    bucket: ObjectStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> ObjectStore:
    configure(settings, monkeypatch, **bucket.variables)
    return bucket


def ask(team: world.Team, *colours: int, count: int = 1) -> Generation:
    pictures = [world.reference(team, data=world.picture((each, 2, 3))) for each in colours]
    return compose.submit(
        project=team.project,
        user=team.owner,
        engine=world.ENGINE,
        prompt="一只柯基",
        settings={"size": "1024x1024"},
        count=count,
        references=[compose.Chosen(each) for each in pictures],
    )


def put_there(bucket: ObjectStore, since: int) -> list[str]:
    return [each for each in bucket.requests()[since:] if each.startswith("PUT ")]


# --- A run, whole -------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_provider_fetches_from_the_store_and_each_picture_is_put_there_once(
    team: world.Team, sandbox: Sandbox, at_store: ObjectStore, settings: Settings
) -> None:
    account = driving.at(sandbox, settings)
    Job.objects.all().delete()
    before, taken = len(at_store.requests()), sandbox.state()["answers"].get("reference:taken", 0)
    ask(team, 11, 12, count=3)
    driving.follow(account, until(lambda: count(*TAKEN) == 3))
    # Nothing serves this site's own pages here: whatever was fetched came from the store.
    assert sandbox.state()["answers"]["reference:taken"] == taken + 6
    seen = at_store.requests()[before:]
    assert [each[:4] for each in seen[:2]] == ["PUT ", "PUT "]
    assert len(put_there(at_store, before)) == StoredCopy.objects.count() == 2
    assert sum(each.startswith("GET ") for each in seen) == 6
    ask(team, 11)
    driving.follow(account, until(lambda: count(*TAKEN) == 4))
    assert len(put_there(at_store, before)) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broken", ["store_down", "store_refused"])
def test_a_store_that_fails_makes_the_job_wait_unsent_and_then_go_on(
    broken: str,
    team: world.Team,
    sandbox: Sandbox,
    at_store: ObjectStore,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    account, sent = driving.at(sandbox, settings), len(sandbox.ledger())
    Job.objects.all().delete()
    caplog.set_level(logging.DEBUG)
    if broken == "store_down":
        at_store.stop()
    else:
        other = at_store.secret_key[::-1]
        configure(settings, monkeypatch, REFERENCE_STORE_SECRET_KEY=other)
    made = ask(team, 21 if broken == "store_down" else 22)
    driving.follow(account, until(lambda: count(S.QUEUED, reason=broken, tries__gte=2) == 1))
    job = made.jobs.get()
    assert (job.state, job.lease_owner, job.sent_at) == (S.QUEUED, "", None)
    assert not Submission.objects.filter(job=job).exists()
    assert len(sandbox.ledger()) == sent
    account.refresh_from_db()
    assert account.unreachable_since is None, "it is the store that is down, not the provider"
    if broken == "store_down":
        at_store.start()
    else:
        configure(settings, monkeypatch, **at_store.variables)
    driving.follow(account, until(lambda: count(*TAKEN) == 1))
    assert Submission.objects.filter(job=job).count() == 1
    for secret in (at_store.secret_key, at_store.secret_key[::-1], "X-Amz-Signature"):
        assert secret not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_job_that_waits_for_the_store_can_be_cancelled(
    team: world.Team, sandbox: Sandbox, at_store: ObjectStore, settings: Settings
) -> None:
    account = driving.at(sandbox, settings)
    Job.objects.all().delete()
    at_store.stop()
    job = ask(team, 31).jobs.get()

    def script() -> driving.Script:
        yield from until(lambda: count(S.QUEUED, reason="store_down") == 1)
        Job.objects.filter(pk=job.pk).update(cancel_asked_at=timezone.now())
        yield from until(lambda: count(S.CANCELLED) == 1)

    driving.follow(account, script())
    at_store.start()


@pytest.mark.django_db(transaction=True)
def test_a_driver_that_ends_in_the_middle_of_an_upload_leaves_nothing_in_doubt(
    team: world.Team,
    sandbox: Sandbox,
    at_store: ObjectStore,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account, sent, stuck = driving.at(sandbox, settings), len(sandbox.ledger()), Event()
    Job.objects.all().delete()
    monkeypatch.setattr(lending, "PARKED", timedelta(seconds=1))
    monkeypatch.setattr(store, "put", lambda copy: stuck.wait(60))
    job = ask(team, 41).jobs.get()
    driving.follow(account, until(StoredCopy.objects.exists))
    job.refresh_from_db()
    assert (job.state, job.lease_owner, job.crashes) == (S.QUEUED, "", 0)
    assert not Submission.objects.exists()
    monkeypatch.undo()
    configure(settings, monkeypatch, **at_store.variables)
    driving.follow(account, until(lambda: count(*TAKEN) == 1))
    stuck.set()
    assert len(sandbox.ledger()) == sent + 1
    assert Submission.objects.get().job == job


# --- The address ----------------------------------------------------------------------------------


def there(blob: Blob) -> str:
    """The blob's bytes in the store, by an address that is good for a minute."""
    with pytest.raises(store.NotThereYet) as caught:
        store.addresses([blob], 60)
    for copy in caught.value.copies:
        store.put(copy)
    StoredCopy.objects.update(put_at=timezone.now())
    return store.addresses([blob], 60)[0]


def status(url: str) -> int:
    return requests.get(url, timeout=5).status_code


@pytest.mark.django_db
def test_only_the_signed_address_leads_to_it_and_not_for_long(at_store: ObjectStore) -> None:
    data = world.picture((41, 2, 3))
    blob = world.blob(data)
    url = there(blob)
    found = requests.get(url, timeout=5)
    assert (found.content, found.headers["Content-Type"]) == (data, "image/jpeg")
    bare, _, query = url.partition("?")
    last = "0" if url[-1] != "0" else "1"
    altered = {
        "unsigned": bare,
        "signature": url[:-1] + last,
        "longer": url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
        "another": f"{bare.replace('.jpg', '.png')}?{query}",
    }
    assert {name: status(each) for name, each in altered.items()} == dict.fromkeys(altered, 403)
    brief = store.addresses([blob], 1)[0]
    assert status(brief) == 200
    time.sleep(2.1)
    assert status(brief) == 403
    assert status(url) == 200, "it is the time that ended the other one"


# --- Taking away ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_no_job_needs_is_taken_away_and_what_one_needs_is_not(
    team: world.Team, at_store: ObjectStore
) -> None:
    reference = world.reference(team, data=world.picture((51, 2, 3)))
    job = world.job_using(team, reference)
    url = there(world.rendition(reference).blob)
    rows = StoredCopy.objects.all()

    def after(minutes: int) -> int:
        rows.update(handed_at=timezone.now() - timedelta(minutes=minutes))
        return lent.sweep()

    assert after(11) == 0, "its job waits"
    job.generation.jobs.update(state=S.CANCELLED)
    assert after(9) == 0, "it may be sent again in a moment"
    assert status(url) == 200
    assert after(11) == 1
    assert (status(url), rows.count()) == (404, 0)
    Job.objects.filter(pk=job.pk).update(state=S.RUNNING, remote_id="7")
    again = there(world.rendition(reference).blob)
    assert after(59) == 0
    ensure.sweep_files()
    assert status(again) == 200
    assert after(61) == 1, "no address of it works any more"
    assert again.partition("?")[0] != url.partition("?")[0], (
        "never the name of one that was removed"
    )


@pytest.mark.django_db
def test_a_store_that_is_down_is_asked_again_by_the_next_sweep(
    at_store: ObjectStore, team: world.Team
) -> None:
    url = there(world.rendition(world.reference(team, data=world.picture((52, 2, 3)))).blob)
    StoredCopy.objects.update(handed_at=timezone.now() - timedelta(hours=2))
    at_store.stop()
    assert lent.sweep() == 0
    (row,) = StoredCopy.objects.all()
    assert row.blob is None, "nobody is handed this one any more"
    at_store.start()
    assert lent.sweep() == 1
    assert not StoredCopy.objects.exists()
    assert status(url) == 404


@pytest.mark.django_db
def test_what_was_handed_out_in_that_moment_stays(
    at_store: ObjectStore, team: world.Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the sweep's condition: without it a lent object would vanish."""
    blob = world.rendition(world.reference(team, data=world.picture((53, 2, 3)))).blob
    there(blob)
    Job.objects.all().delete()
    late = timezone.now() - timedelta(minutes=30)
    StoredCopy.objects.update(handed_at=late)
    url = store.addresses([blob], 60)[0]
    assert lent.sweep() == 0
    assert status(url) == 200
    monkeypatch.setattr(lent, "KEPT", -timedelta(minutes=1))
    assert lent.sweep() == 1
    assert status(url) == 404
