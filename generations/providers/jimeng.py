"""Volcengine visual API (即梦): submit, get-result, cancel. Facts: wire-protocol.md section 2.

To add a vendor, copy this file and its two companions: jimeng_reply.py reads answers,
jimeng_errors.py decides what an error means.

What is sent: size or width and height, the scale and `force_single` always, so that a provider's
changed default cannot change an old recipe's picture; the ratio limits only where they differ from
the provider's own, because its 1/3 has no exact decimal. Frames of a video travel as base64, never in
both forms (2.6).
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlsplit

from generations.providers import catalog, http, signing
from generations.providers.base import (
    LONGEST_CALL_S,
    Accepted,
    Ambiguous,
    Arrived,
    BadRequest,
    Call,
    Credentials,
    Finished,
    KeyRefused,
    NotSent,
    Progress,
    Refused,
    RemoteStatus,
    Throttled,
    nobody,
    pictures,
)
from generations.providers.engine import Engine, Param
from generations.providers.jimeng_asked import RETURN_URL, what_to_return
from generations.providers.jimeng_errors import INTERNAL, STALE_TASK, error_of
from generations.providers.jimeng_reply import STATUSES, Reply, read
from generations.providers.labels import UNLABELLED, Labels
from generations.providers.parameters import (
    BoolParam,
    ChoiceParam,
    NumberParam,
    SeedParam,
    SettingValue,
)
from generations.providers.sizes import dimensions

REGION, SERVICE = "cn-north-1", "cv"
SUBMIT = ("CVSync2AsyncSubmitTask", "2022-08-31")
RESULT = ("CVSync2AsyncGetResult", "2022-08-31")
CANCEL = ("CVCancelTask", "2024-06-06")
# Older models only: the answer is the result.
PROCESS = ("CVProcess", "2022-08-31")
SUBMIT_READ_S, POLL_READ_S = 60.0, 30.0

_HEADER_SAFE = re.compile(r"[!-~]*")


class Jimeng:
    """The Provider of the `jimeng_*` engines. It keeps nothing between calls."""

    slug = "jimeng"

    def build(
        self,
        engine: Engine,
        prompt: str,
        settings: Mapping[str, SettingValue],
        *,
        references: Sequence[str] = (),
        force_single: bool | None = None,
        labels: Labels = UNLABELLED,
    ) -> Call:
        """The submit call of a frozen recipe; KeyError or ValueError if it does not fit the
        engine.
        """
        body: dict[str, object] = {"req_key": engine.req_key, "prompt": prompt}
        if references:
            packed = engine.references.transport == "base64"
            body["binary_data_base64" if packed else "image_urls"] = list(references)
        for param in engine.params:
            value = settings[param.name]
            if param.name == "single" and force_single is not None:
                value = force_single
            body |= _on_the_wire(param, value)
        if engine.synchronous:
            body |= {"return_url": True}
        action = PROCESS if engine.synchronous else SUBMIT
        return Call(engine.slug, *action, _json(body), model_id=engine.req_key)

    def submit(
        self,
        call: Call,
        *,
        base_url: str,
        credentials: Credentials,
        client_request_id: str,
        arrived: Arrived = nobody,
    ) -> Accepted | Finished:
        action = (call.action, call.version)
        reply = _call(
            action,
            call.body,
            base_url,
            credentials,
            read_s=LONGEST_CALL_S if action == PROCESS else SUBMIT_READ_S,
            client_request_id=client_request_id,
        )
        if reply.is_error or reply.run_failed:
            raise error_of(reply, "submit")
        if action == PROCESS:
            return Finished(pictures(reply.urls(), reply.images()), reply.request_id)
        if not reply.task_id:
            raise Ambiguous(
                "no_task_id",
                "accepted without a task id",
                http_status=reply.http_status,
                request_id=reply.request_id,
            )
        return Accepted(reply.task_id, reply.request_id)

    def poll(
        self,
        engine: Engine,
        remote_id: str,
        *,
        base_url: str,
        credentials: Credentials,
        labels: Labels = UNLABELLED,
    ) -> Progress:
        question = {"req_key": engine.req_key, "task_id": remote_id}
        question |= what_to_return(engine, labels)
        reply = _call(RESULT, _json(question), base_url, credentials)
        if reply.code == STALE_TASK and not reply.finished:
            return Progress(RemoteStatus.NOT_FOUND, request_id=reply.request_id, code=STALE_TASK)
        if reply.is_error or reply.run_failed:
            raise error_of(reply, "poll")
        if reply.task_id not in ("", remote_id):
            raise Ambiguous("other_task", "the answer is about another task")
        return _progress(reply)

    def cancel(
        self, engine: Engine, remote_id: str, *, base_url: str, credentials: Credentials
    ) -> bool:
        question = {"req_key": engine.req_key, "task_id": remote_id}
        reply = _call(CANCEL, _json(question), base_url, credentials)
        if not reply.is_error:
            return True
        error = error_of(reply, "cancel")
        if isinstance(error, KeyRefused | Throttled):
            raise error
        # A service that answers in its own words says no, even in words we do not know.
        said_no = reply.code and not reply.gateway and reply.code not in INTERNAL
        if isinstance(error, Refused) or said_no:
            return False
        raise error

    def probe(self, *, base_url: str, credentials: Credentials) -> None:
        self.check(base_url=base_url, credentials=credentials)

    def check(self, *, base_url: str, credentials: Credentials) -> float | None:
        """Asks after task 0, which there never is: a question, so that nothing can come of it, and one that
        passes the gateway (key, signature, clock, rights) and reaches the service (opened or not).
        """
        engine = next(each for each in catalog.ENGINES.values() if each.provider == self.slug)
        question = {"req_key": engine.req_key, "task_id": "0", "req_json": RETURN_URL}
        reply = _call(RESULT, _json(question), base_url, credentials)
        if reply.is_error:
            error = error_of(reply, "poll")
            if not reply.known and reply.http_status < 500:
                error = Ambiguous(
                    message="no answer of this provider",
                    http_status=reply.http_status,
                    reason="not_provider",
                )
            error.ahead_s = reply.ahead_s
            if not isinstance(error, BadRequest):
                raise error
        return reply.ahead_s


def _on_the_wire(param: Param, value: SettingValue) -> dict[str, object]:
    """One cleaned setting as JSON fields."""
    if isinstance(param, BoolParam):
        return {param.wire_name: bool(value)}
    if isinstance(param, ChoiceParam):
        if value == param.silent:
            return {}
        return {param.name: int(value) if param.whole else value}
    if isinstance(param, SeedParam):
        return {param.name: int(value)}
    if isinstance(param, NumberParam):
        skip = param.omit_default and value == param.default
        # 4.0 wants a float, 4.6 an int, under the same name.
        return {} if skip else {param.name: float(value) if param.decimals else int(value)}
    auto, sides = param.auto(value), dimensions(value)
    if auto is not None:
        return {"size": auto.area}
    if sides is None:
        raise ValueError("not a size")
    return {"width": sides[0], "height": sides[1]}


def _progress(reply: Reply) -> Progress:
    """A good reply's status; media without a status are done, an unknown status keeps running."""
    status = STATUSES.get(reply.status)
    urls = reply.urls()
    # Both are the same pictures twice.
    images = () if urls else reply.images()
    if status is None:
        done = not reply.status and (urls or images)
        status = RemoteStatus.DONE if done else RemoteStatus.RUNNING
    if status is not RemoteStatus.DONE:
        urls, images = (), ()
    return Progress(status, urls, images, request_id=reply.request_id)


