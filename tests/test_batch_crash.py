"""A batch whose feeder is killed, whose feeders are many, on the real databases."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.running import ROOT, Site

pytestmark = pytest.mark.timeout(300)
LINES = 12
BEGIN = (
    "from generations.models import *; from generations.services import batches; "
    "p = Project.objects.get(slug='demo'); u = User.objects.get(username='designer'); "
    "text = '\\n'.join(f'第 {{n}} 只猫' for n in range({lines})); "
    "d = batches.plan(engine='jimeng-image-4.0', settings={{}}, count=1, text=text); "
    "answer = batches.start(project=p, user=u, draft=d, name='', form_token='t').pk"
)
COUNT = (
    "from generations.models import *; "
    "answer = [Generation.objects.filter(batch_id={pk}).count(), Job.objects.filter("
    "generation__batch_id={pk}).count(), BatchLine.objects.filter(batch_id={pk})"
    ".exclude(generation=None).count(), max([0, *Balance.objects.values_list('reserved', flat=True)])]"
)


# All begin at the same moment, and each line takes a while.
TOGETHER = (
    "import time; from generations.services import compose, events; submit = compose.submit; "
    "time.sleep(max(0, {at} - time.time())); "
)
SLOW = "compose.submit = lambda **more: (time.sleep(0.05), submit(**more))[1]; "
# Neither the lock before a line is looked at, nor the line's own token.
UNGUARDED = (
    "events.in_order = lambda: None; "
    "compose.submit = lambda **more: (time.sleep(0.05), submit(**more | {'form_token': None}))[1]; "
)


def feed(site: Site, pk: int, first: str = "", **more: str) -> int:
    """Feed in a process of its own; its exit status."""
    code = f"{first}from generations.services import batches; batches.feed(batch_id={pk})"
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    return subprocess.run(command, cwd=ROOT, env=site.env(**more), capture_output=True).returncode


def crowd(site: Site, pk: int, how: str) -> list[int]:
    first = TOGETHER.format(at=time.time() + 6) + how
    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(lambda _n: feed(site, pk, first), range(3)))


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_killed_and_crowded_feeders_make_each_line_one_run(
    database: str, start_site: Callable[..., Site], request: pytest.FixtureRequest
) -> None:
    where = request.getfixturevalue("postgres_url") if database == "postgres" else ""
    site = start_site(demo=False, web=False, worker=False, database_url=where)
    site.begin()
    pk = site.shell(BEGIN.format(lines=LINES))
    # Killed with the first line's run made and not committed: nothing of it is left.
    assert feed(site, pk, DIPTYCH_CRASH_AT="after_reserve") != 0
    assert site.shell(COUNT.format(pk=pk)) == [0, 0, 0, 0]
    assert crowd(site, pk, SLOW) == [0, 0, 0]
    assert site.shell(COUNT.format(pk=pk)) == [LINES] * 4


def test_the_crowd_would_run_lines_twice_without_the_guards(
    start_site: Callable[..., Site], postgres_url: str
) -> None:
    """The negative control, where transactions do overlap."""
    site = start_site(demo=False, web=False, worker=False, database_url=postgres_url)
    site.begin()
    pk = site.shell(BEGIN.format(lines=LINES))
    crowd(site, pk, UNGUARDED)
    assert site.shell(COUNT.format(pk=pk))[0] > LINES
