"""Many people do the same thing in the same moment; what came of it is counted. For the scripts of races.

Imported first of all: it sets Django up.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connection

from generations.models import Membership, Project, User


def belonging(username: str, role: str) -> tuple[Project, User]:
    """An empty database with one project and one person in it."""
    call_command("migrate", verbosity=0)
    user = User.objects.create_user(username)
    project = Project.objects.create(name="Race", slug="race")
    Membership.objects.create(project=project, user=user, role=role)
    return project, user


def race(
    people: int, act: Callable[[int], object], *, done: str, refused: tuple[type[Exception], str]
) -> Counter[str]:
    """Everybody waits for all others, then acts once; how often each thing came of it."""
    gate = threading.Barrier(people)
    outcomes: Counter[str] = Counter()
    refusal, word = refused

    def one(number: int) -> None:
        gate.wait(timeout=60)
        try:
            act(number)
            outcomes[done] += 1
        except refusal:
            outcomes[word] += 1
        except Exception as error:
            outcomes[repr(error)] += 1
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return outcomes
