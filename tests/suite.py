"""Everything CI runs, in one command: `make test`, or `python -m tests.suite [lint]`.

Prepares the machine as far as it may (Debian packages as root, a silent PostgreSQL), then runs every
linter and the tests with coverage, says what each took, and fails at the end if anything did.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PACKAGES = ("chromium-headless-shell", "fonts-noto-cjk", "fonts-noto-color-emoji")
POSTGRES = os.environ.get("DIPTYCH_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


def say(line: str) -> None:
    print(line, flush=True)


# --- The machine --------------------------------------------------------------------------------


def _absent() -> list[str]:
    """The Debian packages that are not installed; none where there is no dpkg."""
    if shutil.which("dpkg-query") is None:
        return []
    ask = ["dpkg-query", "--show", "--showformat", "${db:Status-Status}"]
    return [
        name
        for name in PACKAGES
        if subprocess.run([*ask, name], capture_output=True, text=True).stdout != "installed"
    ]


def install_packages() -> None:
    """Chromium and its fonts, where we are root on a Debian; elsewhere one sentence."""
    absent = _absent()
    if not absent and Path("/usr/bin/chromium-headless-shell").exists():
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        wanted = " ".join(absent or PACKAGES)
        say(f"Browser tests are left out: as root, apt-get install {wanted} brings what they need.")
        return
    say(f"Installing {' '.join(absent)} …")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *absent]):
        subprocess.run(["apt-get", "--quiet=2", *command], env=quiet, stdin=subprocess.DEVNULL)


def _postgres_answers() -> bool:
    where = urlsplit(POSTGRES)
    try:
        with socket.create_connection((where.hostname or "127.0.0.1", where.port or 5432), 2):
            return True
    except OSError:
        return False


def start_postgres() -> None:
    """Start the installed clusters when none answers; say so when there is nothing to start."""
    if _postgres_answers():
        return
    if shutil.which("pg_lsclusters") is None:
        say("PostgreSQL is not installed: its tests are left out (in CI they fail).")
        return
    listed = subprocess.run(["pg_lsclusters", "--no-header"], capture_output=True, text=True)
    for line in listed.stdout.splitlines():
        version, name = line.split()[:2]
        start = ["pg_ctlcluster", "--skip-systemctl-redirect", version, name, "start"]
        subprocess.run(start, stdin=subprocess.DEVNULL)
    ends = time.monotonic() + 20
    while not _postgres_answers():
        if time.monotonic() > ends:
            say("PostgreSQL does not answer: its tests are left out (in CI they fail).")
            return
        time.sleep(0.3)


# --- What is run --------------------------------------------------------------------------------


def _templates() -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("templates/**/*.html"))


def linters() -> Iterable[list[str]]:
    yield [f"{BIN}/ruff", "check", "."]
    yield [f"{BIN}/ruff", "format", "--check", "."]
    yield [f"{BIN}/mypy"]
    yield [f"{BIN}/lint-imports", "--no-logo"]
    yield [f"{BIN}/djade", "--check", "--target-version", "5.2", *_templates()]
    yield [f"{BIN}/djlint", "--lint", "--quiet", "templates"]


def tests(*, measured: bool) -> list[str]:
    each = str(os.cpu_count() or 1)  # one more was measured: no faster, and times are stretched
    how = ["-n", each, "--dist", "loadfile", "--durations", "15", "--quiet"]
    return [f"{BIN}/python", "-m", *(["coverage", "run", "-m"] if measured else []), "pytest", *how]


def reports() -> Iterable[list[str]]:
    yield [f"{BIN}/coverage", "combine", "--quiet"]
    yield [f"{BIN}/coverage", "report"]


def run_all(commands: Iterable[list[str]], **more: str) -> list[str]:
    """Run each, whatever the one before said; return the ones that failed, in words."""
    failed = []
    for command in commands:
        name = " ".join(word.removeprefix(f"{BIN}/") for word in command[:4])
        began = time.monotonic()
        env = {**os.environ, **more}
        status = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL).returncode
        took = time.monotonic() - began
        say(f"--- {name}: {'ok' if status == 0 else f'exit {status}'}, {took:.0f} s")
        if status != 0:
            failed.append(name)
    return failed


def run_on_postgres() -> list[str]:
    """The tests that query a database once more, on PostgreSQL. In CI it has to answer."""
    if not _postgres_answers():
        say("--- on PostgreSQL: left out, it does not answer")
        return ["PostgreSQL does not answer"] if os.environ.get("CI") else []
    # Django makes a database of this name for each worker, and drops it.
    url = f"{POSTGRES.rpartition('/')[0]}/diptych_{os.getpid()}"
    failed = run_all([tests(measured=False)], DIPTYCH_TEST_DATABASE_URL=url)
    return [f"{name}, on PostgreSQL" for name in failed]


def run_tests() -> list[str]:
    """Build, test, report. Counts are kept in a folder of this run: two runs never mix."""
    failed = run_all([[sys.executable, "studio/launcher.py", "build"]])
    with tempfile.TemporaryDirectory(prefix="diptych-coverage-") as folder:
        counts = Path(folder) / "counts"
        failed += run_all([tests(measured=True)], COVERAGE_FILE=str(counts))
        failed += run_on_postgres()
        failed += run_all(reports(), COVERAGE_FILE=str(counts))
        if counts.exists():
            shutil.copy(counts, ROOT / ".coverage")
    return failed


def main() -> None:
    failed = run_all(linters())
    if sys.argv[1:] != ["lint"]:
        install_packages()
        start_postgres()
        failed += run_tests()
    if failed:
        sys.exit("Failed: " + "; ".join(failed))


if __name__ == "__main__":
    main()
