"""What a person does in Home Assistant's pages, by the same websocket and HTTP interfaces."""

import itertools
import json
import time
from typing import Any, Self

import requests
import websocket

WAIT_S = 30.0


class HomeAssistantApi:
    """One session. `token`: as home_assistant_main.py writes it down."""

    def __init__(self, port: int, token: str) -> None:
        self._host = f"127.0.0.1:{port}"
        self._token = token
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self._socket = websocket.create_connection(f"ws://{self._host}/api/websocket", timeout=WAIT_S)
        self._read()  # it asks for the token
        self._send({"type": "auth", "access_token": self._token})
        assert self._read()["type"] == "auth_ok"
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, kind: str, **arguments: Any) -> Any:
        """Return the result of one command."""
        number = next(self._numbers)
        self._send({"id": number, "type": kind, **arguments})
        while (answer := self._read())["id"] != number:
            pass
        assert answer["success"], f"{kind}: {answer['error']}"
        return answer["result"]

    def call(self, service: str, **data: Any) -> None:
        """Call a service, as `select.select_option`."""
        domain, name = service.split(".")
        self.ask("call_service", domain=domain, service=name, service_data=data)

    def save_automation(self, name: str, automation: dict[str, Any]) -> None:
        """Save one as the automation editor does; it is in force then."""
        self.post(f"config/automation/config/{name}", automation)

    def states(self) -> dict[str, dict[str, Any]]:
        """Return all states by entity id."""
        return {each["entity_id"]: each for each in self.ask("get_states")}

    def wait_for_state(self, entity: str, state: str) -> None:
        """Return once an entity is in this state."""
        ends = time.monotonic() + WAIT_S
        while (found := self.states().get(entity, {}).get("state")) != state:
            assert time.monotonic() < ends, f"{entity} is {found}, not {state}"
            time.sleep(0.2)

    def post(self, path: str, document: dict[str, Any]) -> Any:
        """Return the answer of one HTTP request below `/api/`."""
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = requests.post(f"http://{self._host}/api/{path}", json=document, headers=headers, timeout=WAIT_S)
        assert answer.ok, f"{path}: {answer.text}"
        return answer.json()

    def _send(self, document: dict[str, Any]) -> None:
        self._socket.send(json.dumps(document))

    def _read(self) -> Any:
        return json.loads(self._socket.recv())
