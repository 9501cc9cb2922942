"""Recorders: the last minutes in memory, for a report; and a file, for a recording from the start."""

import gzip
import logging
import os
from collections import deque
from pathlib import Path
from typing import IO

import msgspec

from sense_mqtt.clock import Moment
from sense_mqtt.errors import StateError
from sense_mqtt.items import FrameArrived
from sense_mqtt.recording.lines import write_note
from sense_mqtt.recording.notes import FRAMES, Note, Polled, What
from sense_mqtt.recording.redact import RecordingRedactor

logger = logging.getLogger(__name__)

RECENT_S = 600.0
RECENT_BYTES = 4_000_000  # of all homes together: ten minutes of fifty devices, less of more
OTHER_BYTES = 500  # what a note counts for that is no frame
PACKED_BYTES = 200  # what a frame counts for beside its content
FILE_BYTES_MOST = 100_000_000  # compressed: some weeks of one home
AS_THEY_CAME = frozenset({FrameArrived, Polled})
PACK = msgspec.msgpack.Encoder().encode
IS_THERE = "{}: is there already; give another name, or remove it"
FLUSH_S = 10.0  # a process that is killed loses no more


class RecentNotes:
    """The notes of the last ten minutes. Of a frame only what was read of it is kept: a fiftieth of its size."""

    def __init__(self, bytes_most: int = RECENT_BYTES) -> None:
        self._bytes_most = bytes_most
        self._kept: deque[tuple[Moment, int, What | _Packed, int]] = deque()  # moment, monitor, what, size
        self._bytes = 0

    def note(self, note: Note) -> None:
        what: What | _Packed = note.what
        kind = type(what)
        if kind in AS_THEY_CAME:  # it comes once more, as it was read
            return
        size = OTHER_BYTES
        if kind in FRAMES:
            what = _Packed(kind, PACK(what))
            size = PACKED_BYTES + len(what.content)
        self._kept.append((note.now, note.monitor, what, size))
        self._bytes += size
        oldest = note.now.monotonic - RECENT_S
        while self._bytes > self._bytes_most or self._kept[0][0].monotonic < oldest:
            self._bytes -= self._kept.popleft()[3]

    def notes(self) -> list[Note]:
        """Return them, oldest first."""
        return [Note(now, monitor, _unpacked(what)) for now, monitor, what, _ in self._kept]


class _Packed(msgspec.Struct, frozen=True):
    kind: type
    content: bytes  # msgpack


def _unpacked(what: What | _Packed) -> What:
    return msgspec.msgpack.decode(what.content, type=what.kind) if isinstance(what, _Packed) else what


class FileRecorder:
    """Writes each note to a file, compressed and redacted; ends where the file becomes too large. For one thread.

    `head` is the first line. Raises StateError where the file cannot be made, or is there already.
    """

    def __init__(self, path: Path, head: str, redactor: RecordingRedactor, bytes_most: int = FILE_BYTES_MOST) -> None:
        self._path, self._redactor, self._bytes_most = path, redactor, bytes_most
        self._file: IO[bytes] | None = open_private(path)
        self._gzip = gzip.GzipFile(fileobj=self._file, mode="wb", mtime=0)
        self._flush_at = 0.0  # monotonic
        self._write(head)

    def note(self, note: Note) -> None:
        if self._file is None or type(note.what) in FRAMES:  # a frame was noted as it came
            return
        try:
            self._write(write_note(note, self._redactor))
            if note.now.monotonic >= self._flush_at:
                self._flush_at = note.now.monotonic + FLUSH_S
                self._gzip.flush()
            if self._file.tell() > self._bytes_most:
                logger.warning("%s: has %d MB and ends here", self._path, self._bytes_most // 1_000_000)
                self.close()
        except OSError as error:
            why = error.strerror
            logger.error("%s: cannot be written (%s); the recording ends here", self._path, why)  # noqa: TRY400
            self._file = None

    def close(self) -> None:
        """End the recording."""
        if self._file is not None:
            self._gzip.close()
            self._file.close()
            self._file = None

    def _write(self, line: str) -> None:
        self._gzip.write(line.encode(errors="surrogatepass") + b"\n")


def refuse_existing(path: Path) -> None:
    """Raise StateError where there is a file of that name: before anything is collected for it."""
    if os.path.lexists(path):
        raise StateError(IS_THERE.format(path))


def open_private(path: Path) -> IO[bytes]:
    """Make a file that only we can read, and return it. Raises StateError where it cannot be made, or is there."""
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError:
        raise StateError(IS_THERE.format(path)) from None
    except OSError as error:
        raise StateError(f"{path}: cannot be made ({error.strerror}); give another name") from error
