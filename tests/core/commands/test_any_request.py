"""Whatever a request holds, it gets exactly one answer, and no path leads out of the API."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sense_mqtt.core.commands.parse import parse
from sense_mqtt.core.commands.responses import Command, Response
from sense_mqtt.core.commands.table import COMMANDS

pytestmark = pytest.mark.no_cover  # others cover all that these do

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
ARGUMENTS = sorted(
    {argument.name for row in COMMANDS.values() for argument in row.arguments} | {"monitor", "transaction"}
)
NAMES = st.sampled_from(sorted(COMMANDS)) | st.text()
OBJECTS = st.dictionaries(st.sampled_from(ARGUMENTS) | st.text(), JSON)
PAYLOADS = st.binary() | OBJECTS.map(json.dumps).map(str.encode)
always_alike = settings(deadline=None, derandomize=True, database=None, max_examples=200)


@always_alike
@given(NAMES, PAYLOADS, st.booleans(), st.none() | st.text(), st.none() | st.binary())
def test_every_request_is_understood_or_answered(name, payload, retain, topic, correlation):
    outcome = parse(name, payload, retain=retain, response_topic=topic, correlation=correlation)
    if isinstance(outcome, Response):
        assert json.loads(outcome.payload.encode())["status"] == "error"
        assert outcome.correlation == correlation
    else:
        assert outcome.name in COMMANDS
        assert not retain


@always_alike
@given(st.text(alphabet="./\\%?#:@{}monitruse2eF\n~", max_size=40))
def test_a_path_that_is_understood_stays_below_the_base(path):
    outcome = parse("get", json.dumps({"path": path}).encode())
    if isinstance(outcome, Command):
        understood = outcome.arguments["path"].replace("{monitor}", "1").replace("{user}", "2")
        assert not set(understood) & set("\\%?#:@{}\n")
        assert not understood.startswith("/")
        assert all(segment.strip(".") for segment in understood.removesuffix("/").split("/"))
