"""References on their way to a provider: signed addresses, who may use them, and when there are none."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import time_machine
from django.core import signing
from django.test import Client
from pytest_django import Settings

from generations.management import serving
from generations.models import (
    Generation,
    Job,
    JobState,
    LedgerEntry,
    ProviderAccount,
    Reference,
    Use,
)
from generations.providers import catalog, get_provider
from generations.services import compose
from generations.services.driver.slice import Slice
from generations.services.library import references, transport
from tests import world
from tests.pictures import encoded, patches
from tests.processes import free_port
from tests.running import Running, Site, environment, running_site

ENGINE = catalog.get_engine(world.ENGINE)


@pytest.fixture
def reference(team: world.Team) -> Reference:
    return world.reference(team)


def job_with(team: world.Team, *used: Reference) -> Job:
    """The team's queued job, as if its run used these."""
    job = team.jobs[JobState.QUEUED]
    recipe = job.generation.recipe
    recipe["references"] = [{"sha256": each.blob_id, "role": ""} for each in used]
    Generation.objects.filter(pk=job.generation_id).update(recipe=recipe)
    for position, each in enumerate(used):
        Use.objects.create(generation=job.generation, reference=each, position=position)
    return Job.objects.select_related("generation", "account").get(pk=job.pk)


def path_of(team: world.Team, reference: Reference) -> str:
    (url,) = transport.urls(job_with(team, reference), ENGINE, world.account())
    return url.removeprefix("http://127.0.0.1:8000")


# --- The address ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_signed_address_needs_no_session_and_serves_one_file(
    team: world.Team, reference: Reference, client: Client
) -> None:
    path = path_of(team, reference)
    response = client.get(path)
    assert response.status_code == 200
    assert b"".join(response.streaming_content) == world.picture((200, 120, 40))  # type: ignore[attr-defined]
    assert response["Content-Type"] == "image/jpeg"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "private" in response["Cache-Control"]
    assert "Set-Cookie" not in response
    assert client.head(path).status_code == 200
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(path).status_code == 405


@pytest.mark.django_db
def test_a_forged_address_is_not_found(
    team: world.Team, reference: Reference, client: Client
) -> None:
    path = path_of(team, reference)
    token = path.split("/")[2]
    payload, *rest = token.split(":")
    job = team.jobs[JobState.QUEUED]
    bound = [job.pk, reference.pk, "fit-other"]
    forged = [
        "x",
        token[:-1],
        token + "A",
        ":".join([payload[:-2] + ("AA" if payload[-2:] != "AA" else "BB"), *rest]),
        signing.dumps([job.pk, reference.pk, "320"], salt="another salt"),
        signing.dumps(bound, salt=transport.SALT),  # no such rendition
        signing.dumps("text", salt=transport.SALT),
        signing.dumps([1, 2], salt=transport.SALT),
        signing.dumps(bound, salt=transport.SALT, key="another key"),
        "%00",
        "A" * 5_000,
    ]
    for each in forged:
        assert client.get(f"/r/{each}/").status_code == 404, each[:80]


@pytest.mark.django_db
def test_an_address_dies_after_an_hour(
    team: world.Team, reference: Reference, client: Client
) -> None:
    with time_machine.travel("2026-11-20 12:00:00+00:00", tick=False) as clock:
        path = path_of(team, reference)
        clock.shift(3_599)
        assert client.get(path).status_code == 200
        clock.shift(2)
        assert client.get(path).status_code == 404


@pytest.mark.django_db
def test_an_address_dies_with_its_job(
    team: world.Team, reference: Reference, client: Client
) -> None:
    path = path_of(team, reference)
    jobs = Job.objects.filter(pk=team.jobs[JobState.QUEUED].pk)
    for state, status in [("submitting", 200), ("uncertain", 200), ("cancelled", 404)]:
        jobs.update(state=state)
        assert client.get(path).status_code == status
    jobs.update(state="queued")
    Use.objects.all().delete()
    assert client.get(path).status_code == 404  # a job that does not use it


# --- Which address --------------------------------------------------------------------------------

REMOTE = "https://visual.volcengineapi.com"


