"""Ten people open a link for one in the same moment. Run as a script: `python -m tests.invitation_race N [--unsafe]`.

Prints one JSON object: how many joined, how many were too late, what went wrong otherwise, and what the
rows say. `--unsafe` removes the guard (reads the uses, then writes the sum), as a negative control.
"""

from __future__ import annotations

import json
import sys
import threading

from tests.at_once import belonging, race  # isort: skip  # first: it sets Django up

from django.db import connection

from generations.models import Invitation, User
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
    project, owner = belonging("owner", "owner")
    token = projects.invite(project=project, by=owner, role="editor", days="1", once=True)
    if unsafe:
        remove_the_guard(people)

    def join(number: int) -> None:
        user = User(username=f"p{number}")
        user.set_unusable_password()
        projects.accept(token=token, user=user)

    late = (projects.InvitationGone, "too late")
    outcomes = race(people, join, done="joined", refused=late)
    rows = {
        "members": project.memberships.count() - 1,
        "people": User.objects.count() - 1,
        "uses": Invitation.objects.get().uses,
    }
    print(json.dumps({**outcomes, **rows}))


if __name__ == "__main__":
    main(int(sys.argv[1]), "--unsafe" in sys.argv)
