"""A made-up machine to load configurations on: a directory, an environment, what was warned of."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sense_mqtt.config import Config, load
from sense_mqtt.config.load import SystemPaths
from sense_mqtt.errors import ConfigError


@dataclass
class Machine:
    """Files below `home`, environment variables, and the warnings of the last load."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def load(self, path: Path | None = None) -> Config:
        places = SystemPaths(system_file=self.home / "etc/config.yaml", docker_secrets=self.home / "run")
        return load(path, self.environ, self.home, places=places, warn=self.warnings.append)

    def faults(self, path: Path | None = None) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            self.load(path)
        return str(caught.value).replace(f"{self.home}/", "").splitlines()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path, {"HOME": str(tmp_path)})
