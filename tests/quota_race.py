"""Ten people press Generate in the same moment. Run as a script: `python -m tests.quota_race N [--unsafe]`.

Prints one JSON object: how many runs were accepted and refused, what went wrong otherwise, and what the
books say. `--unsafe` removes the guard (reads the rest, then writes the sum), as a negative control.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable

from tests.at_once import belonging, race  # isort: skip  # first: it sets Django up

from django.db import connection

from generations.models import Allowance, Balance, Generation, Project, User
from generations.services import accounts, compose, quota

LIMIT = 3


def unsafe_reserve(gate: threading.Barrier) -> Callable[..., Generation]:
    """Read what is left, let everybody else read it too, then write the sum: the classic mistake."""
    seen = threading.local()
    inner = compose.submit

    def submit(**wanted: object) -> Generation:
        balance = Balance.objects.get()
        seen.reserved, seen.left = balance.reserved, balance.left
        connection.close()
        gate.wait(timeout=60)
        return inner(**wanted)

    def reserve(*, jobs: list[object], **_rest: object) -> None:
        if seen.left < len(jobs):
            raise quota.OverLimit("over")
        Balance.objects.update(reserved=seen.reserved + len(jobs))

    quota.reserve = reserve  # type: ignore[assignment]  # the guard, removed
    return submit


def world() -> tuple[Project, User]:
    project, user = belonging("designer", "editor")
    accounts.ensure_accounts()
    allowance = Allowance.objects.create(scope=Allowance.Scope.PERSON, limit=LIMIT)
    Balance.objects.create(
        allowance=allowance,
        user=user,
        period_key=quota.period_key(allowance.period, allowance.created_at),
        granted=LIMIT,
    )
    return project, user


def main(people: int, unsafe: bool) -> None:
    project, user = world()
    submit = unsafe_reserve(threading.Barrier(people)) if unsafe else compose.submit

    def press(_number: int) -> None:
        submit(
            project=project,
            user=user,
            engine="jimeng-image-4.0",
            prompt="一只柯基在草地上",
            settings={},
            count=1,
        )

    over = (quota.OverLimit, "refused")
    outcomes = race(people, press, done="accepted", refused=over)
    balance = Balance.objects.get()
    print(
        json.dumps(
            {
                **outcomes,
                "limit": LIMIT,
                "generations": Generation.objects.count(),
                "reserved": balance.reserved,
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), "--unsafe" in sys.argv)
