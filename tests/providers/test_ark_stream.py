"""Every shape and order in which a stream may come, and every way in which it may break."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from generations.providers import http
from generations.providers.ark_stream import Frames
from generations.providers.base import Ambiguous, EngineFailed, Finished, Moderated, Part
from tests.providers.ark_answers import (
    a_set,
    ask,
    build,
    chunked,
    closing,
    completed,
    failed,
    frame,
    frames,
    heard_from,
    streams,
    succeeded,
    url,
)
from tests.providers.wire import Reaction, http_bytes, reset, say, say_then, wait

FOUR = [succeeded(index) for index in range(4)]


def places(found: Finished) -> dict[int, str]:
    """Place to address, or to the reason why there is none."""
    return {
        each.index: each.url or str(each.refusal and each.refusal.reason) for each in found.parts
    }


ALL = {index: url(index) for index in range(4)}


# --- Frames -------------------------------------------------------------------------------------

TEXT = (
    b"\xef\xbb\xbf: a comment\n"
    b'event: one\ndata: {"a":\ndata:  "\xe6\x9f\xaf\xe5\x9f\xba"}\n\n'
    b"id: 7\r\nretry: 10\r\ndata: tw\r\ndata: o\r\n\r\n"
    b"data:three\r\r"
    b"nonsense without a colon\ndata\n\n"
    b"data: last"
)
TOLD = ['{"a":\n "柯基"}', "tw\no", "three", "", "last"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 1000])
def test_frames_are_the_same_however_the_bytes_are_cut(size: int) -> None:
    found: list[str] = []
    reader = Frames()
    for at in range(0, len(TEXT), size):
        found += reader.feed(TEXT[at : at + size])
    assert [*found, *reader.close()] == TOLD


def test_a_frame_is_told_when_its_blank_line_is_there() -> None:
    reader = Frames()
    assert list(reader.feed(b"data: a\r")) == []
    assert list(reader.feed(b"\n\r")) == ["a"]  # and not only with the next byte
    assert list(reader.feed(b"\ndata: b\n")) == []
    assert list(reader.close()) == ["b"]


def test_a_long_line_in_many_pieces_is_read_in_no_time() -> None:
    reader, piece = Frames(), b"x" * 65536
    assert list(reader.feed(b"data: ")) == []
    for _each in range(512):
        assert list(reader.feed(piece)) == []
    assert [len(each) for each in reader.feed(b"\n\n")] == [512 * 65536]


# --- What may come ------------------------------------------------------------------------------


def test_a_set() -> None:
    found, heard = streams(*FOUR, completed(4))
    assert places(found) == ALL
    assert [part.url for part in heard] == list(ALL.values())


@pytest.mark.parametrize(
    "body",
    [
        frames(*FOUR, completed(4), "[DONE]", event=False),
        frames(*FOUR, completed(4), "[DONE]", end="\r\n"),
        frames(*FOUR, completed(4), "[DONE]", end="\r"),
        frames(*FOUR, completed(4)),
        frames(*FOUR, "[DONE]"),
        frames(*FOUR, completed(4)).rstrip(b"\n"),
        b": hello\n\n" + b": ping\n\n".join(frame(each) for each in [*FOUR, completed(4)]),
        frames(*({**each, "type": None} for each in FOUR), completed(4)),
        frames(*reversed(FOUR), completed(4)),
        frames(*FOUR, {"type": "image_generation.new_thing", "x": 1}, completed(4), "[DONE]"),
    ],
    ids=[
        "no-event-lines",
        "crlf",
        "cr",
        "no-done",
        "no-completed",
        "no-last-blank-line",
        "comments",
        "no-type",
        "backwards",
        "unknown-event",
    ],
)
def test_every_dialect_says_the_same(body: bytes) -> None:
    assert places(ask(say(chunked(body)))[0]) == ALL
    assert places(ask(closing(body))[0]) == ALL


def test_data_over_several_lines() -> None:
    lines = json.dumps(succeeded(0), indent=1).splitlines()
    body = b"".join(f"data: {line}\n".encode() for line in lines) + b"\n"
    assert places(ask(say(chunked(body + frames(completed(1)))))[0]) == {0: url(0)}


def test_characters_cut_in_two_and_pictures_told_while_it_goes_on() -> None:
    """The server goes on only when the picture before has been heard."""
    heard, told = threading.Semaphore(0), []
    pieces = [frame(succeeded(at, note="柯基")) for at in range(3)] + [frame(completed(3))]

    def react(conn: socket.socket) -> None:
        conn.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for piece in pieces:
            middle = piece.find("柯".encode()) + 1
            conn.sendall(piece[:middle])
            conn.sendall(piece[middle:])
            assert piece is pieces[-1] or heard.acquire(timeout=5)
        conn.shutdown(socket.SHUT_RDWR)

    def arrived(part: Part) -> None:
        told.append(part.index)
        heard.release()

    assert places(heard_from(react, arrived)) == {at: url(at) for at in range(3)}
    assert told == [0, 1, 2]


def test_json_where_a_stream_was_asked_for() -> None:
    items = [{"url": url(0)}, {"error": failed(1)["error"]}, {"url": url(2)}]
    document = {"created": 1, "data": items, "usage": {"generated_images": 2}}
    for kind in ("application/json", "text/event-stream", "text/html"):
        whole = http_bytes(200, json.dumps(document).encode(), Content_Type=kind)
        found, heard = ask(say(whole))
        assert places(found) == {0: url(0), 1: "moderated_output", 2: url(2)}
        assert [part.index for part in heard] == [0, 1, 2]


def test_a_stream_where_json_was_asked_for() -> None:
    found, _heard = streams(succeeded(0), completed(1), call=build())
    assert places(found) == {0: url(0)}


def test_bytes_instead_of_an_address() -> None:
    event = {**succeeded(0), "url": None, "b64_json": "/9j/\n4A=="}
    assert streams(event, completed(1))[0].parts == (Part(0, image=b"\xff\xd8\xff\xe0"),)


def test_a_refused_picture_loses_only_itself() -> None:
    found, _heard = streams(succeeded(0), failed(1), succeeded(2), succeeded(3), completed(3))
    assert places(found) == ALL | {1: "moderated_output"}


def test_a_break_down_in_the_middle_ends_the_rest() -> None:
    found, _heard = streams(succeeded(0), failed(1, "InternalServiceError"), completed(1))
    assert places(found) == {0: url(0), 1: "engine_fault"}


def test_all_refused_is_a_refusal() -> None:
    with pytest.raises(Moderated):
        streams(failed(0), failed(1), completed(0))
    with pytest.raises(EngineFailed):
        streams(failed(0, "SomethingNew"), completed(0))


@pytest.mark.parametrize("index", [None, "0", -1, 10**9, 0])
def test_a_place_that_is_none_or_taken_loses_no_picture(index: object) -> None:
    found, _heard = streams(succeeded(0), {**succeeded(1), "image_index": index}, completed(2))
    assert places(found) == {0: url(0), 1: url(1)}


def test_more_pictures_than_were_asked_for_are_kept() -> None:
    assert len(streams(*FOUR, completed(4), call=a_set(2))[0].parts) == 4


# --- How it may break ---------------------------------------------------------------------------

BREAKS: dict[str, Reaction] = {
    "chunk": say_then(chunked(frames(*FOUR[:2]), ends=False), lambda conn: conn.shutdown(2)),
    "reset": say_then(chunked(frames(*FOUR[:2]), ends=False), reset),
    "middle": say_then(
        chunked(frames(*FOUR[:2]) + frame(FOUR[2])[:50], ends=False), lambda conn: conn.shutdown(2)
    ),
    "clean end, too early": closing(frames(*FOUR[:2])),
    "nonsense in a frame": say(chunked(frames(*FOUR[:2], "{nonsense", "[DONE]"))),
    "the bill counts more": say(chunked(frames(*FOUR[:2], completed(3), "[DONE]"))),
    "a picture without address": say(
        chunked(frames(*FOUR[:2], {**FOUR[2], "url": "file:///etc/passwd"}, "[DONE]"))
    ),
    "a fault of theirs": say(
        chunked(frames(*FOUR[:2], {"error": {"code": "InternalServiceError"}}, "[DONE]"))
    ),
    "a word we do not know": say(chunked(frames(*FOUR[:2], {"error": {"code": "New"}}, "[DONE]"))),
}


@pytest.mark.parametrize("how", BREAKS)
def test_what_came_before_it_broke_is_heard_and_the_rest_is_unknown(how: str) -> None:
    heard: list[Part] = []
    with pytest.raises(Ambiguous):
        heard_from(BREAKS[how], heard.append)
    assert [part.url for part in heard] == [url(0), url(1)]


def test_silence_in_the_middle_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole exchange has one, to the second: a picture on the way gives it no more time."""
    monkeypatch.setattr("generations.providers.ark.LONGEST_CALL_S", 1.0)
    heard: list[Part] = []

    def react(conn: socket.socket) -> None:
        conn.sendall(HEAD_ONLY)
        threading.Event().wait(0.7)
        say_then(frames(*FOUR[:2]), wait)(conn)

    began = time.monotonic()
    with pytest.raises(Ambiguous) as caught:
        heard_from(react, heard.append)
    assert time.monotonic() - began < 1.5
    assert [part.index for part in heard] == [0, 1]
    assert caught.value.message == "no answer in time"