@pytest.mark.parametrize(
    ("provider", "public", "base"),
    [
        ("http://127.0.0.1:9100", "", "http://127.0.0.1:8000"),
        ("http://localhost:9100", "", "http://127.0.0.1:8000"),
        ("http://[::1]:9100", "", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:9100", "https://studio.example.com", "http://127.0.0.1:8000"),
        (REMOTE, "https://studio.example.com", "https://studio.example.com"),
        (REMOTE, "", None),
        (REMOTE, "http://127.0.0.1:8000", None),
        (REMOTE, "http://localhost", None),
        ("http://[broken", "", None),
    ],
)
def test_where_a_provider_fetches(
    provider: str, public: str, base: str | None, settings: Settings
) -> None:
    settings.PUBLIC_BASE_URL = public
    assert transport.base_url(ProviderAccount(base_url=provider)) == base


@pytest.mark.django_db
def test_a_run_nobody_could_serve_is_refused_before_anything_is_reserved(
    team: world.Team, reference: Reference, settings: Settings
) -> None:
    ProviderAccount.objects.update(base_url=REMOTE)
    before = (Generation.objects.count(), LedgerEntry.objects.count())

    def run(*chosen: compose.Chosen) -> Generation:
        return compose.submit(
            project=team.project,
            user=team.owner,
            engine=ENGINE.slug,
            prompt="一只柯基",
            settings={},
            count=1,
            references=chosen,
        )

    with pytest.raises(compose.ComposeProblem) as caught:
        run(compose.Chosen(reference))
    (error,) = caught.value.errors
    assert (error.field, error.message) == ("references", transport.NO_ADDRESS)
    assert "PUBLIC_BASE_URL" in error.message
    assert (Generation.objects.count(), LedgerEntry.objects.count()) == before
    settings.PUBLIC_BASE_URL = "https://studio.example.com"
    assert run(compose.Chosen(reference)).uses.count() == 1
    settings.PUBLIC_BASE_URL = ""
    assert run().uses.count() == 0


# --- What the driver sends ------------------------------------------------------------------------


def driver(job: Job) -> Slice:
    """A driver that prepares calls and sends none."""
    made = object.__new__(Slice)
    made.provider = get_provider("jimeng")
    made.lease = type("Held", (), {"account": job.account})()
    return made


@pytest.mark.django_db
def test_the_call_names_the_references_in_their_order(team: world.Team) -> None:
    one = world.reference(team)
    two = world.reference(team, data=world.picture((1, 2, 3)))
    job = job_with(team, two, one)
    call = driver(job).build(job)
    assert call is not None
    urls = json.loads(call.body)["image_urls"]
    found = [transport.found(url.split("/")[4]) for url in urls]
    assert [each.reference_id for each in found if each] == [two.pk, one.pk]


@pytest.mark.django_db
def test_a_run_without_references_asks_nothing_more(
    team: world.Team, django_assert_num_queries: Callable[..., Any]
) -> None:
    job = job_with(team)
    with django_assert_num_queries(0):
        assert transport.urls(job, ENGINE, job.account) == []


@pytest.mark.django_db
@pytest.mark.parametrize("broken", ["uses", "order", "address"])
def test_what_cannot_be_sent_fails_unsent(
    broken: str, team: world.Team, settings: Settings
) -> None:
    one, two = world.reference(team), world.reference(team, data=world.picture((1, 2, 3)))
    job = job_with(team, one, two)
    if broken == "uses":
        Use.objects.filter(position=1).delete()
    if broken == "order":
        job.generation.recipe["references"].reverse()
    if broken == "address":
        job.account.base_url = REMOTE
    assert driver(job).build(job) is None
    job.refresh_from_db()
    assert (job.state, job.reason) == ("failed", "bad_request")


# --- The command's own door -----------------------------------------------------------------------


@pytest.fixture
def own_port(settings: Settings) -> int:
    port = free_port()
    settings.OWN_BASE_URL = f"http://127.0.0.1:{port}"
    return port


@pytest.mark.django_db(transaction=True)
def test_without_a_web_process_the_command_serves_and_serves_nothing_else(
    own_port: int, settings: Settings, tmp_path: Path
) -> None:
    world.account()
    team = world.team("acme")
    source = tmp_path / "a.png"
    source.write_bytes(encoded(patches().resize((256, 128)), "PNG"))
    row = references.ingest(source=source, name="a", user=team.owner, project=None)
    (url,) = transport.urls(job_with(team, row), ENGINE, world.account())
    with serving.served() as by_us:
        assert by_us
        assert requests.get(url, timeout=10).headers["Content-Type"] == "image/png"
        for path in ("/", "/login/", "/admin/", f"{url[len(settings.OWN_BASE_URL) :]}x", "/r/x/"):
            answer = requests.get(f"{settings.OWN_BASE_URL}{path}", timeout=10)
            assert answer.status_code == 404, path
        assert requests.post(url, timeout=10).status_code == 501
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=10)


