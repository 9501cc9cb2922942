"""An HTTP server for webhooks: remembers what was posted, and answers as a test says."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str]]  # status and headers


@dataclass
class HookServer:
    """What was posted, and what is answered."""

    port: int = 0
    answer: Callable[[str, Any], Answer] = lambda _path, _body: (200, {})
    taken: list[tuple[str, Any]] = field(default_factory=list)  # (path, body) that were answered with 2xx
    heads: list[dict[str, str]] = field(default_factory=list)  # headers of each request
    posts: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def bodies(self) -> list[Any]:
        return [body for _, body in self.taken]


@contextmanager
def hook_server(port: int = 0) -> Iterator[HookServer]:
    """Serve on a free port of this machine."""
    remembered = HookServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with remembered.lock:
                remembered.posts += 1
                remembered.heads.append(dict(self.headers))
                status, headers = remembered.answer(self.path, body)
                if 200 <= status < 300:
                    remembered.taken.append((self.path, body))
            if not status:  # hang up
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    remembered.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield remembered
    finally:
        server.shutdown()
        server.server_close()
