"""Ten people open a link for one in the same moment. Run as a script: `python -m tests.invitation_race N [--unsafe]`.

Prints one JSON object: how many joined, how many were too late, what went wrong otherwise, and what the
rows say. `--unsafe` removes the guard (reads the uses, then writes the sum), as a negative control.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import Counter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connection

from generations.models import Invitation, Membership, Project, User
from generations.services import projects
from generations.services.projects import invitations


def remove_the_guard(people: int) -> None:
    """Everybody looks before anybody joins, then each writes one more than they saw."""
    gate = threading.Barrier(people)
    seen = threading.local()
    find = invitations.find

    def look(token: str) -> Invitation | None:
        found = find(token)
        assert found is not None
        seen.uses = found.uses
        connection.close()
        gate.wait(timeout=60)
        return found

    def take_use(invitation: Invitation) -> bool:
        Invitation.objects.filter(pk=invitation.pk).update(uses=seen.uses + 1)
        return seen.uses == 0

    invitations.find = look
    invitations.take_use = take_use
    invitations.usable = lambda invitation: True


def main(people: int, unsafe: bool) -> None:
    call_command("migrate", verbosity=0)
    owner = User.objects.create_user("owner")
    project = Project.objects.create(name="Race", slug="race")
    Membership.objects.create(project=project, user=owner, role="owner")
    token = projects.invite(project=project, by=owner, role="editor", days="1", once=True)
    gate = threading.Barrier(people)
    outcomes: Counter[str] = Counter()
    if unsafe:
        remove_the_guard(people)

    def join(name: str) -> None:
        user = User(username=name)
        user.set_unusable_password()
        gate.wait(timeout=60)
        try:
            projects.accept(token=token, user=user)
            outcomes["joined"] += 1
        except projects.InvitationGone:
            outcomes["too late"] += 1
        except Exception as error:
            outcomes[repr(error)] += 1
        finally:
            connection.close()

    threads = [threading.Thread(target=join, args=(f"p{n}",)) for n in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    rows = {
        "members": project.memberships.count() - 1,
        "people": User.objects.count() - 1,
        "uses": Invitation.objects.get().uses,
    }
    print(json.dumps({**outcomes, **rows}))


if __name__ == "__main__":
    main(int(sys.argv[1]), "--unsafe" in sys.argv)