def _json(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _call(
    action: tuple[str, str],
    body: bytes,
    base_url: str,
    credentials: Credentials,
    *,
    read_s: float = POLL_READ_S,
    client_request_id: str = "",
) -> Reply:
    """One signed POST, read.

    Raises NotSent, Ambiguous, or KeyRefused for a key no header can carry.
    """
    if not all(_HEADER_SAFE.fullmatch(secret) for secret in credentials.secrets):
        raise KeyRefused("unsendable_key", "the key holds characters that no key has")
    place = _place(base_url)
    query = {"Action": action[0], "Version": action[1]}
    headers = _signed(place, query, body, credentials, client_request_id)
    path, search = signing.canonical_uri(place.path), signing.canonical_query(query)
    url = f"{place.scheme}://{place.netloc}{path}?{search}"
    answer = http.request(
        "POST",
        url,
        headers=headers,
        body=body,
        read_s=read_s,
        total_s=max(http.ANSWER_S, read_s + POLL_READ_S),
    )
    return read(answer, credentials.secrets)


def _place(base_url: str) -> SplitResult:
    """Raises NotSent when `base_url` is not an http(s) URL."""
    place = None
    with contextlib.suppress(ValueError):
        place = urlsplit(base_url)
    if place is None or place.scheme not in ("http", "https") or not place.hostname:
        raise NotSent("base_url", "the account's base URL cannot be read")
    return place


def _signed(
    place: SplitResult,
    query: signing.Query,
    body: bytes,
    credentials: Credentials,
    client_request_id: str,
) -> dict[str, str]:
    """Every header of the request, Authorization last; all X-* are signed, as the SDK does."""
    digest = signing.sha256_hex(body)
    headers = {
        "Host": place.netloc,
        "Content-Type": "application/json",
        "X-Date": signing.x_date(datetime.now(UTC)),
        "X-Content-Sha256": digest,
    }
    if credentials.session_token:
        headers["X-Security-Token"] = credentials.session_token
    if client_request_id:
        headers["X-Client-Request-Id"] = client_request_id
    headers["Authorization"] = signing.authorize(
        method="POST",
        path=place.path,
        query=query,
        headers=headers,
        body_sha256=digest,
        access_key=credentials.access_key,
        secret_key=credentials.secret_key,
        region=REGION,
        service=SERVICE,
    )
    return headers
