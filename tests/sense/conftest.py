"""What the tests of Sense's cloud share."""

import base64
import hmac
import struct

import pytest

from tests.support.sense.sense_fixtures import FakeClock


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def totp():
    """An authenticator app, set up with the secret of the demo account; by hand, to check ours."""
    key = base64.b32decode("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")

    def code(at: float) -> str:
        digest = hmac.digest(key, struct.pack(">Q", int(at) // 30), "sha1")
        start = digest[19] & 15
        return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1000000:06d}"

    return code