HEAD_ONLY = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


def test_a_trickle_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generations.providers.ark.LONGEST_CALL_S", 1.0)

    def react(conn: socket.socket) -> None:
        conn.sendall(HEAD_ONLY)
        for _each in range(100):
            conn.sendall(b": ping\n\n")
            threading.Event().wait(0.1)

    with pytest.raises(Ambiguous):
        heard_from(react, lambda part: None)


def test_when_all_is_there_a_break_takes_nothing() -> None:
    """Nothing more could have come, so nothing is left to doubt."""
    fault = {"error": {"code": "InternalServiceError"}}
    for body in (frames(*FOUR), frames(*FOUR[:3], completed(3)), frames(*FOUR, fault)):
        found, _heard = ask(say_then(chunked(body, ends=False), reset))
        assert len(found.parts) in (3, 4)


def test_a_refusal_before_any_picture_is_one_even_if_it_breaks_then() -> None:
    refusal = {"error": {"code": "InputTextSensitiveContentDetected", "message": "no"}}
    for ends in (True, False):
        react = say_then(chunked(frames(refusal), ends=ends), lambda conn: conn.shutdown(2))
        with pytest.raises(Moderated):
            ask(react)


def test_a_refusal_of_the_rest_says_why() -> None:
    refusal = {"error": {"code": "OutputImageSensitiveContentDetected", "message": "no"}}
    found, _heard = streams(*FOUR[:2], refusal)
    assert places(found) == {0: url(0), 1: url(1), 2: "moderated_output"}


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{", b"[]", b"null", b'{"data":null}', b'{"data":{}}', b"\xff\xfe", b"data:"],
)
def test_an_answer_that_says_nothing_is_unknown(body: bytes) -> None:
    with pytest.raises(Ambiguous):
        ask(say(http_bytes(200, body)))


def test_nothing_made_and_told_so_is_no_doubt() -> None:
    assert ask(say(http_bytes(200, b'{"data":[],"usage":{"generated_images":0}}')))[0].parts == ()


def test_the_wire_is_left_as_it_was() -> None:
    """A stream that was read to its end leaves a connection that serves the next call."""
    assert streams(*FOUR, completed(4))[0].parts
    assert http._thread.adapter is not None
