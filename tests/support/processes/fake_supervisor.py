"""Home Assistant's Supervisor as an app sees it: the one address that says which MQTT broker there is."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Self

TOKEN = "made-up-token"


class FakeSupervisor:
    """Answers `GET /services/mqtt`; while `broker` is None as it does where no app provides one."""

    def __init__(self, broker: dict[str, Any] | None = None) -> None:
        self.broker = broker
        self.asked = threading.Event()
        supervisor = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, document = supervisor.answer(self.path, self.headers.get("Authorization"))
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                supervisor.asked.set()

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self._server = HTTPServer(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str, authorization: str | None) -> tuple[int, dict[str, Any]]:
        if authorization != f"Bearer {TOKEN}":
            return 401, {"result": "error", "message": "unauthorized"}
        if path != "/services/mqtt":
            return 404, {"result": "error", "message": "not found"}
        if self.broker is None:
            return 400, {"result": "error", "message": "Service not enabled"}
        return 200, {"result": "ok", "data": self.broker}
