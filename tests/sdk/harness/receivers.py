"""Receivers of notifications: a mail server and a webhook, real on the wire."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socketserver
import threading
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


class Mail(socketserver.ThreadingTCPServer):
    """As much of SMTP as a client needs to hand over a message."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _MailSession)
        self.messages: list[tuple[list[str], object]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def subjects(self, to: str) -> list[str]:
        return [str(mail["subject"]) for people, mail in self.messages if to in people]


class _MailSession(socketserver.StreamRequestHandler):
    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        self.say("220 mail.test ESMTP")
        people: list[str] = []
        for line in iter(self.rfile.readline, b""):
            word = line[:4].upper()
            if word in (b"EHLO", b"HELO"):
                self.say("250 mail.test")
            elif word == b"RCPT":
                people.append(line.split(b"<")[1].split(b">")[0].decode())
                self.say("250 ok")
            elif word == b"DATA":
                self.say("354 go on")
                self.server.messages.append((people, self.read_message()))
                people = []
                self.say("250 taken")
            elif word == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def read_message(self) -> object:
        lines = []
        for line in iter(self.rfile.readline, b".\r\n"):
            lines.append(line[1:] if line.startswith(b"..") else line)
        return message_from_bytes(b"".join(lines), policy=policy.default)


class Webhook(ThreadingHTTPServer):
    """Keeps every post whose signature is right; a wrong one is kept apart."""

    daemon_threads = True

    def __init__(self, secret: str) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.secret = secret
        self.posts: list[dict] = []
        self.forged: list[bytes] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Post(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.is_signed(body):
            self.server.posts.append({"id": self.headers["webhook-id"]} | json.loads(body))
        else:
            self.server.forged.append(body)
        self.send_response(204)
        self.end_headers()

    def is_signed(self, body: bytes) -> bool:
        signed = b".".join(
            [
                self.headers["webhook-id"].encode(),
                self.headers["webhook-timestamp"].encode(),
                body,
            ]
        )
        secret = self.server.secret.removeprefix("whsec_")
        key = base64.b64decode(secret) if self.server.secret != secret else secret.encode()
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{expected}" in self.headers["webhook-signature"].split()

    def log_message(self, *_: object) -> None:
        pass


class Tap(ThreadingHTTPServer):
    """Stands before a provider, passes everything on, and keeps what was sent."""

    daemon_threads = True

    def __init__(self, provider: str) -> None:
        super().__init__(("127.0.0.1", 0), _TapCall)
        self.provider = provider
        self.bodies: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_address[1]


class _TapCall(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.bodies.append(body.decode())
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        url = self.server.provider + self.path
        with httpx.stream("POST", url, content=body, headers=headers, timeout=60, trust_env=False) as reply:
            self.send_response(reply.status_code)
            for name, value in reply.headers.items():
                if name not in ("transfer-encoding", "content-length", "connection"):
                    self.send_header(name, value)
            self.end_headers()
            for piece in reply.iter_raw():
                self.wfile.write(piece)
                self.wfile.flush()

    def log_message(self, *_arguments: object) -> None:
        pass
