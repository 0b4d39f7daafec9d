"""The live stream on PostgreSQL: told of news instead of asking, and whole again after a loss."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from tests.running import Site, wait_until
from tests.test_live import Listener

pytestmark = [pytest.mark.timeout(180), pytest.mark.postgres]
EAR = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'diptych-events'"
NEVER = "3600"


@dataclass
class Studio:
    """A web process on PostgreSQL, a project, and one listener to its stream."""

    site: Site
    database: psycopg.Connection
    project: int
    heard: Listener

    def ask(self, query: str, *values: object) -> list[Any]:
        return [row[0] for row in self.database.execute(query.encode(), values)]

    def insert(self, name: str) -> None:
        """An event as a table row alone: nobody is told."""
        self.database.execute(
            "INSERT INTO generations_event (project_id, name, created_at) VALUES (%s, %s, now())",
            (self.project, name),
        )

    def publish(self, name: str) -> None:
        code = "from generations.services import events\n"
        self.site.shell(f"{code}events.publish([({self.project}, '{name}')]); answer = 1")

    def ears(self) -> list[int]:
        return self.ask(EAR)

    def hears(self, *names: str) -> None:
        wait_until(lambda: self.heard.names() >= set(names), timeout_s=20, what=str(names))


@pytest.fixture
def studio(postgres_url: str, start_site: Callable[..., Site]) -> Iterator[Callable[[str], Studio]]:
    """Start one with so many seconds between its looks."""
    opened: list[Studio] = []

    def start(poll: str) -> Studio:
        site = start_site(database_url=postgres_url, worker=False, demo=False, EVENTS_POLL=poll)
        site.begin()
        database = psycopg.connect(postgres_url, autocommit=True)
        query = "SELECT id, public_id FROM generations_project WHERE slug = 'demo'"
        ((number, public_id),) = database.execute(query.encode()).fetchall()
        heard = Listener(site, site.session(), f"/p/{public_id}/events/")
        made = Studio(site, database, number, heard)
        opened.append(made)
        wait_until(made.ears, what="a connection that listens")
        return made

    yield start
    for each in opened:
        each.heard.close()
        each.database.close()


def test_an_event_arrives_because_it_is_told_of(studio: Callable[[str], Studio]) -> None:
    """With its twin: the same row, of which nobody is told, stays unseen until the next is."""
    made = studio(NEVER)

    def unseen(number: int) -> bool:
        """It looks once by itself when it has begun to listen, which may be after the insert."""
        made.insert(f"g-untold-{number}")
        time.sleep(3)
        return f"g-untold-{number}" not in made.heard.names()

    last = next(number for number in range(3) if unseen(number))
    made.publish("g-told")
    made.hears(f"g-untold-{last}", "g-told")
    assert len(made.ears()) == 1


def test_a_lost_connection_is_opened_again_and_nothing_is_missed(
    studio: Callable[[str], Studio],
) -> None:
    """As when PostgreSQL restarts: every connection of the studio ends at once."""
    made = studio(NEVER)
    (before,) = made.ears()
    made.ask(f"SELECT pg_terminate_backend(pid) FROM ({EAR}) AS ears")
    made.insert("g-meanwhile")
    made.hears("g-meanwhile")  # it looks as soon as it listens again
    (after,) = wait_until(made.ears)
    assert before != after
    made.publish("g-told")
    made.hears("g-told")


def test_what_it_was_not_told_of_is_found_by_looking(studio: Callable[[str], Studio]) -> None:
    made = studio("1")
    made.insert("g-untold")
    made.hears("g-untold")
