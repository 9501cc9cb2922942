"""What the checks learn from the name server."""

import pytest

from sense_mqtt.cli.check.context import resolve


@pytest.mark.enable_socket
def test_an_address_is_its_own_name():
    assert resolve("127.0.0.1") == ("127.0.0.1",)
