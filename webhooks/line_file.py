"""Messages as lines of a file that a log shipper follows: appended, whole, on the disk before they count as delivered.

The file is opened for each handful of lines, so that after a rotation by renaming the next ones go to a new file; the
shipper still has the old one open and reads it to its end. Rotation by copying and cutting loses lines, in any program.
"""

import asyncio
import errno
import fcntl
import os
import stat
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from plumbing.clock import Clock
from webhooks.endpoint import Carrier
from webhooks.targets import Resolver
from webhooks.transport import Attempt

TAKEN: Final = 200
READABLE_BY_GROUP: Final = 0o640
"""The gateway writes, the shipper's group reads, nobody else sees who signed in from where."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
LONGEST_TORN_BYTES: Final = 1 << 20
"""A handful of lines is shorter; a file that has no line's end in its last mebibyte was never written by us."""

log = structlog.get_logger("webhooks.line_file")


class NotAFile(OSError):
    """What stands at the path is a directory, a device, a pipe, a link or no text: nothing is written to it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileReceiver:
    """The outbox's endpoint for one file. One writer at a time, in the order of the outbox."""

    name: str
    path: Path
    concurrency: int = 1
    linger_seconds: float = 0.0

    @staticmethod
    def merge(messages: Sequence[bytes]) -> bytes:
        """Each message on a line of its own."""
        return b"".join(b"%s\n" % message for message in messages)

    @asynccontextmanager
    async def opened(self, *, clock: Clock, resolver: Resolver, deadline_seconds: float) -> AsyncIterator[Carrier]:
        """What appends to it."""
        carrier = FileCarrier(self.path, deadline_seconds)
        try:
            yield carrier
        finally:
            carrier.close()


class FileCarrier:
    """Appends whole lines, in a thread of its own: a disk that hangs holds up nobody else, and no second thread."""

    def __init__(self, path: Path, deadline_seconds: float) -> None:
        self._path = path
        self._deadline_seconds = deadline_seconds
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="line-file")
        self._hanging: asyncio.Future[None] | None = None

    async def carry(self, message_id: str, body: bytes) -> Attempt:
        """One attempt at the lines in `body`: all of them are on the disk, or none is in the file."""
        if self._hanging is not None and not self._hanging.done():
            return Attempt(problem="timeout")
        writing = asyncio.get_running_loop().run_in_executor(self._thread, append, self._path, body)
        self._hanging = writing
        try:
            done, _ = await asyncio.wait({writing}, timeout=self._deadline_seconds)
            if not done:
                # It may be written after all, and is then there twice, which its readers know by its id.
                writing.add_done_callback(_forget)
                return Attempt(problem="timeout")
            writing.result()
        except TimeoutError:
            return Attempt(problem="timeout")
        except BlockingIOError:
            return Attempt(problem="locked")
        except NotAFile:
            return Attempt(problem="not_a_file")
        except OSError as error:
            return Attempt(problem="disk_full" if error.errno in _FULL else type(error).__name__)
        return Attempt(status=TAKEN)

    def close(self) -> None:
        """Begin nothing more; what hangs is not waited for."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _forget(written: asyncio.Future[None]) -> None:
    """Look at how it ended, long after anybody asked."""
    if not written.cancelled():
        written.exception()


def append(path: Path, lines: bytes) -> None:
    """Add the lines to the end of the file at that path, as a whole.

    Raises:
        NotAFile: something else stands there.
        BlockingIOError: another process is writing to it this moment.
        OSError: they are not in it, whatever the reason.
    """
    descriptor = _opened(path)
    try:
        end = _end_of_last_line(descriptor)
        try:
            _write_whole(descriptor, lines)
            os.fsync(descriptor)
        except OSError:
            # Half a line would stick to the next one. A shipper has not read past the last line's end.
            with suppress(OSError):
                os.ftruncate(descriptor, end)
            raise
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    """The file that is at that path now, ours alone until it is closed."""
    while True:
        descriptor = _open(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours, there = os.fstat(descriptor), os.stat(path, follow_symlinks=False)
        except FileNotFoundError:  # renamed away between the two
            os.close(descriptor)
            continue
        except BaseException:
            os.close(descriptor)
            raise
        if (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino):
            return descriptor
        os.close(descriptor)


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        descriptor = os.open(path, flags | os.O_CREAT, READABLE_BY_GROUP)
        _keep_name(path.parent)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.EISDIR, errno.ENXIO}:
            raise NotAFile from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotAFile
    return descriptor


def _keep_name(directory: Path) -> None:
    """A new file's name is on the disk too, or the file would be gone after a power failure."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_whole(descriptor: int, lines: bytes) -> None:
    rest = memoryview(lines)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _end_of_last_line(descriptor: int) -> int:
    """Where the next line begins. What stands behind the last line's end was torn by a crash, is waiting in the outbox
    as a whole, and is cut off.

    Raises: NotAFile when so much stands there that it cannot be ours.
    """
    size = os.fstat(descriptor).st_size
    start = max(0, size - LONGEST_TORN_BYTES)
    tail = os.pread(descriptor, size - start, start)
    end = start + tail.rfind(b"\n") + 1
    if end == start > 0:
        raise NotAFile
    if end < size:
        os.ftruncate(descriptor, end)
        log.warning("torn_line_cut", octets=size - end)
    return end
