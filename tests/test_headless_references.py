"""References without a browser: served by the command itself, or by the web process, to the sandbox."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pillow_heif
import pytest
import requests
from pytest_django import Settings

from generations.management import serving
from generations.providers import catalog
from generations.services.library import references, transport
from tests import world
from tests.pictures import encoded, patches
from tests.processes import free_port, wait_until
from tests.running import Running, Site, environment, running_site

ENGINE = catalog.get_engine(world.ENGINE)
pillow_heif.register_heif_opener()


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
    (url,) = transport.carried(world.job_using(team, row), ENGINE, world.account())
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
