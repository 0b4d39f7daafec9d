"""The rate limit: so many submissions in any sliding second."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class SubmitRate:
    """Counts admitted submissions of the last second; refused ones do not count."""

    def __init__(self, qps: float, clock: Callable[[], float]) -> None:
        self.qps = qps
        self._clock = clock
        self._admitted: deque[float] = deque()

    def admit(self) -> bool:
        """Return whether one more submission fits, and count it when it does.

        ``qps`` 0 admits everything.
        """
        if self.qps <= 0:
            return True
        now = self._clock()
        while self._admitted and self._admitted[0] <= now - 1:
            self._admitted.popleft()
        if len(self._admitted) >= self.qps:
            return False
        self._admitted.append(now)
        return True
