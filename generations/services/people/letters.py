"""Mail, sent aside: nobody waits for a mail server, and nobody can tell by waiting that one was asked."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.core.cache import cache

log = logging.getLogger(__name__)
PAUSE_S = 120.0  # between two letters to one address
WAITING_MOST = 200
_post = ThreadPoolExecutor(max_workers=1, thread_name_prefix="letters")


def may_write_to(address: str) -> bool:
    """Whether an address has not been written to in the last two minutes, by this process."""
    name = hashlib.sha256(address.strip().lower().encode()).hexdigest()
    return bool(cache.add(f"letter:{name}", True, PAUSE_S))


def later(send: Callable[[], None]) -> None:
    """Write and send a letter in the background; what goes wrong is logged. It needs no database."""
    if _post._work_queue.qsize() > WAITING_MOST:
        log.error("too many letters wait; one was dropped")
        return
    _post.submit(_safely, send)


def all_sent() -> None:
    """Wait until every letter given so far has gone."""
    _post.submit(int).result()


def _safely(send: Callable[[], None]) -> None:
    try:
        send()
    except Exception:
        log.exception("a letter could not be sent")
