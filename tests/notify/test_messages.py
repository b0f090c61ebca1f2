"""Messages to a server on loopback: their forms, and what may go wrong."""

import http.server
import json
import socket
import ssl
import subprocess
import threading
import time

import pytest

from runx.notify import messages
from runx.notify.messages import post, send, server_of

FACTS = {
    "event": "failure",
    "experiment": "sweep",
    "title": "sweep: a run has failed",
    "text": "1 failed\nfailed: 1 x ValueError: <nan> & more ✗",
}


@pytest.fixture
def server():
    """A server that keeps what it is sent, and answers with ``status``."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            self.server.sent.append((self.path, dict(self.headers), self.rfile.read(length)))
            self.send_response(self.server.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.sent, server.status = [], 200
    server.at = f"127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 429, 500, 503])
def test_a_server_that_refuses_is_named_with_its_answer(server, status):
    server.status = status
    assert send(post(f"http://{server.at}/x", FACTS)).startswith(f"it answered {status}")
    assert len(server.sent) == 1  # A redirection is not followed.


def test_nobody_at_the_address_is_said_in_a_few_words():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert send(post(f"http://127.0.0.1:{port}/secret", FACTS)) == "Connection refused"
    assert "secret" not in send(post("http://nowhere.invalid/secret", FACTS))


def test_a_server_that_does_not_answer_is_left_in_time(monkeypatch):
    monkeypatch.setattr(messages, "TIMEOUT", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        assert "timed out" in send(post(f"http://127.0.0.1:{silent.getsockname()[1]}/", FACTS))
        assert time.monotonic() - began < 5


def test_what_is_no_http_server_is_said(monkeypatch):
    monkeypatch.setattr(messages, "TIMEOUT", 2)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        def answer():
            client, _ = other.accept()
            client.recv(10)
            client.sendall(b"SSH-2.0-OpenSSH\r\n")
            client.close()

        threading.Thread(target=answer, daemon=True).start()
        problem = send(post(f"http://127.0.0.1:{other.getsockname()[1]}/secret", FACTS))
    assert problem and "secret" not in problem


def test_a_certificate_that_nobody_has_signed_is_refused(server, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    made = subprocess.run([*words, "-keyout", key, "-out", certificate], capture_output=True)
    if made.returncode:
        pytest.skip("needs openssl")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    problem = send(post(f"https://{server.at}/secret", FACTS))
    assert "certificate" in problem.lower() and "secret" not in problem
    assert server.sent == []


@pytest.mark.parametrize("url", ["http://[::1/x", "http://127.0.0.1:99999/x", "http://a b/secret"])
def test_an_address_that_is_none_is_no_fault_of_ours(url):
    try:
        problem = send(post(url, FACTS))
    except ValueError as error:
        problem = str(error)  # NOTIFY refuses it before.
    assert problem and "secret" not in problem


def test_other_servers_get_json(server):
    assert send(post(f"http://me:p%40ss@{server.at}/hook?token=x#part", FACTS)) == ""
    [(path, headers, body)] = server.sent
    assert path == "/hook?token=x"
    assert headers["Authorization"] == "Basic bWU6cEBzcw=="
    assert headers["Content-Type"] == "application/json"
    assert headers["Host"] == server.at
    assert json.loads(body) == FACTS


def test_ntfy_gets_its_form_and_what_lies_above_the_topic_stays(server):
    assert send(post(f"ntfy+http://{server.at}/base/our%20topic/?auth=x", FACTS)) == ""
    [(path, _, body)] = server.sent
    assert path == "/base/?auth=x"
    assert json.loads(body) == {
        "topic": "our topic",
        "title": FACTS["title"],
        "message": FACTS["text"],
        "tags": ["x"],
    }
    assert post("https://ntfy.sh/topic", FACTS).url == "https://ntfy.sh/"


def test_slack_gets_its_form(server):
    assert send(post(f"slack+http://{server.at}/hook", FACTS)) == ""
    text = json.loads(server.sent[0][2])["text"]
    assert text.splitlines()[0] == "*sweep: a run has failed*"
    assert text.endswith("ValueError: &lt;nan&gt; &amp; more ✗")
    assert b'"text"' in post("https://hooks.slack.com/services/T/B/x", FACTS).body
    assert json.loads(post("json+https://ntfy.sh/topic", FACTS).body) == FACTS


def test_of_an_address_the_server_alone_is_shown():
    assert server_of("slack+https://me:pw@chat.org:1/hooks/secret?x=1") == "chat.org:1"
