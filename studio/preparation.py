"""What must be there before the programs start: steps, each skipped while what it depends on is unchanged.

Standard library only: the first of them makes `.venv`.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from studio import env

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
_PR_SET_PDEATHSIG = 1
# django-htmx ships an htmx of its own, which imports files it does not ship; ours is in static/vendor.
_NOT_OURS = ("--ignore", "django_htmx")


class Refusal(SystemExit):
    """Something a person must change first; one sentence."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"diptych: {sentence}")


def say(line: str) -> None:
    print(line, flush=True)


@dataclass(frozen=True, slots=True)
class Options:
    """What this start depends on."""

    port: int
    sandbox_port: int
    live: bool
    var: Path
    database: str

    @classmethod
    def read(cls) -> Options:
        var = Path(env.text("VAR_DIR", str(ROOT / "var")))
        return cls(
            port=int(env.number("PORT", 8000)),
            sandbox_port=int(env.number("SANDBOX_PORT", 9100)),
            live=bool(env.key_pairs("VOLC") or env.text("ARK_API_KEY")),
            var=var,
            database=env.text("DATABASE_URL", f"sqlite:///{var / 'db.sqlite3'}"),
        )

    @property
    def database_file(self) -> Path | None:
        """SQLite's file, or None for a server, of which we cannot see what it holds."""
        kind, _, path = self.database.partition(":///")
        return Path(path) if kind == "sqlite" else None


def die_with_us() -> Callable[[], None]:
    """What a child runs before its program: ask Linux to end it when this process ends."""
    ours, prctl = os.getpid(), ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def ask() -> None:
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != ours:
                os._exit(1)

    return ask


def fingerprint(inputs: Iterable[Path | str]) -> str:
    """One hash over texts, files and whole folders (names and contents)."""
    digest = hashlib.sha256()
    for item in inputs:
        files = [item] if isinstance(item, Path) and item.is_file() else []
        if isinstance(item, Path) and item.is_dir():
            files = sorted(path for path in item.rglob("*") if path.is_file())
        digest.update(f"{item}\0{len(files)}\0".encode())
        for path in files:
            digest.update(f"{path}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Step:
    """Something to be done again when `inputs` changed or an output is gone."""

    name: str
    doing: str
    stamp: Path
    inputs: list[Path | str]
    outputs: list[Path]
    commands: list[list[str]]

    def run(self) -> bool:
        """Do it unless it is done; return whether there was anything to do."""
        wanted = fingerprint(self.inputs)
        done = self.stamp.read_text() if self.stamp.exists() else ""
        if done == wanted and self.outputs and all(path.exists() for path in self.outputs):
            return False
        say(f"{self.doing} …")
        for command in self.commands:
            status = subprocess.run(
                command, cwd=ROOT, check=False, preexec_fn=die_with_us()
            ).returncode
            if status != 0:
                raise Refusal(f"{self.name} failed (exit {status}); its own words stand above.")
        self.stamp.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.stamp.write_text(wanted)
        return True


def manage(*arguments: str) -> list[str]:
    return [str(PYTHON), "manage.py", *arguments]


def environment_step(*, development: bool = False) -> Step:
    """`.venv` with exactly what the lock names. The stamp lives inside: gone with it."""
    locks = ["requirements.txt", *(["requirements-dev.txt"] if development else [])]
    wanted = [word for lock in locks for word in ("-r", lock)]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    whole = PYTHON.exists() and (VENV / "pyvenv.cfg").exists()
    make = [] if whole else [[sys.executable, "-m", "venv", str(VENV)]]
    install = [str(PYTHON), "-m", "pip", "install", *quiet, "--require-hashes", *wanted]
    return Step(
        "Installing",
        "Installing into .venv",
        VENV / ("stamp-development" if development else "stamp"),
        [ROOT / lock for lock in locks],
        [PYTHON, VENV / "pyvenv.cfg"],
        [*make, install],
    )


def build_steps() -> Iterator[Step]:
    """What is made inside the work tree: compiled translations and hashed static files."""
    stamps, versions = ROOT / "var" / "stamps", ROOT / "requirements.txt"
    sources = sorted(ROOT.glob("locale/*/LC_MESSAGES/*.po"))
    script = ROOT / "locale" / "messages.py"
    yield Step(
        "Compiling the translations",
        "Compiling the translations",
        stamps / "translations",
        [*sources, script, versions],
        [path.with_suffix(".mo") for path in sources],
        [[str(PYTHON), str(script), "compile"]],
    )
    yield Step(
        "Collecting static files",
        "Collecting static files",
        stamps / "static",
        [ROOT / "static", ROOT / "studio" / "storage.py", versions],
        [ROOT / "staticfiles" / "staticfiles.json"],
        [manage("collectstatic", "--noinput", "--verbosity", "0", *_NOT_OURS)],
    )


def data_steps(options: Options) -> Iterator[Step]:
    """What is made in the database. A server's is never taken for done: it may be another one today."""
    stamps = options.var / "stamps"
    here = [options.database_file] if options.database_file else []
    migrations = sorted((ROOT / "generations" / "migrations").glob("*.py"))
    yield Step(
        "Preparing the database",
        "Preparing the database",
        stamps / "database",
        [*migrations, ROOT / "requirements.txt", options.database],
        here,
        [manage("migrate", "--verbosity", "0")],
    )
    keys = [access for access, *_secret in env.key_pairs("VOLC")]
    ark = hashlib.sha256(env.text("ARK_API_KEY").encode()).hexdigest()  # no key on the disk
    accounts = [*keys, env.text("VOLC_BASE_URL"), str(options.sandbox_port)]
    accounts += [ark, env.text("ARK_BASE_URL")]
    command = ROOT / "generations" / "management" / "commands" / "bootstrap.py"
    yield Step(
        "Preparing the accounts",
        "Preparing the accounts",
        stamps / "accounts",
        [command, options.database, *accounts, str(options.live)],
        here,
        [manage("bootstrap")],
    )
