"""What root does in a directory whose owner may put anything under any name, at any moment."""

import fcntl
import json
import os
import stat
from contextlib import suppress

import pytest

from sense_mqtt.errors import StateError
from sense_mqtt.sense.state_file import StateFile
from sense_mqtt.store.journal import Journal
from sense_mqtt.store.state_directory import open_directory

SECRET = {"root": "hunter2"}
OWNER = (12_345, 12_346)
IS_ROOT = os.geteuid() == 0


class Chowns:
    """Stands for root's fchown; notes which file would be given to whom."""

    def __init__(self):
        self.given = {}

    def __call__(self, descriptor, user, group):
        self.given[os.fstat(descriptor).st_ino] = (user, group)


@pytest.fixture
def chown():
    return Chowns()


@pytest.fixture
def victim(tmp_path):
    """A file outside, that is root's or another's."""
    path = tmp_path / "victim"
    path.write_text(json.dumps(SECRET))
    path.chmod(0o640)
    if IS_ROOT:
        os.chown(path, 0, 0)
    return path


@pytest.fixture
def state_dir(tmp_path):
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    if IS_ROOT:
        os.chown(path, *OWNER)
    return path


def traits(path):
    status = path.stat()
    return path.read_bytes(), status.st_mode, status.st_uid, status.st_gid


TRAPS = {
    "a symbolic link": lambda path, victim: path.symlink_to(victim),
    "a relative link": lambda path, victim: path.symlink_to(f"../{victim.name}"),
    "a link that leads nowhere": lambda path, victim: path.symlink_to(victim.with_name("nowhere")),
    "a hard link": lambda path, victim: path.hardlink_to(victim),
    "a FIFO": lambda path, _victim: os.mkfifo(path),
    "a directory": lambda path, _victim: path.mkdir(),
}
NAMES = ["session", "logins", "device", "manners", "feed-1", "bridge"]


