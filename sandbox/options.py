"""The command line of ``python -m sandbox``."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.faults import parse_faults


@dataclass(frozen=True, slots=True)
class Options:
    """Everything the command line decides.

    Times are seconds; 0 means unlimited for ``qps`` and ``concurrency``.
    """

    host: str = "127.0.0.1"
    port: int = 9100
    latency: float = 8.0
    jitter: float = 0.2
    seed: int = 1
    state: Path | None = None
    ledger: Path | None = None
    faults: dict[str, float] = field(default_factory=dict)
    qps: float = 0.0
    concurrency: int = 0
    fast_media: bool = False
    access_key: str = "AKSANDBOX"
    secret_key: str = "SKSANDBOX"
    more_keys: dict[str, str] = field(default_factory=dict)
    ark_key: str = "ARK-SANDBOX"
    retention: float = 12 * 3600.0
    url_ttl: float = 24 * 3600.0
    video_url_ttl: float = 3600.0
    not_found_as_50215: bool = False
    result_errors_as_200: bool = False
    workers: int = 2
    also: dict[str, str] = field(default_factory=dict)


def _bounded(low: float, high: float = math.inf) -> Callable[[str], float]:
    """Build an argparse type that accepts a float in ``[low, high]``."""

    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low:g} and {high:g}")
        return value

    return number


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return value


def _faults(text: str) -> dict[str, float]:
    try:
        return parse_faults(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _keys(text: str) -> dict[str, str]:
    pairs = [part.partition(":") for part in text.split(",") if part]
    if any(not (access and secret) for access, _colon, secret in pairs):
        raise argparse.ArgumentTypeError("a key pair is ACCESS:SECRET")
    return {access: secret for access, _colon, secret in pairs}


def _also(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",") if part]
    if any(not (new and known) for new, _equals, known in pairs):
        raise argparse.ArgumentTypeError("a further id is NEW=KNOWN")
    return {new: known for new, _equals, known in pairs}


def _add_wire_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--access-key", default="AKSANDBOX", help="the one access key that is known"
    )
    parser.add_argument("--secret-key", default="SKSANDBOX", help="its secret")
    parser.add_argument(
        "--more-keys", type=_keys, default={}, metavar="ACCESS:SECRET,…", help="further key pairs"
    )
    parser.add_argument(
        "--ark-key",
        default="ARK-SANDBOX",
        help="the API key that Ark knows",
    )
    parser.add_argument(
        "--also",
        type=_also,
        default=os.environ.get("SANDBOX_ALSO", ""),
        metavar="NEW=KNOWN,…",
        help="further req_keys, model ids or ep- endpoints, each served as one that is known",
    )
    parser.add_argument(
        "--not-found-as-50215",
        action="store_true",
        help="unknown tasks answer HTTP 400, code 50215",
    )
    parser.add_argument(
        "--result-errors-as-200",
        action="store_true",
        help="failed tasks are reported with HTTP 200",
    )


def _add_clock_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--latency", type=_bounded(0), default=8.0, help="mean seconds from submit to done"
    )
    parser.add_argument(
        "--jitter", type=_bounded(0, 1), default=0.2, help="latency varies by 1 ± this"
    )
    parser.add_argument(
        "--retention", type=_bounded(0), default=12 * 3600.0, help="seconds a task is remembered"
    )
    parser.add_argument(
        "--url-ttl", type=_bounded(0), default=24 * 3600.0, help="seconds a result URL lives"
    )
    parser.add_argument(
        "--video-url-ttl", type=_bounded(0), default=3600.0, help="the same for a video's URL"
    )


def build_parser() -> argparse.ArgumentParser:
    """Return the argument parser; its defaults are those of :class:`Options`."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="A local emulator of the Jimeng visual API."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=_port, default=9100, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="of jitter and faults")
    parser.add_argument("--state", type=Path, help="SQLite file that keeps tasks over a restart")
    parser.add_argument(
        "--ledger", type=Path, help="file that gets one JSON line per accepted submission"
    )
    parser.add_argument(
        "--faults", type=_faults, default={}, metavar="KIND=P,…", help="see sandbox/README.md"
    )
    parser.add_argument(
        "--qps",
        type=_bounded(0),
        default=0.0,
        help="submissions per sliding second; 0 is unlimited",
    )
    parser.add_argument(
        "--concurrency", type=_count, default=0, help="unfinished tasks; 0 is unlimited"
    )
    parser.add_argument("--fast-media", action="store_true", help="paint cheaply, for tests")
    parser.add_argument(
        "--workers", type=_count, default=min(4, os.cpu_count() or 1), help="painting processes"
    )
    _add_clock_options(parser)
    _add_wire_options(parser)
    return parser


def parse_options(argv: list[str] | None = None) -> Options:
    """Parse ``argv`` (default: the process's own).

    Leaves by ``SystemExit`` on a wrong argument, as argparse does.
    """
    return Options(**vars(build_parser().parse_args(argv)))
