"""`sense-mqtt simulate`: what it prints, and how it fails."""

import argparse
import io
import threading

import pytest
import requests
import yaml

from sense_mqtt.simulator import command


def arguments(*given):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(given)


class Said(io.StringIO):
    """Remembers what is printed, and tells when."""

    def __init__(self):
        super().__init__()
        self.flushed = threading.Event()

    def flush(self):
        self.flushed.set()


def test_it_says_how_to_connect_and_ends_when_it_is_stopped():
    stopping, out, codes = threading.Event(), Said(), []
    given = arguments("--speed", "60", "--mfa")
    thread = threading.Thread(target=lambda: codes.append(command.serve(given, stopping, out)), daemon=True)
    thread.start()
    assert out.flushed.wait(20)
    config = yaml.safe_load(out.getvalue().partition("config.yaml:\n")[2])["sense"]
    form = {"email": config["email"], "password": config["password"]}
    assert requests.post(config["api_url"] + "authenticate", data=form, timeout=9).json()["mfa_type"] == "totp"
    assert config["feed_url"].startswith("ws://127.0.0.1:")
    assert len(config["totp_secret"]) == 32
    stopping.set()
    thread.join(20)
    assert codes == [0]


FAULTS = [
    ("no such file", ["--house", "nowhere.csv"], 2, "nowhere.csv"),
    ("solar alone", ["--solar", "sun.csv"], 2, "--solar goes with --house"),
    ("an address that is not ours", ["--host", "192.0.2.1"], 1, "cannot listen on 192.0.2.1"),
]


@pytest.mark.parametrize(("given", "code", "said"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_what_is_wrong_is_reported(capsys, given, code, said):
    assert command.serve(arguments(*given), threading.Event(), io.StringIO()) == code
    assert said in capsys.readouterr().err


def test_a_measured_house_is_replayed(tmp_path):
    file = tmp_path / "house.csv"
    file.write_text("unix,kettle\n" + "".join(f"{second},{20 if second > 50 else 0}\n" for second in range(100)))
    assert command.open_house(file, None, 1).begins == 0


@pytest.mark.parametrize(
    "given",
    [
        ["--speed", "0"],
        ["--speed", "fast"],
        ["--token-life", "-1"],
        ["--port", "99999"],
        ["--cycle-day", "32"],
        ["--unfinished", "x"],
    ],
)
def test_wrong_arguments_are_refused(given, capsys):
    with pytest.raises(SystemExit):
        arguments(*given)
    assert "error" in capsys.readouterr().err
