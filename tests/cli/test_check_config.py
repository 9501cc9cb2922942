"""What `check` says of the configuration alone: where it was read, what is missing in it, what it needs installed."""

from types import SimpleNamespace

import pytest

from sense_mqtt.cli.check.checks import check_page
from sense_mqtt.cli.check.runner import run_checks
from sense_mqtt.cli.extras import how_to_install
from sense_mqtt.config import Config
from sense_mqtt.errors import ConfigError

LOGIN = "which is right once `sense-mqtt login` was run"
KNOWN = {"email": "a@b.c", "password": "x"}
ACCOUNTS = [
    pytest.param([("", KNOWN)], "", id="complete"),
    pytest.param([("", {})], f"no e-mail and password of Sense, {LOGIN}; ", id="none"),
    pytest.param([("", {"email": "a@b.c"})], f"no e-mail and password of Sense, {LOGIN}; ", id="no password"),
    pytest.param(
        [("here", KNOWN), ("there", {})],
        f"no e-mail and password of Sense of account there, {LOGIN}; ",
        id="one of several",
    ),
]


@pytest.mark.parametrize(("accounts", "told"), ACCOUNTS)
def test_the_file_is_named_and_an_account_that_is_missing(accounts, told, tmp_path):
    contexts = [
        SimpleNamespace(account=name, config=Config.model_validate({"state_dir": tmp_path, "sense": sense}))
        for name, sense in accounts
    ]
    [finding] = run_checks(lambda: contexts, "/home/anna/config.yaml", {})
    kept = ", ".join([str(tmp_path)] * len(accounts))
    assert str(finding) == f"ok   config: read from /home/anna/config.yaml; {told}state is kept in {kept}"


def test_a_library_that_the_page_needs_and_that_is_missing_is_a_fault_of_the_configuration():
    config = Config.model_validate({"web": {"enabled": True}})
    assert check_page(SimpleNamespace(config=config, missing_for_web=())).endswith("on http://127.0.0.1:8788/")
    with pytest.raises(ConfigError) as raised:
        check_page(SimpleNamespace(config=config, missing_for_web=("aiohttp",)))
    assert str(raised.value) == f"web.enabled: the page needs aiohttp: {how_to_install('web')}"
