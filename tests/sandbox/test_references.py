"""Input pictures: fetched from this machine, refused as the real service refuses them, seen in the result."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from typing import Any, ClassVar

import pytest
import requests
from PIL import Image

from sandbox import references
from sandbox.paint import Picture, paint
from sandbox.triggers import BARS
from sandbox.wire import ServiceRefusal
from tests.sandbox.caller import ROOT, Sandbox

RED, BLUE = (210, 40, 30), (30, 50, 220)


def encoded(image: Image.Image, format: str = "JPEG", **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **more)
    return out.getvalue()


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (300, 200)) -> Image.Image:
    return Image.new("RGB", size, colour)


class Shelf(BaseHTTPRequestHandler):
    """Serves what stands in `files`; counts what was asked for."""

    files: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        name = self.path.partition("?")[0].strip("/")
        odd: dict[str, Callable[[], None]] = {
            "gone": lambda: self.answer(404, b"gone"),
            "moved": lambda: self.answer(302, b"", Location="/red"),
            "cut": lambda: self.answer(200, encoded(plain(RED)), length=99_999),
            "slow": self.drip,
            "huge": lambda: self.answer(200, bytes(references.MAX_BYTES + 1)),
        }
        odd.get(name, lambda: self.answer(200, self.files[name]))()

    def answer(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            for _each in range(600):
                self.wfile.write(b"x")
                time.sleep(0.05)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture(scope="module")
def shelf() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def bar(colour: tuple[int, int, int]) -> Image.Image:
    image = plain((90, 120, 90), (400, 320))
    image.paste(colour, (0, 0, 400, 20))
    return image


MAGENTA, CYAN = BARS[50411][1], BARS[50518][1]
Shelf.files.update(
    red=encoded(plain(RED)),
    blue=encoded(plain(BLUE), "PNG"),
    clear=encoded(Image.new("RGBA", (64, 64), (255, 0, 0, 90)), "PNG"),
    empty=b"",
    text=b"<!doctype html>",
    broken=encoded(Image.effect_noise((300, 300), 60))[:4000],
    webp=encoded(plain(RED), "WEBP"),
    gif=encoded(plain(RED), "GIF"),
    wide=encoded(plain(RED, (301, 100))),
    tall=encoded(plain(RED, (100, 301))),
    longest=encoded(plain(RED, (300, 100))),
    large=encoded(plain(RED, (4097, 2000))),
    largest=encoded(plain(RED, (4096, 2000))),
    magenta=encoded(bar(MAGENTA), quality=80),
    cyan=encoded(bar(CYAN), quality=80),
    half=encoded(plain((90, 120, 90), (400, 320))),
)


@pytest.mark.parametrize("name", ["red", "blue", "clear", "longest", "largest", "half"])
def test_what_is_good_is_taken(name: str, sandbox: Sandbox, shelf: str) -> None:
    assert sandbox.submit(image_urls=[f"{shelf}/{name}"]).status_code == 200


REFUSED = {
    "empty": 50206,
    "text": 50207,
    "broken": 50207,
    "gone": 50207,
    "moved": 50207,
    "cut": 50207,
    "huge": 50205,
    "large": 50205,
    "webp": 50200,
    "gif": 50200,
    "wide": 50200,
    "tall": 50200,
    "magenta": 50411,
    "cyan": 50518,
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_refused_and_named(
    name: str, sandbox: Sandbox, shelf: str, ledger: Any
) -> None:
    before = ledger.read_bytes() if ledger.exists() else b""
    answer = sandbox.submit(image_urls=[f"{shelf}/red", f"{shelf}/{name}"])
    assert (answer.status_code, answer.json()["code"]) == (400, REFUSED[name]), answer.text
    assert "image_urls[1]" in answer.json()["message"]
    assert (ledger.read_bytes() if ledger.exists() else b"") == before  # nothing was accepted


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:1/a.jpg",
        "http://127.0.0.1:1/a.jpg",
        "http://example.com/a.jpg",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/a.jpg",
        "http://[::ffff:10.0.0.1]/a.jpg",
        "http://127.0.0.1:99999/a.jpg",
        "http://",
    ],
)
def test_nothing_but_this_machine_is_asked(url: str, sandbox: Sandbox) -> None:
    answer = sandbox.submit(image_urls=[url])
    assert (answer.status_code, answer.json()["code"]) == (400, 50207), answer.text


def test_a_source_that_drips_is_given_up(shelf: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "FETCH_SECONDS", 0.3)
    with pytest.raises(ServiceRefusal) as caught:
        references.fetch(f"{shelf}/slow", "image_urls[0]", references.PICTURES)
    assert caught.value.code == 50207


def test_ten_are_taken_and_eleven_are_not(sandbox: Sandbox, shelf: str) -> None:
    Shelf.asked.clear()
    answer = sandbox.submit(image_urls=[f"{shelf}/red?n={at}" for at in range(11)])
    assert answer.json()["code"] == 50200
    assert Shelf.asked == []
    task_id = sandbox.task(
        prompt="sandbox:images=15", image_urls=[f"{shelf}/red?n={at}" for at in range(10)]
    )
    assert len(Shelf.asked) == 10
    assert len(sandbox.finished(task_id).json()["data"]["image_urls"]) == 5  # 15 minus the inputs


def test_words_in_the_prompt_come_first(sandbox: Sandbox, shelf: str) -> None:
    Shelf.asked.clear()
    answer = sandbox.submit(prompt="敏感词测试", image_urls=[f"{shelf}/red"])
    assert answer.json()["code"] == 50412
    assert Shelf.asked == []


def result(sandbox: Sandbox, *urls: str) -> Image.Image:
    task_id = sandbox.task(prompt="抽象渐变", size=1048576, image_urls=list(urls))
    (url,) = sandbox.finished(task_id).json()["data"]["image_urls"]
    return Image.open(io.BytesIO(requests.get(url, timeout=10).content)).convert("RGB")


NARROW = 12  # px; a print is many times as wide


def near(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) < 24 for a, b in zip(pixel, colour, strict=True))


def prints(image: Image.Image) -> list[str]:
    """The colours of the prints on the lower edge, left to right, each once."""
    row = [image.getpixel((x, image.height - image.height // 12)) for x in range(image.width)]
    named = ["red" if near(p, RED) else "blue" if near(p, BLUE) else "" for p in row]
    runs = [(name, len(list(run))) for name, run in groupby(named)]
    broad = [name for name, width in runs if width >= NARROW]  # JPEG leaves odd pixels anywhere
    return [a for a, b in zip(broad, ["", *broad], strict=False) if a and a != b]


def test_references_are_seen_in_their_order(sandbox: Sandbox, shelf: str) -> None:
    one = result(sandbox, f"{shelf}/red", f"{shelf}/blue")
    other = result(sandbox, f"{shelf}/blue", f"{shelf}/red", f"{shelf}/blue")
    assert prints(one) == ["red", "blue"]
    assert prints(other) == ["blue", "red", "blue"]
    assert prints(result(sandbox)) == []


def test_references_tint_the_picture_less_when_the_prompt_is_strong() -> None:
    red = encoded(plain(RED))
    one = Picture("抽象渐变", (512, 512), 0.1, "1:0", fast=True)

    def redness(picture: Picture) -> float:
        image = Image.open(io.BytesIO(paint(picture))).convert("RGB").resize((1, 1))
        r, g, b = image.getpixel((0, 0))  # type: ignore[misc]
        return r - (g + b) / 2

    faint = replace(one, references=(red,), scale=1.0)
    assert redness(replace(one, references=(red,))) > redness(one) + 20
    assert redness(faint) - redness(replace(one, scale=1.0)) > 5
    assert paint(faint) == paint(faint)


def test_a_task_keeps_its_references_over_a_restart(
    start: Callable[..., Sandbox], shelf: str, tmp_path: Any
) -> None:
    state = ("--state", str(tmp_path / "state.sqlite3"), "--latency", "0")
    sandbox = start(*state)
    task_id = sandbox.task(prompt="抽象渐变", size=1048576, image_urls=[f"{shelf}/red"])
    (url,) = sandbox.finished(task_id).json()["data"]["image_urls"]
    before = requests.get(url, timeout=10).content
    port = sandbox.port
    sandbox.kill()
    start(*state, port=port)
    assert requests.get(url, timeout=10).content == before


def test_the_bars_are_documented() -> None:
    text = (ROOT / "sandbox" / "README.md").read_text()
    for code, (name, colour) in BARS.items():
        assert f"{name} ({', '.join(map(str, colour))}) gives {code}" in text
