"""The pages of the documentation name files that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "bench/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
NAMED = re.compile(r"[\w./-]*\w\.(?:py|md|service|toml)\b")
MODULE = re.compile(r"python -m ([\w.]+)")
LINK = re.compile(r"\]\(([^)#:]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_named_on_a_page_exist(page: Path):
    """`on_off.py` or `core/home/state.py` is enough: the end of the path of a file."""
    text = page.read_text()
    present = [f"/{path.relative_to(ROOT)}" for path in files()]
    named = {*NAMED.findall(text), *(name.replace(".", "/") for name in MODULE.findall(text))}
    unknown = [name for name in named if not any(ends_with(path, name) for path in present)]
    assert sorted(unknown) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_on_a_page_lead_to_files(page: Path):
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


def ends_with(path: str, name: str) -> bool:
    end = "/" + name.removeprefix("../").lstrip("./")
    return path.endswith((end, f"{end}.py", f"{end}/__main__.py"))


def files() -> Iterator[Path]:
    for folder in ("sense_mqtt", "tests", "docs", "bench", "systemd", "deploy", "examples", "home-assistant-app"):
        yield from (path for path in (ROOT / folder).rglob("*") if path.is_file())
    yield from (path for path in ROOT.iterdir() if path.is_file())