def test_another_program_on_the_port_is_said(own_port: int) -> None:
    with ThreadingHTTPServer(("127.0.0.1", own_port), serving._Door) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        with pytest.raises(serving.PortTaken), serving.served():
            pytest.fail("it is not ours")
        other.shutdown()


# --- End to end -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def headless(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("headless")
    with running_site(folder, web=False, worker=False, demo=False) as made:
        yield made


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    """Two uploads, one of them a phone's."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    one, two = tmp_path / "one.heic", tmp_path / "two.png"
    one.write_bytes(encoded(patches([(210, 40, 30)] * 6).resize((300, 200)), "HEIF"))
    two.write_bytes(encoded(patches([(30, 50, 220)] * 6).resize((300, 200)), "PNG"))
    return ["--reference", str(one), "--reference", str(two)]


ASK = ("generate", "抽象渐变", "--project", "demo", "--size", "1024x1024")


def test_headless_serves_its_references_itself(
    headless: Site, pictures: list[str], tmp_path: Path
) -> None:
    done = headless.manage(*ASK, *pictures, "--out", str(tmp_path / "out"))
    (picture,) = (tmp_path / "out").iterdir()
    assert str(picture) in done.stdout
    assert headless.sandbox.state()["answers"]["reference:taken"] == 2
    kept = headless.shell(
        "from generations.models import *\n"
        "answer = [Use.objects.count(), Reference.objects.filter(project=None).count(),"
        " Job.objects.get().state]"
    )
    assert kept == [2, 2, "succeeded"]


def test_headless_refusals_are_one_sentence(
    headless: Site, pictures: list[str], tmp_path: Path
) -> None:
    text = tmp_path / "plan.png"
    text.write_text("no picture")
    sent = len(headless.sandbox.ledger())
    for more, said, env in [
        (["--reference", str(text)], "plan.png", {}),
        (["--reference", str(tmp_path / "absent.png")], "absent.png", {}),
        (pictures, "PUBLIC_BASE_URL", {"VOLC_ACCESS_KEY": "AK", "VOLC_SECRET_KEY": "SK"}),
        (pictures * 6, "10", {}),
    ]:
        done = headless.manage(*ASK, *more, check=False, **env)
        assert done.returncode == 1, done.stderr
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    assert len(headless.sandbox.ledger()) == sent
    held = "from generations.models import *\nanswer = list(Balance.objects.filter(reserved__gt=0))"
    assert headless.shell(held) == []


def test_a_port_that_is_taken_is_one_sentence(
    headless: Site, pictures: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    server = ["-m", "http.server", str(headless.port), "--bind", "127.0.0.1", "-d", str(folder)]
    other = Running.start(server, env=environment(tmp_path), log=tmp_path / "other.log")
    try:
        _wait_for(headless.url)
        done = headless.manage(*ASK, *pictures, check=False)
    finally:
        other.kill()
    assert done.returncode == 1
    assert str(headless.port) in done.stderr
    assert "Traceback" not in done.stderr


def _wait_for(url: str) -> None:
    from tests.processes import wait_until

    def answers() -> bool:
        try:
            return requests.get(url, timeout=5).ok
        except requests.ConnectionError:
            return False

    wait_until(answers, what=url)


def test_with_web_and_worker_references_arrive_and_a_barred_one_is_refused(
    site: Site, pictures: list[str], tmp_path: Path
) -> None:
    """The whole way: the sandbox fetches from the web process what the worker told it to."""
    taken = site.sandbox.state()["answers"].get("reference:taken", 0)
    site.manage(*ASK, *pictures, "--user", "designer", "--wait", "--skip-checks")
    assert site.sandbox.state()["answers"]["reference:taken"] == taken + 2
    barred = tmp_path / "barred.png"
    image = patches([(90, 120, 90)] * 6).resize((400, 320))
    image.paste((255, 0, 255), (0, 0, 400, 24))
    barred.write_bytes(encoded(image, "PNG"))
    more = ["--reference", str(barred), "--user", "designer", "--wait", "--skip-checks"]
    done = site.manage(*ASK, *more, check=False)
    assert done.returncode == 1
    assert "50411" in done.stderr