def use(path, chown):
    """Do all that a login does with a file."""
    file = StateFile(path, chown)
    with suppress(StateError):
        file.load()
    with file.locked():
        pass
    with file.exclusive_lock():
        pass
    file.warn_if_readable_by_others()
    with suppress(StateError):
        file.save({"a": 1})
    file.stamp()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("ending", [".json", ".lock"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("trap", TRAPS)
def test_whatever_lies_under_a_name_nothing_outside_is_touched(state_dir, victim, chown, trap, name, ending):
    TRAPS[trap](state_dir / f"{name}{ending}", victim)
    before = traits(victim)
    use(state_dir / f"{name}.json", chown)
    assert traits(victim) == before
    assert victim.stat().st_ino not in chown.given
    assert not victim.with_name("nowhere").exists()


@pytest.mark.parametrize("trap", [trap for trap in TRAPS if trap != "a hard link" or IS_ROOT])
def test_what_is_no_file_of_ours_is_not_read(state_dir, victim, trap):
    """Else root would copy what others must not see into a file that it gives away."""
    TRAPS[trap](state_dir / "logins.json", victim)
    with pytest.raises(StateError, match=r"logins\.json: is a link, or no plain file"):
        StateFile(state_dir / "logins.json").load()


@pytest.mark.parametrize("name", ["journal.sqlite3", "journal.sqlite3-wal", "journal.sqlite3-shm"])
@pytest.mark.parametrize("trap", TRAPS)
def test_the_journal_follows_no_link(state_dir, victim, trap, name):
    TRAPS[trap](state_dir / name, victim)
    before = traits(victim)
    journal = Journal(state_dir / "journal.sqlite3")
    journal.append("t", "kept in memory, or beside it")
    journal.maintain()
    journal.close()
    if not (trap == "a hard link" and not IS_ROOT):  # without root, the file has the directory's owner
        assert traits(victim) == before
    assert not victim.with_name("nowhere").exists()


@pytest.mark.parametrize("trap", TRAPS)
def test_a_damaged_journal_replaces_nothing_when_it_is_set_aside(state_dir, victim, trap):
    (state_dir / "journal.sqlite3").write_bytes(b"no database" * 1000)
    TRAPS[trap](state_dir / "journal.sqlite3.damaged-1", victim)
    before = traits(victim)
    Journal(state_dir / "journal.sqlite3").close()
    assert traits(victim) == before
    assert (state_dir / "journal.sqlite3.damaged-2").read_bytes()[:11] == b"no database"


# --- what is given away


def test_only_what_was_just_made_is_given_to_the_owner_of_the_directory(state_dir, chown):
    file = StateFile(state_dir / "session.json", chown)
    with file.locked():
        file.save({"a": 1})
    owner = (state_dir.stat().st_uid, state_dir.stat().st_gid)
    assert chown.given == {path.stat().st_ino: owner for path in state_dir.iterdir()}
    assert {path.name for path in state_dir.iterdir()} == {"session.json", "session.lock"}
    chown.given.clear()
    with file.locked():
        file.load()
    assert chown.given == {}


@pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")
def test_what_root_writes_belongs_to_whom_the_directory_belongs(state_dir):
    file = StateFile(state_dir / "session.json")
    with file.locked():
        file.save({"a": 1})
    Journal(state_dir / "journal.sqlite3").close()
    owners = {path.name: (path.stat().st_uid, path.stat().st_gid) for path in state_dir.iterdir()}
    assert owners == dict.fromkeys(("session.json", "session.lock", "journal.sqlite3"), OWNER)


def test_what_is_under_a_name_may_change_between_any_two_steps(state_dir, victim, chown):
    """The owner replaces what was just made by a link, before it gets its name or its content."""

    def swap(descriptor, user, group):
        chown(descriptor, user, group)
        for path in state_dir.iterdir():
            path.unlink()
            path.symlink_to(victim)

    before = traits(victim)
    file = StateFile(state_dir / "session.json", swap)
    with file.locked(), suppress(StateError):
        file.save({"a": 1})
    assert traits(victim) == before
    assert victim.stat().st_ino not in chown.given


# --- the directory itself


def test_a_link_to_the_directory_is_followed_where_it_is_roots_or_ours_or_the_owners(state_dir, tmp_path):
    (tmp_path / "link").symlink_to(state_dir)
    StateFile(tmp_path / "link" / "x.json").save({"a": 1})
    assert StateFile(state_dir / "x.json").load() == {"a": 1}


@pytest.mark.skipif(not IS_ROOT, reason="only root can make links that are others'")
def test_a_link_of_another_user_to_a_directory_of_roots_is_refused(tmp_path):
    (tmp_path / "roots").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "roots")
    os.chown(tmp_path / "link", *OWNER, follow_symlinks=False)
    with pytest.raises(StateError, match="another user's link leads there"):
        StateFile(tmp_path / "link" / "x.json").save({"a": 1})
    assert list((tmp_path / "roots").iterdir()) == []


# --- modes


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_nobody_else_can_read_a_file_whatever_the_mask(tmp_path, mask):
    before = os.umask(mask)
    try:
        journal = Journal(tmp_path / "journal.sqlite3")
        journal.append("t", "x")
        StateFile(tmp_path / "session.json").save({})
        with StateFile(tmp_path / "session.json").locked():
            pass
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        journal.close()
    finally:
        os.umask(before)
    names = ["journal.sqlite3", "journal.sqlite3-shm", "journal.sqlite3-wal", "session.json", "session.lock"]
    assert modes == dict.fromkeys(names, 0o600)


def test_a_journal_that_others_can_read_is_closed_to_them(tmp_path):
    Journal(tmp_path / "journal.sqlite3").close()
    (tmp_path / "journal.sqlite3").chmod(0o644)
    Journal(tmp_path / "journal.sqlite3").close()
    assert stat.S_IMODE((tmp_path / "journal.sqlite3").stat().st_mode) == 0o600


def test_a_lock_is_opened_where_nothing_can_be_written(tmp_path):
    (tmp_path / "x.lock").touch(mode=0o400)
    with open_directory(tmp_path) as directory:
        descriptor = directory.open_lock("x.lock")
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)
