"""The painting processes: a pool that is forked before anything else runs, dies with its parent,
and is replaced when it breaks.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections import OrderedDict
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context

from sandbox.film import Clip, film
from sandbox.paint import Picture, paint

_PR_SET_PDEATHSIG = 1
_CACHE_BYTES = 64 * 1024 * 1024
_NICENESS = 5
_TRIES = 3


def die_with(parent: int) -> None:
    """Make this worker process end with ``parent``, ignore the terminal's Ctrl-C, and give way to
    the server.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have died before the line above took effect.
    if os.getppid() != parent:
        os._exit(0)
    os.nice(_NICENESS)


Work = Picture | Clip


def make(work: Work) -> bytes:
    """Return the file that ``work`` becomes; runs in a painting process."""
    return film(work) if isinstance(work, Clip) else paint(work)


class Painter:
    """Paints in ``workers`` processes and keeps the newest pictures and videos, up to 64 MiB."""

    def __init__(self, workers: int) -> None:
        self.painted = 0
        self._workers = max(1, workers)
        self._cache: OrderedDict[Work, bytes] = OrderedDict()
        self._cached = 0
        self._running: dict[Work, asyncio.Task[bytes]] = {}
        self._pool = self._new_pool()

    async def jpeg(self, picture: Picture) -> bytes:
        """Return the JPEG of ``picture``. Asking twice at once paints once."""
        return await self._made(picture)

    async def mp4(self, clip: Clip) -> bytes:
        """Return the video of ``clip``, likewise."""
        return await self._made(clip)

    async def _made(self, work: Work) -> bytes:
        if work in self._cache:
            self._cache.move_to_end(work)
            return self._cache[work]
        if work not in self._running:
            self._running[work] = asyncio.create_task(self._paint(work))
        return await asyncio.shield(self._running[work])

    def close(self) -> None:
        """End the workers at once; what they were painting can be painted again."""
        children = active_children()
        self._pool.shutdown(wait=False, cancel_futures=True)
        for child in children:
            child.kill()
        for child in children:
            child.join(1)

    def _new_pool(self, method: str = "fork") -> ProcessPoolExecutor:
        context = get_context(method)
        pool = ProcessPoolExecutor(
            self._workers, context, initializer=die_with, initargs=(os.getpid(),)
        )
        # A pool of forked processes starts them all at its first job: now, with one thread.
        pool.submit(time.sleep, 0)
        return pool

    async def _paint(self, work: Work) -> bytes:
        try:
            data = await self._attempt(work)
        finally:
            del self._running[work]
        self.painted += 1
        self._keep(work, data)
        return data

    async def _attempt(self, work: Work) -> bytes:
        for _ in range(_TRIES - 1):
            pool = self._pool
            try:
                return await asyncio.wrap_future(pool.submit(make, work))
            except BrokenProcessPool:
                if pool is self._pool:
                    pool.shutdown(wait=False)
                    # A fork would now copy the callers' connections, which then never close.
                    self._pool = self._new_pool("spawn")
        return await asyncio.wrap_future(self._pool.submit(make, work))

    def _keep(self, work: Work, data: bytes) -> None:
        self._cache[work] = data
        self._cached += len(data)
        while self._cached > _CACHE_BYTES:
            _, dropped = self._cache.popitem(last=False)
            self._cached -= len(dropped)
