"""`sense-mqtt report` without a running bridge, and what is shown and asked before it writes."""

import zipfile
from argparse import Namespace

import pytest

from sense_mqtt.cli.recording import read_lines
from sense_mqtt.cli.report import ABOUT, ask_bridge, contents, describe, run_report
from sense_mqtt.cli.report_data import clean_config
from sense_mqtt.config import Config
from sense_mqtt.errors import ConfigError, StateError
from sense_mqtt.logs.redaction import Redactor
from sense_mqtt.recording.redact import RecordingRedactor
from tests.support.processes.command_line import run_words

HEAD = ['{"recording": 1}', '{"wall": 1}']


@pytest.fixture
def options(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(f"state_dir: {tmp_path / 'state'}\nmqtt: {{host: broker.anna.example}}")
    config.chmod(0o600)
    return Namespace(config=config, file=tmp_path / "report.zip", yes=False)


def test_without_a_bridge_it_holds_versions_and_configuration_and_says_what_is_missing(tmp_path):
    assert ask_bridge(tmp_path / "nowhere", wait_s=0.1) == {}
    assert ask_bridge(tmp_path, wait_s=0.1) == {}
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    assert ask_bridge(tmp_path / "file", wait_s=0.1) == {}
    files = contents(Config(), {}, Redactor())
    assert list(files) == ["versions.json", "config.json"]
    assert "there is no health.json, log.txt, state.json, recording.jsonl.gz" in describe(tmp_path, files)


def test_all_that_it_can_hold_is_explained():
    told = {"config": {}, "health": {}, "state": {}, "log": ["a"], "recording": ["{}"]}
    assert list(contents(Config(), told, Redactor())) == list(ABOUT)


def test_defaults_of_the_configuration_stay_and_what_was_typed_goes():
    config = Config.model_validate(
        {"mqtt": {"host": "broker.anna.example"}, "devices": {"1a2b": {"name": "Anna's bed"}}}
    )
    clean = clean_config(config.public(), RecordingRedactor(str))
    assert "nna" not in str(clean)
    assert clean["sense"]["api_url"] == "https://api.sense.com/apiservice/api/v1/"
    assert clean["mqtt"]["port"] == 1883


def test_nothing_is_written_where_nobody_can_be_asked(options):
    with pytest.raises(ConfigError, match="give --yes"):
        run_report(options)
    assert not options.file.exists()


def test_with_yes_it_is_written_for_its_owner_only(options, capsys):
    options.yes = True
    assert run_report(options) == 0
    assert options.file.stat().st_mode & 0o777 == 0o600
    assert zipfile.ZipFile(options.file).namelist() == ["versions.json", "config.json"]
    assert "versions of sense-mqtt" in capsys.readouterr().out


def test_a_file_that_is_there_is_refused_before_anything_is_collected(options):
    options.file.touch()
    options.config.unlink()  # it would be missed next
    with pytest.raises(StateError, match="is there already; give another name"):
        run_report(options)


def test_the_archive_of_a_report_is_replayed_as_the_recording_in_it(tmp_path):
    told = {"config": {}, "health": {}, "state": {}, "log": [], "recording": HEAD}
    for name, files in (("full.zip", contents(Config(), told, Redactor())), ("empty.zip", {"versions.json": b"{}"})):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for each, content in files.items():
                archive.writestr(each, content)
    assert list(read_lines(tmp_path / "full.zip")) == [f"{line}\n" for line in HEAD]
    with pytest.raises(StateError, match=r"empty.zip: holds no recording.jsonl.gz: no bridge ran"):
        list(read_lines(tmp_path / "empty.zip"))


def test_the_help_of_record_says_what_to_do_beside_a_running_bridge():
    ended = run_words(["record", "--help"])
    assert "no bridge may run with the same state_dir" in " ".join(ended.out.split())
