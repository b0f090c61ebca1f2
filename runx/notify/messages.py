"""Messages as servers take them: JSON, or the forms of ntfy and Slack; and sending them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from runx.version import __version__

TIMEOUT = 10.0
"""Seconds that a server may take to answer."""
_TAGS = {"end": "checkered_flag", "failure": "x", "best": "trophy"}


class Post(NamedTuple):
    """A request: its URL, its headers and its body."""

    url: str
    headers: Mapping[str, str]
    body: bytes


def post(url: str, facts: Mapping[str, Any]) -> Post:
    """Return the request that tells a server; its form goes by the address, or by its scheme.

    >>> post("slack+http://localhost/hook", {"title": "<a>", "text": ""}).body
    b'{"text": "*&lt;a&gt;*"}'
    """
    form, _, scheme = urlsplit(url).scheme.rpartition("+")
    parts = urlsplit(url)._replace(scheme=scheme)
    headers = {"Content-Type": "application/json", "User-Agent": f"runx/{__version__}"}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    form = form or _form_of(parts.hostname or "")
    content: Mapping[str, Any] = facts
    if form == "slack":
        lines = f"*{facts['title']}*\n{facts['text']}".strip()
        content = {"text": lines.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}
    elif form == "ntfy":
        above, _, topic = parts.path.rstrip("/").rpartition("/")
        parts = parts._replace(path=f"{above}/")
        content = {
            "topic": unquote(topic),
            "title": facts["title"],
            "message": facts["text"] or facts["title"],
            "tags": [_TAGS[facts["event"]]],
        }
    body = json.dumps(content).encode()
    return Post(urlunsplit(parts._replace(fragment="")), headers, body)


def _form_of(host: str) -> str:
    """Return what the server of a name takes.

    >>> _form_of("ntfy.lab.org"), _form_of("hooks.slack.com"), _form_of("x.org")
    ('ntfy', 'slack', 'json')
    """
    if host.startswith("ntfy."):
        return "ntfy"
    return "slack" if host == "hooks.slack.com" else "json"


def server_of(url: str) -> str:
    """Return the server of a URL alone: the rest may be a secret.

    >>> server_of("https://me:secret@ntfy.sh:8080/topic?auth=x")
    'ntfy.sh:8080'
    """
    return urlsplit(url).netloc.rpartition("@")[2]


def send(request: Post) -> str:
    """Send a request; return why that failed, nothing where it went well.

    A redirection would lose what is sent, and is not followed.
    """
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    try:
        asked = Request(request.url, request.body, dict(request.headers), method="POST")
        with build_opener(Stay).open(asked, timeout=TIMEOUT):
            return ""
    except HTTPError as error:
        error.close()
        return f"it answered {error.code} {error.reason}"
    except OSError as error:
        reason = getattr(error, "reason", None) or error
        return str(getattr(reason, "strerror", None) or reason) or type(error).__name__
    except (HTTPException, ValueError) as error:  # Their text may have the URL.
        return f"can't be told: {type(error).__name__}"
