"""docs/topics.md is what the code says, and says what the contract promises."""

import re
from pathlib import Path

import pytest

from docs.topic_page import topic_page

ROOT = Path(__file__).parents[1]
CONTRACT = ROOT.parent / "shared/design/contract.md"
# What the contract promises and nothing publishes yet. Whoever builds one of these takes it off the list.
TOPICS_TO_COME = {"energy/total"}
WORDS_TO_COME = {"since"}


def test_page_in_docs_is_the_one_that_the_code_writes() -> None:
    assert (ROOT / "docs/topics.md").read_text(encoding="utf-8") == topic_page()


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contract (../shared/design/contract.md) is not here")
def test_every_topic_and_command_of_the_contract_is_on_the_page() -> None:
    contract, page = CONTRACT.read_text(encoding="utf-8"), topic_page()
    cells = re.findall(r"^\| (`.+?`) \|", contract, re.MULTILINE)
    names = [re.sub(r"^<base>/(<monitor>/(device/<device>/)?|bridge/)", "", name) for name in _codes(cells)]
    assert len(names) > 45
    assert {name for name in names if f"`{name}`" not in page} == TOPICS_TO_COME


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contract (../shared/design/contract.md) is not here")
def test_every_word_of_a_payload_in_the_contract_is_on_the_page() -> None:
    contract, page = CONTRACT.read_text(encoding="utf-8"), topic_page()
    topics = contract[contract.index("## 1. Topics") : contract.index("## 2. Rules")]
    words = set(re.findall(r'"([a-z0-9_]+)"', topics)) | set(re.findall(r"`([a-z]+_[a-z_]+)`", topics))
    assert len(words) > 30
    assert {word for word in words if word not in page} == WORDS_TO_COME


def _codes(cells: list[str]) -> list[str]:
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
