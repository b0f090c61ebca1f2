"""The live page: an HTTP application that serves the report and sends its changes as they come."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import signal
import time
import traceback
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runx.errors import RunxError
from runx.processes import send_signal
from runx.report.data import model
from runx.report.follow import Follower
from runx.report.page import page

PAUSE = 0.5
"""Seconds between two looks at the files."""

REMEMBERED = 2_000
"""Looks whose changes are remembered; a page that has missed more is loaded anew."""

KEEPALIVE = 15.0
"""Seconds without changes after which a comment is sent, so that no proxy closes the connection."""

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")

HEADERS = {
    b"cache-control": b"no-store",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}


class TokenGuard:
    """ASGI middleware that refuses requests without the token, and all but GET and HEAD.

    It answers to no names but ``hosts``, lest a page of elsewhere reach it by a name of its own
    that leads here (DNS rebinding); without any it answers to all.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: frozenset[str] = frozenset()) -> None:
        self.app = app
        self.token = token
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it; responses get our headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS.items()]
            await send(message)

        refusal = self.refusal(Request(scope))
        await (refusal or self.app)(scope, receive, with_headers)

    def refusal(self, request: Request) -> PlainTextResponse | None:
        """Return the response that refuses a request, or None for one that is served."""
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("This page only shows.\n", 405)
        host = request.headers.get("host", "").lower()
        if self.hosts and re.sub(r":\d*\Z", "", host) not in self.hosts:
            return PlainTextResponse("Use the address that runx watch printed.\n", 403)
        given = request.query_params.get("token", "")
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            return PlainTextResponse("Use the whole address that runx watch printed.\n", 403)
        return None


class ChangeLog:
    """The changes of each look, numbered from 1, for all pages that are open."""

    def __init__(self) -> None:
        self.latest = 0
        self._entries: deque[tuple[int, str]] = deque(maxlen=REMEMBERED)
        self._added = asyncio.Condition()

    async def add(self, changes: list[dict[str, Any]]) -> None:
        """Add the changes of a look."""
        async with self._added:
            self.latest += 1
            self._entries.append((self.latest, json.dumps(changes, allow_nan=False)))
            self._added.notify_all()

    def since(self, number: int) -> list[tuple[int, str]] | None:
        """Return the entries after a number; None where some of them are forgotten."""
        if number > self.latest or (self._entries and number < self._entries[0][0] - 1):
            return None
        return [entry for entry in self._entries if entry[0] > number]

    async def wait(self, number: int) -> None:
        """Wait until there is an entry after a number, at most KEEPALIVE seconds."""
        async with self._added:
            if self.latest > number:
                return
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._added.wait(), KEEPALIVE)


def application(following: Follower, token: str, hosts: frozenset[str] = frozenset()) -> Starlette:
    """Return the application that shows experiments and changes nothing: page, events and logs.

    Requests to other ``hosts`` than these are refused, where some are given.
    """
    change_log = ChangeLog()

    async def show(request: Request) -> HTMLResponse:
        since = change_log.latest
        return HTMLResponse(await asyncio.to_thread(_page, following, token, since))

    async def events(request: Request) -> StreamingResponse:
        stream = _stream(change_log, _last_received(request))
        return StreamingResponse(stream, media_type="text/event-stream")

    async def log(request: Request) -> JSONResponse:
        return await _log(following, request.query_params)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(_follow(following, change_log))
        task.add_done_callback(_stop_on_error)
        yield
        task.cancel()

    routes = [Route("/", show), Route("/events", events), Route("/log", log)]
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(TokenGuard, token=token, hosts=hosts)],
    )


def _page(following: Follower, token: str, since: int) -> str:
    content = model(
        following.experiments,
        following.records(),
        following.question,
        time.time(),
        lambda line: None,
    )
    return page({**content, "live": {"token": token, "since": since}})


async def _log(following: Follower, query: Mapping[str, str]) -> JSONResponse:
    text = query.get("place", "-1")
    if not _WHOLE_NUMBER.fullmatch(text):
        return JSONResponse({"error": "place is no position in a log"}, 400)
    place = int(text)
    run, step = query.get("run", ""), query.get("step", "")
    part = await asyncio.to_thread(following.log, run, place, step)
    if part is None:
        return JSONResponse({"error": "no such run"}, 404)
    return JSONResponse(part._asdict())


def _last_received(request: Request) -> int:
    """Return the number of the last changes that a page has, from its headers or its address."""
    text = request.headers.get("last-event-id") or request.query_params.get("since", "0")
    return int(text) if _WHOLE_NUMBER.fullmatch(text) and text[0] != "-" else 0


async def _stream(log: ChangeLog, number: int) -> AsyncIterator[str]:
    """Yield server-sent events with the changes after a number, until the page is closed."""
    yield "retry: 1000\n\n"
    while True:
        entries = log.since(number)
        if entries is None:
            yield f"event: reload\nid: {log.latest}\ndata: {{}}\n\n"
            return
        for number, text in entries:
            yield f"event: changes\nid: {number}\ndata: {text}\n\n"
        if not entries:
            yield ": still here\n\n"
        await log.wait(number)


async def _follow(following: Follower, log: ChangeLog) -> None:
    """Add what changes to the log, for ever; files that can't be read are warned of once."""
    warned = ""
    while True:
        try:
            changes = await asyncio.to_thread(following.changes, time.time())
            if changes:
                await log.add(changes)
        except (OSError, RunxError) as error:
            if str(error) != warned:
                following.warn(str(error))
            warned = str(error)
        await asyncio.sleep(PAUSE)


def _stop_on_error(task: asyncio.Task[None]) -> None:
    """Stop the server where following failed: its page would only seem up to date."""
    if not task.cancelled() and (error := task.exception()):
        traceback.print_exception(error)
        send_signal(os.getpid(), signal.SIGTERM)
