"""JSON objects in payloads."""

import pytest

from sense_mqtt.core.payloads import read_object


def test_an_object_is_read():
    assert read_object('{"a": [1]}') == {"a": [1]}


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", "[" * 100_000])
def test_what_is_no_object_is_an_empty_one(text):
    assert read_object(text) == {}
