"""Serving a page that follows experiments while they run."""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from runx.api.printing import Say, data, remark, warning
from runx.api.project import logroot_of
from runx.errors import RunxError

if TYPE_CHECKING:
    from runx.report.follow import Follower
    from runx.rundir.paths import ExperimentDir

PORT = 8421
"""The port of the page, unless it is taken or another is given."""


class Served(NamedTuple):
    """The address of a page that is served, and hints on how to open it."""

    address: str
    hints: tuple[str, ...]


def _announce(page: Served) -> None:
    data(page.address)
    for line in page.hints:
        remark(line)


def watch(
    *experiments: str,
    sortwith: str = "",
    port: int | None = None,
    bind: str = "127.0.0.1",
    logroot: str | Path | None = None,
    ready: Callable[[Served], None] = _announce,
    warn: Say = warning,
) -> None:
    """Serve a page that follows experiments, without names all, until interrupted.

    ``ready`` is called once, when the page can be opened.
    """
    _require()
    from runx.analysis.question import Question
    from runx.analysis.select import refuse_other_tools
    from runx.report.follow import Follower
    from runx.rundir.experiments import all_experiments, find, is_own_run, run_dirs

    root, folder = logroot_of(logroot), Path.cwd()

    def look(warn: Say = lambda line: None) -> Sequence[ExperimentDir]:
        return find(experiments, root, folder, warn) if experiments else all_experiments(root, warn)

    dirs = look(warn)
    for each in dirs:
        if not any(is_own_run(os.fspath(run)) for run in run_dirs(each)):
            refuse_other_tools(each.path)
    following = Follower(dirs, Question(sortwith=(sortwith,) if sortwith else ()), warn, look)
    following.start()
    with listening(bind, port) as listener:
        number = listener.getsockname()[1]
        token = secrets.token_urlsafe(16)
        lines = hints(bind, number, os.environ.get("SSH_CONNECTION", ""))
        ready(Served(url(bind, number, token), tuple(lines)))
        _serve(following, token, listener, hosts(bind))


def _require() -> None:
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise RunxError(f"runx watch needs {error.name}: pip install starlette uvicorn") from None


def listening(bind: str, port: int | None) -> socket.socket:
    """Return a socket bound to a port: the one given, else PORT, else any that is free.

    Raises:
        RunxError: The address is not of this machine, or the port is taken.
    """
    ports = [PORT, 0] if port is None else [port]
    for number in ports:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                bind, number, type=socket.SOCK_STREAM
            )[0]
            listener = socket.socket(family, kind, protocol)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except socket.gaierror as error:
            raise RunxError(
                f"--bind {bind}: no address of this machine: {error.strerror}"
            ) from None
        except OSError as error:
            if number == ports[-1]:
                raise RunxError(
                    f"--bind {bind}, port {number}: {error.strerror}; --port 0 takes any"
                ) from None
        else:
            return listener
    raise AssertionError("the loop returns or raises")


def url(bind: str, port: int, token: str) -> str:
    """Return the address of the page, as opened on this machine.

    >>> url("127.0.0.1", 8421, "t"), url("0.0.0.0", 8421, "t"), url("::1", 8421, "t")
    ('http://127.0.0.1:8421/?token=t', 'http://127.0.0.1:8421/?token=t', 'http://[::1]:8421/?token=t')
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/?token={token}"


def hosts(bind: str) -> frozenset[str]:
    """Return the names by which browsers may ask for the page; none where any may.

    Other machines may know this one by any name: there the token alone guards the page.

    >>> sorted(hosts("127.0.0.1")), hosts("0.0.0.0")
    (['127.0.0.1', '[::1]', 'localhost'], frozenset())
    """
    return frozenset(["127.0.0.1", "[::1]", "localhost"]) if is_local(bind) else frozenset()


def hints(bind: str, port: int, ssh: str) -> list[str]:
    """Return lines on who can open the page, and how to open it from another machine.

    >>> hints("127.0.0.1", 8421, "")
    ['it is seen from this machine alone; Ctrl-C ends it']
    """
    if not is_local(bind):
        risk = "whoever knows the address sees commands, logs and code, and so can the network"
        return [
            f"warning: --bind {bind}: port {port} is open to other machines; {risk} (plain http)"
        ]
    if ssh:
        here = f"ssh -L {port}:127.0.0.1:{port} {socket.gethostname()}"
        return [f"from your own machine: {here}, then open the address there; Ctrl-C ends it"]
    return ["it is seen from this machine alone; Ctrl-C ends it"]


def is_local(bind: str) -> bool:
    """Return whether an address is reached from this machine alone.

    >>> is_local("localhost"), is_local("127.0.0.1"), is_local("::1"), is_local("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(bind).is_loopback
    except ValueError:
        return bind == "localhost"


def _serve(following: Follower, token: str, listener: socket.socket, names: frozenset[str]) -> None:
    import uvicorn

    from runx.report.server import application

    config = uvicorn.Config(
        application(following, token, names),
        log_level="warning",
        access_log=False,  # it would hold the token
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(sockets=[listener])
