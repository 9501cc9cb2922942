"""A real browser without a window: Chromium, driven by its DevTools protocol."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

import websocket

START_S = 30.0
ANSWER_S = 20.0
LOOK_EVERY_S = 0.05


def find_chromium() -> str | None:
    """Return the program that the environment names as CHROMIUM; None where it names none that there is."""
    return shutil.which(os.environ.get("CHROMIUM", ""))


class Browser:
    """One browser with one page."""

    def __init__(self, folder: Path) -> None:
        """`folder` is empty, and the browser's own."""
        self._folder = folder
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        program = find_chromium()
        assert program, "set CHROMIUM to the program"
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--hide-scrollbars"]
        quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
        command = [program, *options, *quiet, f"--user-data-dir={self._folder}", "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self._socket = websocket.create_connection(self._page_address(), timeout=ANSWER_S, suppress_origin=True)
        except BaseException:
            self._process.kill()
            raise
        self.errors: list[str] = []  # that the page has logged
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.command(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.terminate()
        self._process.wait()

    def _page_address(self) -> str:
        file, ends = self._folder / "DevToolsActivePort", time.monotonic() + START_S
        while time.monotonic() < ends:
            if file.exists() and (lines := file.read_text().split("\n")) and lines[0]:
                with urllib.request.urlopen(f"http://127.0.0.1:{lines[0]}/json/list") as answer:
                    pages = [page for page in json.load(answer) if page["type"] == "page"]
                if pages:
                    return str(pages[0]["webSocketDebuggerUrl"])
            time.sleep(LOOK_EVERY_S)
        raise AssertionError("the browser did not start")

    def command(self, method: str, **parameters: Any) -> Any:
        """Return the result of a command of the DevTools protocol."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            self._note(message)
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(parameters["exceptionDetails"]))
        if message.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.errors.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")

    def open(self, url: str) -> None:
        self.command("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'")

    def show_as(self, width: int, height: int, *, dark: bool = False, scale: float = 1) -> None:
        """Take the size of a screen (points), and its colours."""
        screen = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 600}
        self.command("Emulation.setDeviceMetricsOverride", **screen)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])

    def value(self, script: str) -> Any:
        """Return what a line of JavaScript gives; a promise is waited for."""
        result = self.command("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait_for(self, script: str, patience_s: float = ANSWER_S) -> float:
        """Wait until a line of JavaScript gives something true; return how long that took (s)."""
        begun = time.monotonic()
        while not self.value(script):
            assert time.monotonic() - begun < patience_s, f"not in {patience_s} s: {script}"
            time.sleep(LOOK_EVERY_S)
        return time.monotonic() - begun

    def screenshot(self, file: Path) -> None:
        """Write what is seen, as WebP."""
        taken = self.command("Page.captureScreenshot", format="webp", quality=85)
        file.write_bytes(base64.b64decode(taken["data"]))

    def type_into(self, selector: str, text: str) -> None:
        """Type as a person does, over what stands there."""
        self.value(f"document.querySelector({json.dumps(selector)}).select()")
        self.command("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Press a key that has a name, such as `Enter` or `Tab`."""
        code = {"Enter": 13, "Tab": 9, "ArrowLeft": 37}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            about = {"key": key, "code": key, "windowsVirtualKeyCode": code}
            self.command("Input.dispatchKeyEvent", type=kind, **about, **(text if kind == "keyDown" else {}))
