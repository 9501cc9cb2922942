"""Several Sense accounts in one configuration, and several processes that share them."""

import json
from collections import Counter

import pytest

from sense_mqtt.config.sense_settings import ShardSettings

FILE = "config.yaml"
TWO = """
accounts:
  - {name: home, email: a@example.com, password: in-the-file, monitors: [1, 2]}
  - {name: cabin, email: b@example.com, password_file: cabin.txt, timeout_s: 5}
"""


def test_each_account_has_the_keys_of_sense_and_files_of_its_own(machine):
    machine.write("cabin.txt", "of-the-cabin\n")
    machine.write(FILE, TWO)
    each = machine.load().of_each_account()
    assert list(each) == ["home", "cabin"]
    assert (each["home"].sense.monitors, each["home"].sense.timeout_s) == ((1, 2), 30)
    assert (each["cabin"].sense.password.get_secret_value(), each["cabin"].sense.timeout_s) == ("of-the-cabin", 5)
    assert [one.state_dir.name for one in each.values()] == ["account-home", "account-cabin"]
    assert {one.state_dir.parent for one in each.values()} == {machine.load().state_dir}


def test_the_files_of_a_single_account_stay_where_they_were(machine):
    machine.write(FILE, "sense: {email: a@example.com}")
    config = machine.load()
    assert config.of_each_account() == {"": config}


def test_a_name_that_is_no_file_name_is_made_one(machine):
    machine.write(FILE, "accounts: [{name: ../Our house}]")
    (only,) = machine.load().of_each_account().values()
    assert only.state_dir.name == "account-___our_house"


def test_environment_variables_set_single_keys_of_items_and_win_over_the_file(machine):
    machine.write("cabin.txt", "of-the-cabin")
    machine.write("home.txt", "of-the-environment")
    machine.write(FILE, TWO)
    machine.environ |= {
        "SENSE_MQTT_ACCOUNTS__0__PASSWORD_FILE": "home.txt",
        "SENSE_MQTT_ACCOUNTS__1__MONITORS": "[7]",
        "SENSE_MQTT_ACCOUNTS__2__NAME": "boat",
    }
    home, cabin, boat = machine.load().of_each_account().values()
    assert home.sense.password.get_secret_value() == "of-the-environment"
    assert cabin.sense.monitors == (7,)
    assert boat.sense.email is None


def test_accounts_may_be_one_variable_as_json(machine):
    machine.environ["SENSE_MQTT_ACCOUNTS"] = json.dumps([{"name": "home", "monitors": [1]}, {"name": "cabin"}])
    assert [account.name for account in machine.load().accounts] == ["home", "cabin"]


def test_a_secret_of_an_account_may_be_one_of_docker(machine):
    machine.write("run/accounts_0_password", "of-docker")
    machine.write(FILE, "accounts: [{name: home, email: a@example.com}]")
    assert machine.load().accounts[0].password.get_secret_value() == "of-docker"


def test_no_secret_of_an_account_is_public_and_each_is_told_to_the_redactor(machine):
    machine.write("cabin.txt", "of-the-cabin")
    machine.write(FILE, TWO)
    config = machine.load()
    hidden = {"a@example.com", "b@example.com", "in-the-file", "of-the-cabin"}
    assert hidden <= set(config.secrets())
    assert not [secret for secret in hidden if secret in json.dumps(config.public())]
    assert [account["name"] for account in config.public()["accounts"]] == ["home", "cabin"]


FAULTS = [
    pytest.param(
        "sense: {email: a@example.com}\naccounts: [{name: home}]",
        "sense and accounts are both given; move what sense holds to one of accounts",
        id="beside sense",
    ),
    pytest.param(
        "accounts: [{name: Home}, {name: home}]",
        "accounts: the name home is given twice; give each account a name of its own",
        id="one name twice",
    ),
    pytest.param("accounts: [{email: a@example.com}]", "accounts.0.name: must be given", id="without a name"),
    pytest.param("accounts: [{name: a, mail: b}]", "accounts.0.mail: is not a known key; did you mean", id="unknown"),
    pytest.param("accounts: [home]", "accounts.0: must hold keys of its own", id="a text in place of keys"),
    pytest.param("accounts: home", "accounts: must be a list", id="a text in place of the list"),
    pytest.param("accounts: {home: {name: home}}", "accounts: must be a list", id="keys in place of the list"),
    pytest.param("accounts: [{name: a, totp_secret: '123456'}]", "accounts.0.totp_secret: must be the", id="code"),
    pytest.param("accounts: [{name: a, password_file: no}]", "accounts.0.password_file: ", id="a file that is missing"),
    pytest.param("shard: {index: 0, count: 2}", "shard: shares out accounts, and there are none", id="no accounts"),
    pytest.param("shard: {index: 2, count: 2}", "shard: index must be below count, from 0 to 1, not 2", id="index"),
]


@pytest.mark.parametrize(("text", "fault"), FAULTS)
def test_a_fault_of_accounts(machine, text, fault):
    machine.write(FILE, text)
    (told,) = machine.faults()
    assert told.startswith(f"{FILE}: {fault}")
    assert "123456" not in told


def test_a_place_that_is_left_out_is_a_fault(machine):
    machine.environ["SENSE_MQTT_ACCOUNTS__1__NAME"] = "cabin"
    (told,) = machine.faults()
    assert told.startswith("SENSE_MQTT_ACCOUNTS__1__NAME: accounts: must be a list")


# --- shards


def served_by(count):
    names = [f"account {number}" for number in range(300)]
    shards = [ShardSettings(index=index, count=count) for index in range(count)]
    return {name: [shard.index for shard in shards if shard.serves(name)] for name in names}


def test_each_account_is_served_by_one_process_and_they_share_about_evenly():
    served = served_by(3)
    assert all(len(by) == 1 for by in served.values())
    assert all(70 < count < 130 for count in Counter(by[0] for by in served.values()).values())


def test_one_process_more_takes_over_accounts_and_moves_no_other():
    before, after = served_by(3), served_by(4)
    moved = [name for name in before if before[name] != after[name]]
    assert 40 < len(moved) < 110
    assert all(after[name] == [3] for name in moved)


def test_the_process_that_serves_an_account_is_the_same_in_every_version():
    served = served_by(4)
    assert [served[f"account {number}"][0] for number in range(6)] == [3, 3, 0, 1, 0, 1]
