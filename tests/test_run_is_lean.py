"""What the bridge costs before it has done anything: it is meant for small machines."""

import subprocess
import sys

import pytest

RUN = "import sys; from sense_mqtt.cli import main; main.main(['run', '--config', 'nowhere.yaml']); print(*sys.modules)"


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """The modules that `sense-mqtt run` has imported once it reads its configuration."""
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "library",
    [
        "rich",
        "aiohttp",
        "prometheus_client",
        "sense_mqtt.web.server",
        "amqtt",
        "asyncio",
        "sense_mqtt.simulator",
        "sense_mqtt.cli.commands",
        "sense_mqtt.cli.check",
        "sense_mqtt.cli.recording",
        "websocket",
        "requests",
        "charset_normalizer",
        "idna",
        "http.cookiejar",
        "difflib",
    ],
)
def test_run_imports_nothing_that_only_other_commands_need(imported: set[str], library: str):
    assert library not in imported
