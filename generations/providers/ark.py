"""Volcengine Ark: Seedream pictures in one call. Facts: wire-protocol.md section 3.

Its companions: ark_reply.py reads answers, ark_stream.py cuts streams into frames, ark_errors.py decides
what an error means, ark_images.py declares the models.

What is sent: every setting always, so that a provider's changed default cannot change an old recipe's
picture. A set comes as a stream, so that what has arrived is kept when the rest does not. A call is
paid for and cannot be asked after: it is sent once, and nothing in here sends it again.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from generations.providers import catalog, http, recipes
from generations.providers.ark_errors import error_of
from generations.providers.ark_reply import Reply, request_id
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
    Part,
    Progress,
    RemoteStatus,
    nobody,
)
from generations.providers.engine import Engine, Param
from generations.providers.labels import UNLABELLED, Labels
from generations.providers.parameters import BoolParam, ChoiceParam, SettingValue
from generations.providers.sizes import SizeParam, dimensions

GENERATE = "images/generations"
# A list that costs nothing and needs a good key (wire-protocol.md section 3, "Ark video tasks").
PROBE = "contents/generations/tasks?page_num=1&page_size=1"
PROBE_READ_S = 30.0

_HEADER_SAFE = re.compile(r"[!-~]*")


class Ark:
    """The Provider of the `seedream-*` engines. It keeps nothing between calls."""

    slug = "ark"

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
        """The call of a frozen recipe; `references` are data URIs (or URLs), in order. KeyError or
        ValueError if it does not fit the engine. A visible mark is asked for by the recipe's setting or
        by `labels`: either is enough.
        """
        body: dict[str, object] = {"model": engine.req_key, "prompt": prompt}
        if references:
            body["image"] = references[0] if len(references) == 1 else list(references)
        asked = dict(settings)
        if force_single is not None and "single" in asked:
            asked["single"] = force_single
        if labels.visible and "watermark" in asked:
            asked["watermark"] = True
        for param in engine.params:
            body |= _on_the_wire(param, asked[param.name])
        most = recipes.max_outputs(engine, asked, len(references))
        streams = not asked.get("single", True)
        if streams:
            body["sequential_image_generation_options"] = {"max_images": most}
            body["stream"] = True
        body["response_format"] = "url"
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return Call(engine.slug, GENERATE, "v3", text.encode(), most, streams, engine.req_key)

    def submit(
        self,
        call: Call,
        *,
        base_url: str,
        credentials: Credentials,
        client_request_id: str,
        arrived: Arrived = nobody,
    ) -> Accepted | Finished:
        reply = Reply(arrived, credentials.secrets)
        headers = {"Content-Type": "application/json"}
        if client_request_id:
            headers["X-Client-Request-Id"] = client_request_id
        try:
            answer = http.request(
                "POST",
                _address(base_url, call.action),
                headers=headers | _authorization(credentials),
                body=call.body,
                read_s=LONGEST_CALL_S,
                total_s=LONGEST_CALL_S,
                heard=reply.feed,
            )
        except Ambiguous:
            reply.close()
            if not (reply.fault or reply.ended or reply.pictures >= call.most):
                raise
            answer = http.Answer(200, {}, b"")  # it broke off when all had been said
        reply.read(answer)
        return _finished(reply, answer, call)

    def poll(
        self,
        engine: Engine,
        remote_id: str,
        *,
        base_url: str,
        credentials: Credentials,
        labels: Labels = UNLABELLED,
    ) -> Progress:
        """There are no tasks: what was not in the answer cannot be asked for."""
        return Progress(RemoteStatus.NOT_FOUND)

    def cancel(
        self, engine: Engine, remote_id: str, *, base_url: str, credentials: Credentials
    ) -> bool:
        """A call that is under way cannot be taken back."""
        return False

    def probe(self, *, base_url: str, credentials: Credentials) -> None:
        answer = http.request(
            "GET",
            _address(base_url, PROBE),
            headers=_authorization(credentials),
            read_s=PROBE_READ_S,
        )
        reply = Reply(nobody, credentials.secrets)
        reply.read(answer)
        if reply.fault is not None:
            error = error_of(reply.fault)
            if not isinstance(error, KeyRefused) or answer.status in (401, 403):
                raise error

    def check(self, *, base_url: str, credentials: Credentials) -> float | None:
        """Asks for a picture without a prompt and of no size: each alone must be refused before any work,
        so that nothing can be made or charged. Unlike the list of video tasks, this also tells whether
        Seedream is opened.
        """
        model = next(each for each in catalog.ENGINES.values() if each.provider == self.slug)
        answer = http.request(
            "POST",
            _address(base_url, GENERATE),
            headers={"Content-Type": "application/json"} | _authorization(credentials),
            body=json.dumps({"model": model.req_key, "size": "0x0"}).encode(),
            read_s=PROBE_READ_S,
        )
        ahead_s, reply = answer.ahead_s, Reply(nobody, credentials.secrets)
        reply.read(answer)
        error = error_of(reply.fault) if reply.fault else None
        if error is None or (not error.code and answer.status < 500):
            error = Ambiguous(
                message="no answer of this provider",
                http_status=answer.status,
                reason="not_provider",
            )
        error.ahead_s = ahead_s
        if not isinstance(error, BadRequest):
            raise error
        return ahead_s


def _finished(reply: Reply, answer: http.Answer, call: Call) -> Finished:
    """What a whole answer comes to. Of a fault after pictures, those stay: it speaks of the rest, and of
    nothing where all that could come has come.
    """
    if reply.fault is not None and reply.pictures < call.most:
        error = error_of(reply.fault)
        if isinstance(error, Ambiguous) or not reply.pictures:
            raise error
        return Finished((*reply.in_order(), Part(max(reply.parts) + 1, refusal=error)))
    counted = reply.pictures if reply.made is None else reply.made
    short = reply.pictures < counted or (reply.unreadable and reply.made is None)
    if (short or not reply.ended) and reply.pictures < call.most:
        raise Ambiguous(
            "cut_off" if reply.parts else "no_pictures",
            "the answer is not whole",
            http_status=answer.status,
            request_id=request_id(answer),
        )
    parts = reply.in_order()
    refusal = next((part.refusal for part in parts if part.refusal), None)
    if refusal is not None and not reply.pictures:
        raise refusal
    return Finished(parts, request_id(answer)[:100])


def _on_the_wire(param: Param, value: SettingValue) -> dict[str, object]:
    """One cleaned setting as JSON fields."""
    if param.name == "single":
        return {"sequential_image_generation": "disabled" if value else "auto"}
    if param.name == "optimize_prompt":
        return {"optimize_prompt_options": {"mode": value}}
    if isinstance(param, BoolParam):
        return {param.wire_name: bool(value)}
    if isinstance(param, ChoiceParam):
        return {param.name: value}
    if not isinstance(param, SizeParam):
        return {}  # how many a set may have: said with the set
    auto, sides = param.auto(value), dimensions(value)
    if auto is not None:
        return {"size": auto.wire}
    if sides is None:
        raise ValueError("not a size")
    return {"size": f"{sides[0]}x{sides[1]}"}


def _authorization(credentials: Credentials) -> dict[str, str]:
    """Raises KeyRefused for a key that no header can carry."""
    if not _HEADER_SAFE.fullmatch(credentials.access_key):
        raise KeyRefused("unsendable_key", "the key holds characters that no key has")
    return {"Authorization": f"Bearer {credentials.access_key}"}


def _address(base_url: str, path: str) -> str:
    """Raises NotSent when `base_url` is not an http(s) URL."""
    place = None
    with contextlib.suppress(ValueError):
        place = urlsplit(base_url)
    if place is None or place.scheme not in ("http", "https") or not place.hostname:
        raise NotSent("base_url", "the account's base URL cannot be read")
    return f"{place.scheme}://{place.netloc}{place.path.rstrip('/')}/{path}"
