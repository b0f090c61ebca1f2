"""The live page: the report, served to whoever has its address, with what is new as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import time
import traceback
from collections import deque
from collections.abc import AsyncIterator
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
from runx.report.follow import Following
from runx.report.page import page

PAUSE = 0.5
"""Seconds between two looks at the files."""


KEPT = 2_000
"""Looks that are remembered; a page that has missed more is loaded anew."""


BEAT = 15.0
"""Seconds of silence after which something is sent all the same, so that no proxy gives up."""


HEADERS = {
    b"cache-control": b"no-store",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}


class Guard:
    """Lets through who knows the token, and only to look."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS.items()]
            await send(message)

        refused = self.refusal(Request(scope))
        await (refused or self.app)(scope, receive, with_headers)

    def refusal(self, request: Request) -> PlainTextResponse | None:
        """Say no to a request that changes things, or lacks the token."""
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("This page only shows.\n", 405)
        given = request.query_params.get("token", "")
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            return PlainTextResponse("Use the whole address that runx watch printed.\n", 403)
        return None


class Journal:
    """What was new at each look, numbered, for as many pages as are open."""

    def __init__(self) -> None:
        self.latest = 0
        self._kept: deque[tuple[int, str]] = deque(maxlen=KEPT)
        self._news = asyncio.Condition()

    async def add(self, changes: list[dict[str, Any]]) -> None:
        """Note what a look has found."""
        async with self._news:
            self.latest += 1
            self._kept.append((self.latest, json.dumps(changes, allow_nan=False)))
            self._news.notify_all()

    def since(self, number: int) -> list[tuple[int, str]] | None:
        """Give what came after a number; None where some of it is forgotten."""
        if number > self.latest or (self._kept and number < self._kept[0][0] - 1):
            return None
        return [entry for entry in self._kept if entry[0] > number]

    async def wait(self, number: int) -> None:
        """Wait until there is something after a number, or for a beat."""
        async with self._news:
            if self.latest > number:
                return
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), BEAT)


def application(following: Following, token: str) -> Starlette:
    """Make the application that shows experiments and changes nothing."""
    journal = Journal()

    async def show(request: Request) -> HTMLResponse:
        since = journal.latest
        return HTMLResponse(await asyncio.to_thread(_page, following, token, since))

    async def events(request: Request) -> StreamingResponse:
        last = request.headers.get("last-event-id") or request.query_params.get("since", "0")
        number = int(last) if last.isdecimal() else 0
        return StreamingResponse(_stream(journal, number), media_type="text/event-stream")

    async def log(request: Request) -> JSONResponse:
        place = request.query_params.get("place", "-1")
        number = int(place) if place.removeprefix("-").isdecimal() else -1
        name = request.query_params.get("run", "")
        fresh = await asyncio.to_thread(following.log, name, number)
        if fresh is None:
            return JSONResponse({"error": "no such run"}, 404)
        return JSONResponse(fresh._asdict())

    @contextlib.asynccontextmanager
    async def looking(app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(_look(following, journal))
        task.add_done_callback(_ended)
        yield
        task.cancel()

    routes = [Route("/", show), Route("/events", events), Route("/log", log)]
    return Starlette(routes=routes, lifespan=looking, middleware=[Middleware(Guard, token=token)])


def _page(following: Following, token: str, since: int) -> str:
    found = model(
        following.experiments,
        following.records(),
        following.question,
        time.time(),
        lambda line: None,
    )
    return page({**found, "live": {"token": token, "since": since}})


async def _stream(journal: Journal, number: int) -> AsyncIterator[str]:
    """Send what comes after a number, for as long as somebody listens."""
    yield "retry: 1000\n\n"
    while True:
        news = journal.since(number)
        if news is None:
            yield f"event: reload\nid: {journal.latest}\ndata: {{}}\n\n"
            return
        for number, text in news:
            yield f"event: changes\nid: {number}\ndata: {text}\n\n"
        if not news:
            yield ": still here\n\n"
        await journal.wait(number)


async def _look(following: Following, journal: Journal) -> None:
    """Look again and again. What can't be read is told of, once, and may be there next time."""
    told = ""
    while True:
        try:
            changes = await asyncio.to_thread(following.look, time.time())
            if changes:
                await journal.add(changes)
        except (OSError, RunxError) as error:
            if str(error) != told:
                following.warn(str(error))
            told = str(error)
        await asyncio.sleep(PAUSE)


def _ended(task: asyncio.Task[None]) -> None:
    """End the server with the looking: a page that follows nothing would only seem up to date."""
    if not task.cancelled() and (error := task.exception()):
        traceback.print_exception(error)
        send_signal(os.getpid(), signal.SIGTERM)
