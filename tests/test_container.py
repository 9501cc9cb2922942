"""The image can be built of what the Dockerfile copies, and compose.yaml fits the image and the bridge."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from sense_mqtt.config import load
from tests.support.checkout import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
BRIDGE = SERVICES["sense-mqtt"]


# --- the image


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first stage makes of what it copies, and of nothing else."""
    context, made = tmp_path_factory.mktemp("context"), tmp_path_factory.mktemp("wheel")
    (copies,) = re.findall(r"^COPY ([^-\n]+) \./$", DOCKERFILE, flags=re.MULTILINE)
    for name in copies.split():
        shutil.copy(ROOT / name, context)
    (package,) = re.findall(r"^COPY (\w+) \./\w+$", DOCKERFILE, flags=re.MULTILINE)
    shutil.copytree(ROOT / package, context / package, ignore=shutil.ignore_patterns("__pycache__"))
    assert "pip wheel --no-cache-dir --no-deps --wheel-dir /wheel ." in DOCKERFILE
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", made, "."], cwd=context, check=True)
    (file,) = made.glob("*.whl")
    return file


def test_each_file_that_is_copied_is_let_through_to_the_build() -> None:
    let_through = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), flags=re.MULTILINE))
    copied = re.findall(r"^COPY ((?:(?!--)\S+ )+)\./", DOCKERFILE, flags=re.MULTILINE)
    assert {name for names in copied for name in names.split()} == let_through


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    held = {name for name in ZipFile(wheel).namelist() if name.startswith("sense_mqtt/")}
    listed = subprocess.run(["git", "ls-files", "sense_mqtt"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert set(listed.stdout.split()) <= held


def test_what_is_installed_starts(wheel: Path, tmp_path: Path) -> None:
    """With the packages of the tests, as an installation of its own would take a minute."""
    with ZipFile(wheel) as packed:
        packed.extractall(tmp_path)
    command = [sys.executable, "-m", "sense_mqtt", "config", "--schema"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert '"web"' in done.stdout


# --- compose.yaml. Its form was checked against the schema of the Compose specification.


def test_the_bridge_alone_and_its_broker_need_no_profile() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == {"sense-mqtt", "mosquitto"}


@pytest.mark.parametrize("name", ["sense-mqtt", "mosquitto"])
def test_what_always_runs_has_no_rights_and_writes_to_volumes_alone(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "user" in service or (service["build"] == "." and "USER 10001:10001" in DOCKERFILE)
    assert "healthcheck" in service or "HEALTHCHECK" in DOCKERFILE


def test_other_machines_reach_nothing() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_the_bridge_takes_its_environment(tmp_path: Path) -> None:
    secret = tmp_path / "sense_password"
    secret.write_text("made up")
    secret.chmod(0o400)
    given = {**BRIDGE["environment"], "SENSE_MQTT_SENSE__EMAIL": "you@example.com"}
    assert given["SENSE_MQTT_SENSE__PASSWORD_FILE"] == f"/run/secrets/{BRIDGE['secrets'][0]}"
    config = load(None, {**given, "SENSE_MQTT_SENSE__PASSWORD_FILE": str(secret)}, tmp_path)
    assert config.mqtt.host in SERVICES


def test_volumes_secrets_and_files_are_there() -> None:
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service.get("volumes", [])]
    assert {source for source, *_ in mounts if not source.startswith(".")} == set(COMPOSE["volumes"])
    assert [source for source, *_ in mounts if source.startswith(".") and not (ROOT / source).exists()] == []
    assert BRIDGE["volumes"][0].split(":")[1] in re.findall(r"^VOLUME (\S+)$", DOCKERFILE, flags=re.MULTILINE)
    waited_for = {name for service in SERVICES.values() for name in service.get("depends_on", ())}
    assert waited_for <= set(SERVICES)


def test_a_password_is_not_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {COMPOSE["secrets"]["sense_password"]["file"].removeprefix("./"), ".env"} <= set(ignored)
