"""A driver process that freezes itself at a named point: `python -m tests.lone_driver POINT [GUARD]`.

With GUARD, that guard is taken out of this process: what the tests call a twin.
"""

from __future__ import annotations

import os
import signal
import sys

import django

django.setup()

from generations.models import ProviderAccount
from generations.services import crash, driver
from generations.services.driver.lease import Lease


def freeze(name: str, job: int | None = None) -> None:
    if name == sys.argv[1]:
        print("frozen", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)


def main() -> None:
    crash.point = freeze
    if "lease" in sys.argv[2:]:
        Lease.valid = lambda self: True  # type: ignore[method-assign]
    if "renewal" in sys.argv[2:]:
        Lease.renew_jobs = lambda self, ids: None  # type: ignore[method-assign]
    driver.drive(account_id=ProviderAccount.objects.get(provider="jimeng").pk, stop=lambda: False)
    print("woke and ended", flush=True)


if __name__ == "__main__":
    main()
