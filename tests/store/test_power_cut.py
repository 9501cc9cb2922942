"""What a power cut leaves of the journal: all that was recorded before it."""

from contextlib import closing

from sense_mqtt.store.journal import Journal

HOME = ("home", "")


def payloads(journal):
    return [entry.payload for entry in journal.waiting(0, 1000)]


EVENTS_MADE = 12


def write_until_the_power_fails(path):
    """Record events, each with the row that belongs to it; return the file, its log, and where each ends in it."""
    with closing(Journal(path)) as journal:
        ends = []
        wal = path.with_name(path.name + "-wal")
        for number in range(1, EVENTS_MADE + 1):
            rows = {("device", f"d{each}"): {"events": number if each == number % 3 else 0} for each in range(3)}
            journal.record(7, {HOME: {"newest": number}, **rows}, [("t", str(number))])
            ends.append(wal.stat().st_size)
            if number % 4 == 0:
                journal.forget([number - 3])
        return path.read_bytes(), wal.read_bytes(), ends


def test_a_power_cut_at_any_write_loses_nothing_that_was_recorded_before_it(path, tmp_path):
    content, log, ends = write_until_the_power_fails(path)
    for cut in range(0, len(log) + 1, 173):
        copy = tmp_path / f"cut-{cut}" / "journal.sqlite3"
        copy.parent.mkdir()
        copy.write_bytes(content)
        copy.with_name(copy.name + "-wal").write_bytes(log[:cut])
        with closing(Journal(copy)) as journal:
            recorded = sum(end <= cut for end in ends)
            newest = journal.recall(7).get(HOME, {"newest": 0})["newest"]
            assert newest in (recorded, recorded + 1)
            assert [int(payload) for payload in payloads(journal)][-1:] == ([newest] if newest else [])
            assert len(payloads(journal)) >= newest - newest // 4


def test_what_a_torn_write_left_behind_is_not_read(path, tmp_path):
    content, log, ends = write_until_the_power_fails(path)
    for cut in range(ends[-2] + 7, ends[-1], 97):
        copy = tmp_path / f"torn-{cut}" / "journal.sqlite3"
        copy.parent.mkdir()
        copy.write_bytes(content)
        copy.with_name(copy.name + "-wal").write_bytes(log[:cut] + b"\xaa" * (len(log) - cut))
        with closing(Journal(copy)) as journal:
            assert journal.recall(7)[HOME] == {"newest": EVENTS_MADE - 1}
