"""Many runs of one picture asked for at once, by a process of the installation itself."""

from __future__ import annotations

from tests.running import Site

ROWS = "from generations.models import *\n"
ROOM = """
Allowance.objects.update(limit=10**9)
ProviderAccount.objects.update(max_concurrent=10**4, rate_per_s=10**5)
answer = str(Project.objects.get(slug="demo").public_id)
"""
_ASK = """
from datetime import timedelta
from django.utils import timezone
from generations.services import compose
later = timezone.now() + timedelta(hours=1)
project, person = Project.objects.get(slug="demo"), User.objects.get(username="designer")
for n in range({first}, {last}):
    made = compose.submit(project=project, user=person, engine="jimeng-image-4.0", prompt=f"{{n}}",
        settings={{"size": "1024x1024", "scale": "0.5", "output": "single"}}, count={pictures})
    if {held}:
        Job.objects.filter(generation=made).update(not_before=later)
"""
_AT_ONCE = 200  # composed for one question, which must not take too long
_RELEASE = """
from datetime import timedelta
from django.utils import timezone
ready = timezone.now() + timedelta(seconds=1)
Job.objects.filter(state="queued").update(not_before=ready)
answer = ready.timestamp()
"""


def make_room(site: Site) -> str:
    """Neither an allowance nor the account's limits hold anything back; the demo project's id."""
    project: str = site.shell(ROWS + ROOM)
    return project


def ask(site: Site, runs: int, *, pictures: int = 1, held: bool = False) -> None:
    """Compose `runs` in the demo project; `held`: none may begin before `release`."""
    for first in range(0, runs, _AT_ONCE):
        last = min(runs, first + _AT_ONCE)
        site.shell(ROWS + _ASK.format(first=first, last=last, pictures=pictures, held=held))


def release(site: Site) -> float:
    """Let all that is held begin at one moment, a second from now; that moment, since 1970."""
    moment: float = site.shell(ROWS + _RELEASE)
    return moment
