"""What pyproject.toml asks for: everything that is imported, and nothing with a known fault."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
WRITTEN = [*PROJECT["dependencies"], *EXTRAS["demo"], *EXTRAS["web"]]
REQUIRED = {canonicalize_name(each.name): each for each in map(Requirement, WRITTEN)}

REFUSED = [
    pytest.param("urllib3", "2.5.0", id="decompresses without bound (CVE-2025-66418, CVE-2025-66471)"),
    pytest.param("urllib3", "2.6.3", id="decompresses without bound in a second read (CVE-2026-44432)"),
    pytest.param("aiohttp", "3.13.3", id="many Host headers, header injection (PYSEC-2026-2096 to 2103)"),
    pytest.param("aiohttp", "3.14.3", id="takes the scheme from the request line (PYSEC-2026-4369)"),
    pytest.param("pyyaml", "5.3.1", id="runs code of a document (CVE-2020-14343)"),
    pytest.param("msgpack", "1.2.2", id="loses memory at a map key that is refused (CVE-2026-114613)"),
    pytest.param("msgspec", "0.20.0", id="crashes with Python 3.13 (msgspec#868)"),
    pytest.param("paho-mqtt", "3.0", id="another interface of paho"),
    pytest.param("pydantic", "3.0", id="another interface of pydantic"),
]


@pytest.mark.parametrize(("name", "faulty"), REFUSED)
def test_a_version_with_a_known_fault_is_not_installed(name, faulty):
    assert not REQUIRED[name].specifier.contains(faulty)


@pytest.mark.parametrize("name", REQUIRED)
def test_what_is_installed_here_is_what_is_asked_for(name):
    assert REQUIRED[name].specifier.contains(version(name))


def imported() -> Iterator[str]:
    """Yield the top-level names that the package imports."""
    for file in (ROOT / "sense_mqtt").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.partition(".")[0]


def test_every_library_that_is_imported_is_asked_for_by_its_own_name():
    foreign = set(imported()) - sys.stdlib_module_names - {"sense_mqtt", "pydantic_core"}  # the latter is pydantic's
    providers = packages_distributions()
    missing = {name for name in foreign if not {canonicalize_name(each) for each in providers[name]} & REQUIRED.keys()}
    assert not missing
