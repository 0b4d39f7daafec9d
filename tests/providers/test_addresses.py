"""Where a result URL may lead: no connection is made to anywhere else."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generations.providers import addresses
from generations.providers.base import DownloadError
from tests.providers.urls import REFUSED, reason

PUBLIC = "93.184.216.34"
# What the stubbed resolver answers; every other name does not resolve.
NAMES = {
    "files.example": [PUBLIC],
    "v6.example": ["2606:2800:220:1::1"],
    "metadata.example": ["169.254.169.254"],
    "loop.example": ["127.0.0.1"],
    "mixed.example": [PUBLIC, "10.0.0.5"],
    "mixed6.example": [PUBLIC, "::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "scoped.example": ["fe80::1%eth0"],
    "localhost": ["127.0.0.1"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stub the resolver; the list holds the names that were looked up."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        if host not in NAMES:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return NAMES[host]

    monkeypatch.setattr(addresses, "resolve", resolve)
    return asked


@pytest.fixture
def connects(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every address a socket was asked to connect to; none is reached."""
    tried: list[object] = []

    def connect(_self: socket.socket, address: object) -> None:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried


def test_the_table_is_long_enough() -> None:
    assert len(set(REFUSED)) == len(REFUSED) >= 100


@pytest.mark.parametrize("url", REFUSED)
def test_refused_without_a_connection(url: str, names: list[str], connects: list[object]) -> None:
    assert reason(url) == "refused_url"
    assert connects == []


def test_the_guard_is_what_refuses(
    names: list[str], connects: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: without the address rule the very same URL is connected to."""
    monkeypatch.setattr(addresses, "is_public", lambda _address: True)
    assert reason("https://169.254.169.254/latest/meta-data/") == "transient"
    assert connects == [("169.254.169.254", 443)]


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("https://files.example/a.jpeg?sig=1", (PUBLIC, 443)),
        ("HTTPS://Files.Example./a", (PUBLIC, 443)),
        ("https://files.example:8443/a", (PUBLIC, 8443)),
        ("https://files.example?x=1", (PUBLIC, 443)),
        ("https://93.184.216.34/a", (PUBLIC, 443)),
        ("https://v6.example/a", ("2606:2800:220:1::1", 443, 0, 0)),
        ("https://[2606:2800:220:1::1]/a", ("2606:2800:220:1::1", 443, 0, 0)),
    ],
)
def test_public_addresses_are_connected_to_by_address(
    url: str, where: tuple[object, ...], names: list[str], connects: list[object]
) -> None:
    assert reason(url) == "transient"
    assert connects == [where]


def test_a_name_is_resolved_once_and_a_changed_answer_changes_nothing(
    connects: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([[PUBLIC], ["169.254.169.254"], ["127.0.0.1"]])
    monkeypatch.setattr(addresses, "resolve", lambda _host, _port: next(answers))
    assert reason("https://rebinding.example/") == "transient"
    assert connects == [(PUBLIC, 443)]
    assert next(answers) == ["169.254.169.254"], "asked once"


def test_a_name_that_does_not_resolve_may_be_tried_again(
    names: list[str], connects: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reason("https://unknown.example/") == "transient"
    monkeypatch.setattr(addresses, "resolve", lambda _host, _port: [])
    assert reason("https://files.example/") == "transient"
    assert connects == []


def test_resolve_asks_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = [(2, 1, 6, "", ("10.0.0.1", 443)), (10, 1, 6, "", ("fe80::1", 443, 0, 2))] * 2
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: answer)
    assert addresses.resolve("files.example", 443) == ["10.0.0.1", "fe80::1"]


def test_the_next_address_is_tried_when_one_is_not_reached(
    connects: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [f"93.184.216.{n}" for n in range(30, 36)]
    monkeypatch.setattr(addresses, "resolve", lambda _host, _port: many)
    assert reason("https://files.example/") == "transient"
    assert connects == [(each, 443) for each in many[:3]]


@pytest.mark.parametrize(
    ("listed", "goes"),
    [
        ({"files.example"}, True),
        ({"*.example"}, True),
        ({"*.files.example"}, False),
        ({"example"}, False),
        ({"other.example"}, False),
        ({"iles.example"}, False),
        ({PUBLIC}, False),
    ],
)
def test_the_list_of_hosts(
    listed: set[str], goes: bool, names: list[str], connects: list[object]
) -> None:
    why = reason("https://files.example/", allowed_hosts=frozenset(listed))
    assert (why, bool(connects)) == (("transient", True) if goes else ("refused_url", False))
    assert bool(names) is goes, "a host that is not listed is not even looked up"


@pytest.mark.parametrize(
    "url",
    [
        "http://loop.example/",
        "http://127.0.0.1.nip.example/",
        "http://10.0.0.1/",
        "http://93.184.216.34/",
        "http://files.example/",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0/",
        "http://metadata.example/",
        "http://2130706433/",
    ],
)
def test_loopback_mode_opens_loopback_and_nothing_else(
    url: str, names: list[str], connects: list[object]
) -> None:
    assert reason(url, allow_loopback=True) == "refused_url"
    assert connects == []


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("http://127.0.0.1:9/x", ("127.0.0.1", 9)),
        ("http://localhost:9/x", ("127.0.0.1", 9)),
        ("http://[::1]:9/x", ("::1", 9, 0, 0)),
        ("https://files.example/x", (PUBLIC, 443)),
    ],
)
def test_what_loopback_mode_reaches(
    url: str, where: tuple[object, ...], names: list[str], connects: list[object]
) -> None:
    assert reason(url, allow_loopback=True) == "transient"
    assert connects == [where]


@given(st.text() | st.from_regex(addresses._URL, fullmatch=True))
def test_no_url_raises_anything_else(url: str) -> None:
    try:
        place = addresses.parse(url)
    except DownloadError as error:
        assert error.reason == "refused_url"
    else:
        assert place.host and place.scheme in ("http", "https") and place.target[0] == "/"
        assert addresses.parse(place.url) == place


@given(st.ip_addresses())
def test_public_is_never_wider_than_global(address: object) -> None:
    found = ip_address(str(address))
    if addresses.is_public(found):
        assert found.is_global
        assert not found.is_loopback and not found.is_link_local and not found.is_private
