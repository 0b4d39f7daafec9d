"""PostgreSQL tells when there is something new: one LISTEN connection per web process.

It stands outside Django's connections, which belong to requests. What it brings is a wake-up and no
more: events are read from their table, so a lost notification costs seconds and never an event.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

import psycopg
from django.db import connection
from psycopg import sql

from generations.services import events

log = logging.getLogger(__name__)
APPLICATION = "diptych-events"
LONGEST_WAIT_S = 10.0
_CHANNEL = sql.Identifier(events.CHANNEL)
# A server that vanished without a word is noticed after half a minute.
_KEEPALIVES = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}
# What Django adds for its own cursors.
_OF_DJANGO = ("context", "cursor_factory", "prepare_threshold", "server_side_binding")


async def listen(wake: Callable[[], None]) -> None:
    """Call `wake` at each notification, and once whenever listening has begun (anew). Ends only
    when it is cancelled: a connection that is lost is opened again, after a wait that grows.
    """
    failures = 0
    while True:
        try:
            async with await _connect() as open_connection:
                await open_connection.execute(sql.SQL("LISTEN {}").format(_CHANNEL))
                failures = 0
                wake()
                async for _notification in open_connection.notifies():
                    wake()
        except (psycopg.Error, OSError) as error:
            log.warning("events: not listening", extra={"why": str(error)[:200]})
        failures += 1
        wait = min(LONGEST_WAIT_S, 0.25 * 2 ** min(failures, 6))
        await asyncio.sleep(wait * random.uniform(0.5, 1.0))


async def _connect() -> psycopg.AsyncConnection[tuple[object, ...]]:
    given = {
        name: value
        for name, value in connection.get_connection_params().items()
        if name not in _OF_DJANGO
    }
    given |= {"application_name": APPLICATION, "connect_timeout": 5, **_KEEPALIVES}
    return await psycopg.AsyncConnection.connect(autocommit=True, **given)
