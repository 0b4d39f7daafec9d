"""Spellings of places a result URL must never lead to, and the one way tests fetch."""

from __future__ import annotations

import io
from typing import Any

import pytest

from generations.providers import http
from generations.providers.base import DownloadError

REFUSED = [
    # loopback, when it is not allowed, in every spelling a resolver might read
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "https://127.0.0.1:443/x",
    "https://127.8.9.10/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://0/",
    "https://0.0.0.0/",
    "https://127.0.0.1./",
    "https://[::1]/",
    "https://[::]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://loop.example/",
    "https://127.0.0.1.nip.example/",
    # private, shared, link-local, reserved, multicast
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://100.100.100.200/latest/meta-data/",
    "https://100.96.0.96/volcstack/latest",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/metadata",
    "https://metadata.example/",
    "https://192.0.0.1/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://198.18.0.1/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://224.0.0.1/",
    "https://239.255.255.250/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    # version 6, and version 4 inside it
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fc00::1]/",
    "https://[fd12:3456::1]/",
    "https://[fec0::1]/",
    "https://[feef::1]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    "https://[100::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:93.184.216.34]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::127.0.0.1]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2002:5db8:d822::1]/",
    "https://[2001::1]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://[2606:2800:220:1:0:5efe:7f00:1]/",
    "https://[2606:2800:220:1:200:5efe:127.0.0.1]/",
    "https://mapped.example/",
    "https://scoped.example/",
    # one bad address among good ones
    "https://mixed.example/",
    "https://mixed6.example/",
    # plain http and other schemes
    "http://files.example/",
    "http://93.184.216.34/",
    "ftp://files.example/",
    "file:///etc/passwd",
    "file://files.example/etc/passwd",
    "gopher://files.example/_x",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "//files.example/x",
    "files.example/x",
    "https:/files.example/x",
    "https:files.example",
    "",
    "https://",
    "https:///x",
    # user names, and what two parsers read differently
    "https://files.example@127.0.0.1/",
    "https://127.0.0.1@files.example/",
    "https://user:pass@files.example/",
    "https://files.example:80@127.0.0.1/",
    "https://files.example\\@127.0.0.1/",
    "https://files.example\\.evil.example/",
    "https://127.0.0.1\\x@files.example/",
    "https://files.example/\\..",
    "https://files.example#@127.0.0.1/".replace("#", "%23"),
    "https://files.example%2f@127.0.0.1/",
    "https://files.example /x",
    " https://files.example/x",
    "https://files.example/x y",
    "https://files.example/\tx",
    "https://files.example/x\r\nHost: evil",
    "https://fil\nes.example/",
    "https://files.example\0/",
    "https://１２７.０.０.１/",
    "https://ⓛocalhost/",
    "https://fıles.example/",
    "https://127。0。0。1/",
    "https://files..example/",
    "https://.files.example/",
    "https://./",
    "https://files.example:0/",
    "https://files.example:65536/",
    "https://files.example:99999/",
    "https://files.example:-1/",
    "https://files.example:８０/",
    "https://[files.example]/",
    "https://[::1/",
    "https://[1.2.3.4]/",
    "https://1.2.3.4.5/",
    "https://1.2.3.256/",
    "https://files.example/" + "x" * 9000,
]


def fetch(url: str, sink: http.Sink | None = None, **changes: Any) -> http.DownloadResult:
    given: dict[str, Any] = {
        "sink": sink if sink is not None else io.BytesIO(),
        "allow_loopback": False,
        "max_bytes": 10_000,
        "deadline_s": 5.0,
    }
    return http.download(url, **(given | changes))


def reason(url: str, **changes: object) -> str:
    with pytest.raises(DownloadError) as caught:
        fetch(url, **changes)
    return caught.value.reason
