"""How long the gallery and its search take the server at 100,000 runs: `make bench-gallery`.

    python -m bench.gallery [ROWS] [postgres://…]

Seeds a database of its own (SQLite in a temporary folder, or a fresh PostgreSQL database below the
address given), then asks each page a hundred times in this process, signed in. The baseline is a page
that reads no pictures at all. Prints milliseconds at the 95th percentile, the ratio, and the queries.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

ASKED = 100
CHUNK = 2_000
SUBJECTS = [
    "白鹤",
    "沙丘",
    "霓虹",
    "城市",
    "山水",
    "陶瓷",
    "雨夜",
    "海边",
    "森林",
    "少女",
    "机器人",
    "猫咪",
    "花园",
    "雪山",
    "街道",
    "灯塔",
]
STYLES = [
    "水墨",
    "油画",
    "胶片",
    "赛博朋克",
    "极简",
    "电影感",
    "像素",
    "插画",
    "cinematic",
    "gouache",
    "portrait",
    "macro",
]
LIMITS_MS = {"gallery": 80.0, "by person and rating": 80.0, "best rated": 80.0, "page 20": 80.0}
SEARCH_MS = 300.0
SEARCHES = {"search 白鹤": "q=白鹤", "search rare": "q=稀有词", "search 白鹤 水墨": "q=白鹤 水墨"}


def prompts() -> Iterator[str]:
    rng = random.Random(7)
    while True:
        subject, style = rng.choice(SUBJECTS), rng.choice(STYLES)
        yield f"{subject}与{rng.choice(SUBJECTS)}，{style}，第{rng.randrange(10**6)}张"


def seed(rows: int) -> tuple[Any, str]:
    """One project of ten people with `rows` finished runs of one picture each; a member, and its id."""
    from django.utils import timezone

    from generations.models import (
        Asset,
        Blob,
        Generation,
        Job,
        Membership,
        Project,
        SearchText,
        User,
    )
    from generations.services import accounts
    from generations.services.gallery.tokens import tokens

    account = accounts.ensure_accounts()
    project = Project.objects.create(name="Bench", slug="bench")
    people = [User.objects.create(username=f"person{n}") for n in range(10)]
    for each in people:
        Membership.objects.create(project=project, user=each)
    blob = Blob.objects.create(sha256="0" * 64, size=1, content_type="image/jpeg", uses=rows)
    now, rng, words = timezone.now(), random.Random(3), prompts()
    for start in range(0, rows, CHUNK):
        texts = list(islice(words, min(CHUNK, rows - start)))
        if start == 0:
            texts[0] += "，稀有词"
        runs = Generation.objects.bulk_create(
            Generation(
                project=project,
                user=people[(start + n) % 10],
                recipe={"settings": {}, "references": []},
                recipe_sha256="",
                engine="jimeng-image-4.0",
                kind="image",
                prompt=text,
                count=1,
                state="succeeded",
                created_at=now - timedelta(minutes=start + n),
            )
            for n, text in enumerate(texts)
        )
        SearchText.objects.bulk_create(
            SearchText(generation=run, tokens=" ".join(dict.fromkeys(tokens(run.prompt))))
            for run in runs
        )
        jobs = Job.objects.bulk_create(
            Job(
                generation=run,
                account=account,
                user_id=run.user_id,
                position=0,
                state="succeeded",
                remote_id=str(run.pk),
            )
            for run in runs
        )
        Asset.objects.bulk_create(
            Asset(
                project=project,
                generation=run,
                job=job,
                blob=blob,
                kind="image",
                format="jpeg",
                width=2048,
                height=2048,
                rating=rng.choice((None, None, None, 1, 2, 3, 4, 5)),
                favourite=rng.random() < 0.05,
                created_at=run.created_at,
            )
            for run, job in zip(runs, jobs, strict=True)
        )
    return people[0], str(project.public_id)


def measure(client: Any, path: str) -> tuple[float, int]:
    """Milliseconds at the 95th percentile of ASKED requests, and how many queries one makes."""
    from django.db import connection

    asked: list[str] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append(sql)
        return execute(sql, params, many, context)

    client.get(path)
    with connection.execute_wrapper(count):
        answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    took = []
    for _ in range(ASKED):
        began = time.perf_counter()
        client.get(path)
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)[int(ASKED * 0.95)], len(asked)


def run(rows: int) -> bool:
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    person, project = seed(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"{connection.vendor}: {rows:,} runs seeded in {time.perf_counter() - began:.0f} s")
    client = Client()
    client.force_login(person)
    gallery = f"/p/{project}/gallery/"
    far = deep(client, gallery)
    paths = {
        "baseline (no pictures)": "/projects/new/",
        "gallery": gallery,
        "by person and rating": f"{gallery}?person=person3&rating=4",
        "best rated": f"{gallery}?sort=best",
        "page 20": f"{gallery}?after={far}",
        **{name: f"{gallery}?{query}" for name, query in SEARCHES.items()},
    }
    return report(client, paths)


def deep(client: Any, path: str) -> str:
    """Where page 20 begins."""
    from urllib.parse import quote

    from generations.models import Asset
    from generations.services.gallery import Place

    return quote(str(Place.of(Asset.objects.order_by("-created_at", "-id")[20 * 48])))


def report(client: Any, paths: dict[str, str]) -> bool:
    base, good = 0.0, True
    for name, path in paths.items():
        p95, queries = measure(client, path)
        base = base or p95
        limit = LIMITS_MS.get(name, SEARCH_MS if name in SEARCHES else float("inf"))
        good &= p95 <= limit
        print(f"  {name:28} p95 {p95:7.1f} ms  {p95 / base:5.1f} x baseline  {queries} queries")
    return good


@contextmanager
def database(server: str) -> Iterator[str]:
    """The address of a database of our own, dropped afterwards."""
    if not server:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        return
    import psycopg

    name = f"bench_{uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        yield f"{server.rpartition('/')[0]}/{name}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def main(arguments: list[str]) -> int:
    rows = next((int(each) for each in arguments if each.isdigit()), 100_000)
    server = next((each for each in arguments if "://" in each), "")
    with database(server) as address, tempfile.TemporaryDirectory() as folder:
        os.environ |= {"DATABASE_URL": address, "VAR_DIR": folder, "DIPTYCH_TESTING": "1"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "studio.settings"
        os.environ["ALLOWED_HOSTS"] = "testserver"
        import django
        from django.db import connections

        django.setup()
        good = run(rows)
        connections.close_all()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
