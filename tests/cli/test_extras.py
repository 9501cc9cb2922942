"""What is said where an optional library is missing: the way in which this program was installed."""

import json

from sense_mqtt.cli.extras import WEB, find_missing, how_to_install, install_command

PYTHON = "/opt/sense-mqtt/bin/python"
IN_A_CHECKOUT = "in a checkout of sense-mqtt, /opt/sense-mqtt/bin/python -m pip install '.[web]'"


def told(url, **more):
    return json.dumps({"url": url, **more})


def test_what_was_installed_from_a_checkout_is_extended_from_it(tmp_path):
    checkout = tmp_path / "my checkout"
    checkout.mkdir()
    (checkout / "pyproject.toml").touch()
    url = checkout.as_uri()
    assert install_command("web", told(url), PYTHON) == f"{PYTHON} -m pip install '{checkout}[web]'"
    editable = told(url, dir_info={"editable": True})
    assert install_command("web", editable, PYTHON) == f"{PYTHON} -m pip install --editable '{checkout}[web]'"


def test_where_the_checkout_is_gone_or_unknown_one_is_needed(tmp_path):
    for source in (None, told((tmp_path / "gone").as_uri()), told("https://example.com/sense.whl", archive_info={})):
        assert install_command("web", source, PYTHON) == IN_A_CHECKOUT


def test_a_package_index_is_never_named():
    assert "install sense-mqtt" not in how_to_install("web").replace("'", "")


def test_what_is_missing_is_found_without_an_import():
    assert find_missing(WEB) == ()
    assert find_missing((*WEB, "no_such_library")) == ("no_such_library",)
