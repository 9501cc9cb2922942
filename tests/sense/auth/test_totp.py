"""The code of a two-factor login."""

import pytest

from sense_mqtt.errors import ConfigError
from sense_mqtt.sense.auth.totp import code_at, next_step

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # "12345678901234567890", RFC 6238 appendix B

RFC_6238 = [  # of its eight digits the last six
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.mark.parametrize(("time_s", "code"), RFC_6238)
def test_the_codes_are_those_of_the_standard(time_s, code):
    assert code_at(SECRET, time_s) == code


@pytest.mark.parametrize(
    "secret", [SECRET.lower(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ", "gezd-gnbv-gy3t-qojq-" * 2, SECRET + "===="]
)
def test_a_secret_is_taken_as_people_copy_it(secret):
    assert code_at(secret, 59) == "287082"


@pytest.mark.parametrize("secret", ["", "  ", "GEZD1", "not base32!", "GEZDGNBVÄ"])
def test_a_damaged_secret_is_named_but_not_shown(secret):
    with pytest.raises(ConfigError, match="totp_secret: must be base32") as refused:
        code_at(secret, 59)
    assert not secret.strip() or secret not in str(refused.value)
    assert refused.value.__cause__ is None


def test_the_next_code_begins_at_the_next_half_minute():
    assert next_step(59.5) == 60
    assert next_step(60) == 90
