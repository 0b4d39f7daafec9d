"""`make run` in one process: prepare what is stale, start the three programs, watch them, end them.

    launcher ── sandbox  the emulated provider, unless real credentials are set
             ├─ web      uvicorn
             └─ worker   manage.py runworker

Standard library only: it starts under the system's Python, makes `.venv`, and goes on inside it.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):
    sys.exit(f"diptych: needs Python 3.11 or newer; this is {sys.version.split()[0]}.")

import importlib.util
import os
import socket
from collections.abc import Callable
from pathlib import Path

if (
    __name__ == "__main__"
):  # run as a script: studio/ itself must not be where imports are looked for
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from studio import env
from studio.preparation import (
    PYTHON,
    ROOT,
    VENV,
    Options,
    Refusal,
    build_steps,
    data_steps,
    environment_step,
)
from studio.supervision import House, children_of


def load_dotenv(path: Path) -> None:
    """Add the KEY=VALUE lines of `path` to the environment; what is already there wins."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        name, is_pair, value = line.strip().removeprefix("export ").partition("=")
        if is_pair and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip().strip("\"'"))


def require_free(port: int, name: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            why = error.strerror if isinstance(error, OSError) else "no such port"
            raise Refusal(
                f"cannot listen on port {port} ({why}): free it, or choose another with {name}=…"
            ) from None


def enter_environment(*, development: bool = False) -> None:
    """Make `.venv` what the lock says, and go on inside it."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing and not PYTHON.exists():
        raise Refusal(
            f"this Python lacks {missing[0]}: install your system's python3-venv package."
        )
    environment_step().run()
    if development:
        environment_step(development=True).run()
    if Path(sys.prefix) != VENV:
        os.execv(PYTHON, [str(PYTHON), *sys.argv])  # noqa: S606  (its own path)


def run() -> None:
    options = Options.read()
    require_free(options.port, "PORT")
    if not options.live:
        require_free(options.sandbox_port, "SANDBOX_PORT")
    enter_environment()
    for step in (*build_steps(), *data_steps(options)):
        step.run()
    House(options, children_of(options)).run()


def build() -> None:
    enter_environment()
    for step in build_steps():
        step.run()


COMMANDS: dict[str, Callable[[], None]] = {
    "run": run,
    "build": build,
    "setup": enter_environment,
    "setup-development": lambda: enter_environment(development=True),
}


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.exit(f"usage: launcher.py {'|'.join(COMMANDS)}")
    load_dotenv(ROOT / ".env")
    try:
        COMMANDS[sys.argv[1]]()
    except env.EnvironmentProblem as problem:
        raise Refusal(str(problem)) from None
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
