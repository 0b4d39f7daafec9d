"""The tests' own side of the wire: a signing caller and a sandbox process to call."""

from __future__ import annotations

import hashlib
import hmac
import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import requests

ROOT = Path(__file__).resolve().parents[2]
SUBMIT = ("CVSync2AsyncSubmitTask", "2022-08-31")
GET_RESULT = ("CVSync2AsyncGetResult", "2022-08-31")
CANCEL = ("CVCancelTask", "2024-06-06")
KEY = "jimeng_t2i_v40"
START_SECONDS = 20


def sign_headers(
    query: dict[str, str],
    body: bytes,
    host: str,
    *,
    access_key: str = "AKSANDBOX",
    secret: str = "SKSANDBOX",
    x_date: str = "",
    region: str = "cn-north-1",
    service: str = "cv",
    extra: dict[str, str] | None = None,
    method: str = "POST",
) -> dict[str, str]:
    """Sign independently of the package under test and return all headers."""
    x_date = x_date or datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    signed = {
        "content-type": "application/json",
        "host": host,
        "x-content-sha256": digest,
        "x-date": x_date,
        **(extra or {}),
    }
    names = ";".join(sorted(signed))
    pairs = "&".join(
        f"{quote(k, safe='-_.~')}={quote(query[k], safe='-_.~')}" for k in sorted(query)
    )
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    canonical = f"{method}\n/\n{pairs}\n{lines}\n{names}\n{digest}"
    scope = f"{x_date[:8]}/{region}/{service}/request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    key = secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"HMAC-SHA256\n{x_date}\n{scope}\n{hashed}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**signed, "authorization": f"HMAC-SHA256 {credential}"}


class Sandbox:
    """A real ``python -m sandbox`` process, in the repository's root so that coverage finds its settings."""

    def __init__(self, *arguments: str, port: int = 0) -> None:
        command = [sys.executable, "-m", "sandbox", "--port", str(port), "--workers", "1"]
        command += ["--latency", "0.3", "--fast-media", *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("sandbox listening on http://127.0.0.1:"), line
        self.url = line.split()[-1]
        self.host = self.url.removeprefix("http://")
        self.port = int(self.url.rpartition(":")[2])
        self.http = requests.Session()
        self.http.trust_env = False

    def call(
        self, action: tuple[str, str], body: Any, *, raw: bytes | None = None, **signing: Any
    ) -> requests.Response:
        """Sign and send one call; ``raw`` replaces the JSON of ``body``."""
        query = {"Action": action[0], "Version": action[1]}
        data = json.dumps(body).encode() if raw is None else raw
        headers = sign_headers(query, data, self.host, **signing)
        url = f"{self.url}/?{urlencode(query)}"
        return self.http.request(
            signing.get("method", "POST"), url, data=data, headers=headers, timeout=10
        )

    def submit(self, **body: Any) -> requests.Response:
        """Submit with a default prompt; the caller overrides what it likes."""
        return self.call(SUBMIT, {"req_key": KEY, "prompt": "a corgi on the grass", **body})

    def task(self, **body: Any) -> str:
        """Submit and return the task id."""
        response = self.submit(**body)
        assert response.status_code == 200, response.text
        return str(response.json()["data"]["task_id"])

    def poll(self, task_id: Any, *, url: bool = True, req_key: str = KEY) -> requests.Response:
        """Ask for a result once."""
        body: dict[str, Any] = {"req_key": req_key, "task_id": task_id}
        if url:
            body["req_json"] = json.dumps({"return_url": True})
        return self.call(GET_RESULT, body)

    def finished(self, task_id: str, seconds: float = 10, req_key: str = KEY) -> requests.Response:
        """Poll until the status is not one of waiting."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            response = self.poll(task_id, req_key=req_key)
            if (response.json()["data"] or {}).get("status") not in ("in_queue", "generating"):
                return response
            time.sleep(0.05)
        raise AssertionError(f"task {task_id} did not finish in {seconds} s")

    def change(self, **settings: Any) -> requests.Response:
        """Change settings at run time."""
        return self.http.post(f"{self.url}/_sandbox/faults", json=settings, timeout=5)

    def state(self) -> dict[str, Any]:
        """Return the sandbox's own account of itself."""
        state: dict[str, Any] = self.http.get(f"{self.url}/_sandbox/state", timeout=5).json()
        return state

    def stop(self) -> int:
        """End it politely and return its exit status."""
        self.http.close()
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def kill(self) -> int:
        """End it as a crash would."""
        self.http.close()
        self.process.kill()
        return self._ended()

    def _ended(self) -> int:
        status = self.process.wait(timeout=5)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status
