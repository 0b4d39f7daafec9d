"""What a process that decodes uploads may use, imposed by itself before it looks at a byte."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

# Addresses, of which less than two thirds are ever memory (700 MB for 60 megapixels): decoders reserve
# more than they touch.
MEMORY_BYTES = 1100 * 1024 * 1024
CPU_S = 40
FILE_BYTES = 400 * 1024 * 1024
_PR_SET_PDEATHSIG = 1
# macOS refuses a limit on addresses; what it offers instead is better than nothing.
_MEMORY = resource.RLIMIT_DATA if sys.platform == "darwin" else resource.RLIMIT_AS


class Unlimited(RuntimeError):
    """Somebody is about to decode an upload in a process that has no limits."""


def impose(parent: int) -> None:
    """Limit this process for good, and let it end with `parent`."""
    resource.setrlimit(_MEMORY, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def require() -> None:
    """Raise Unlimited unless `impose` was called in this process."""
    memory, _hard = resource.getrlimit(_MEMORY)
    seconds, _hard = resource.getrlimit(resource.RLIMIT_CPU)
    if not 0 < memory <= MEMORY_BYTES or not 0 < seconds <= CPU_S:
        raise Unlimited("uploads are decoded in a process apart: imaging.prepare, imaging.fit")
