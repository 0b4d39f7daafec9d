"""Reading the studio's database from outside, on SQLite and PostgreSQL alike, by plain SQL."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

Row = dict[str, Any]


class Rows:
    """Every answer is a list of dictionaries; every question has a connection of its own."""

    def __init__(self, database_url: str) -> None:
        self.url = database_url
        self.sqlite = database_url.startswith("sqlite")

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Any]:
        if self.sqlite:
            path = self.url.removeprefix("sqlite:///")
            with contextlib.closing(
                sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)
            ) as connection:
                yield connection
            return
        import psycopg

        with psycopg.connect(self.url, autocommit=True, connect_timeout=10) as connection:
            yield connection

    def ask(self, query: str, *values: object) -> list[Row]:
        with self._connection() as connection:
            cursor = connection.cursor()
            cursor.execute(query if self.sqlite else query.replace("?", "%s"), values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def count(self, query: str, *values: object) -> int:
        """The one number a query answers."""
        (row,) = self.ask(query, *values)
        (number,) = row.values()
        return int(number)


def moment(value: object) -> float:
    """A column's time as seconds since 1970."""
    if isinstance(value, datetime):
        return value.timestamp()
    found = datetime.fromisoformat(str(value))
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def key(value: object) -> str:
    """A column's UUID as 32 hex digits."""
    return str(value).replace("-", "")


def listed(value: Any) -> list[Any]:
    """A column's JSON list."""
    return list(json.loads(value) if isinstance(value, str) else value)
