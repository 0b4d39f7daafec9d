"""`python -m tests.chaos --kills 60 --jobs 600 --seed 1 [--database postgresql://…] [--production]`."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.chaos.run import run
from tests.chaos.world import Settings
from tests.running import ROOT


def options(argv: list[str] | None = None) -> Settings:
    usual = Settings()
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=usual.kills)
    parser.add_argument("--jobs", type=int, default=usual.jobs)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--every", dest="every_s", type=float, default=usual.every_s)
    parser.add_argument("--database", default="", help="of a PostgreSQL server; SQLite without one")
    parser.add_argument("--production", action="store_true", help="the usual leases and waits")
    parser.add_argument("--unsafe-requeue", action="store_true", help="remove the guard")
    parser.add_argument("--keep", action="store_true", help="keep logs, files and the report")
    return Settings(**vars(parser.parse_args(argv)))


@contextlib.contextmanager
def own_database(server: str) -> Iterator[str]:
    """A fresh database on a PostgreSQL server, named by any of its databases; "" means SQLite."""
    if not server:
        yield ""
        return
    import psycopg

    name = f"diptych_chaos_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True, connect_timeout=5) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def main() -> None:
    settings = options()
    subprocess.run([sys.executable, "studio/launcher.py", "build"], cwd=ROOT, check=True)
    folder = Path(tempfile.mkdtemp(prefix="diptych-chaos-"))
    with own_database(settings.database) as database:
        report = run(replace(settings, database=database), folder)
    print(report.text(), flush=True)
    report.write(folder / "report.json")
    if report.good and not settings.keep:
        shutil.rmtree(folder)
    else:
        print(f"What happened is kept in {folder}")
    sys.exit(not report.good)


if __name__ == "__main__":
    main()
