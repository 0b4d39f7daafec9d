"""Ten people press Generate in the same moment. Run as a script: `python -m tests.quota_race N [--unsafe]`.

Prints one JSON object: how many runs were accepted and refused, what went wrong otherwise, and what the
books say. `--unsafe` removes the guard (reads the rest, then writes the sum), as a negative control.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connection

from generations.models import Allowance, Balance, Generation, Membership, Project, User
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
    call_command("migrate", verbosity=0)
    accounts.ensure_accounts()
    user = User.objects.create_user("designer")
    project = Project.objects.create(name="Race", slug="race")
    Membership.objects.create(project=project, user=user)
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
    gate = threading.Barrier(people)
    submit = unsafe_reserve(gate) if unsafe else compose.submit
    outcomes: Counter[str] = Counter()

    def press() -> None:
        gate.wait(timeout=60)
        try:
            submit(
                project=project,
                user=user,
                engine="jimeng-image-4.0",
                prompt="一只柯基在草地上",
                settings={},
                count=1,
            )
            outcomes["accepted"] += 1
        except quota.OverLimit:
            outcomes["refused"] += 1
        except Exception as error:
            outcomes[repr(error)] += 1
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _each in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
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
