"""Lines reach a file that a log shipper follows: whole, once, on the disk, through rotation, full disk and crash."""

import asyncio
import errno
import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from plumbing.clock import SystemClock
from webhooks.line_file import READABLE_BY_GROUP, FileReceiver, NotAFile, append
from webhooks.resolving import system_resolver

ROOT = Path(__file__).resolve().parents[3]


def receiver(path: Path) -> FileReceiver:
    return FileReceiver(name="siem", path=path)


def lines_in(place: Path) -> list[bytes]:
    return [line for file in place.glob("events.jsonl*") for line in file.read_bytes().splitlines()]


@pytest.mark.anyio
async def test_each_message_is_a_line_in_the_order_of_the_outbox(stage: Any, tmp_path: Path) -> None:
    """Behind what was there, and nobody but the owner and its group may read it."""
    path = tmp_path / "events.jsonl"
    for number in range(250):
        await stage.add(f"msg_{number}", "siem", body=b'{"n":%d}' % number, at=1_000.0 + number)
    async with stage.delivering(receiver(path)):
        await stage.until(lambda: stage.depth() == 0)
    assert path.read_bytes().splitlines() == [b'{"n":%d}' % number for number in range(250)]
    assert path.stat().st_mode & 0o777 == READABLE_BY_GROUP


@pytest.mark.anyio
async def test_a_rotation_by_renaming_loses_no_line(stage: Any, tmp_path: Path) -> None:
    """What comes after it goes to a new file; all files together hold each line once."""
    path = tmp_path / "events.jsonl"
    async with stage.delivering(receiver(path)) as worker:
        for number in range(40):
            await stage.add(f"msg_{number}", "siem", body=b"%d" % number)
            worker.wake()
            if number % 10 == 9:
                await stage.until(path.exists)
                path.rename(tmp_path / f"events.jsonl.{number}")
        await stage.until(lambda: stage.depth() == 0)
    assert sorted(map(int, lines_in(tmp_path))) == list(range(40))


@pytest.mark.anyio
async def test_what_stands_there_and_is_no_file_is_not_written_to(stage: Any, tmp_path: Path) -> None:
    """The message waits, and says why."""
    (tmp_path / "events.jsonl").mkdir()
    await stage.add("msg_1", "siem")
    async with stage.delivering(receiver(tmp_path / "events.jsonl")):
        await stage.until(lambda: stage.fate("msg_1").last_error == "not_a_file")
    await stage.add("msg_2", "elsewhere")
    missing = FileReceiver(name="elsewhere", path=tmp_path / "no" / "such" / "place")
    async with stage.delivering(missing):
        await stage.until(lambda: stage.fate("msg_2").last_error == "FileNotFoundError")


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "directory", "no lines"])
def test_links_pipes_and_foreign_files_are_refused(tmp_path: Path, kind: str) -> None:
    """Whoever may write to the directory cannot turn our lines into another file's, nor can a typing error ruin one."""
    path, other = tmp_path / "events.jsonl", tmp_path / "other"
    if kind == "link":
        other.write_bytes(b"mine\n")
        path.symlink_to(other)
    elif kind == "dangling link":
        path.symlink_to(other)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.write_bytes(b"x" * (1 << 20) + b"x")
    with pytest.raises(NotAFile):
        append(path, b"line\n")
    assert kind != "link" or other.read_bytes() == b"mine\n"
    assert kind != "dangling link" or not other.exists()
    assert kind != "no lines" or path.stat().st_size == (1 << 20) + 1


@pytest.mark.parametrize("before", [b"", b"one\n", b"one\ntwo\n", b"\n"])
@pytest.mark.parametrize("torn", [b"", b"{", b'{"half":' * 9_000])
def test_half_a_line_that_a_crash_left_is_cut_off(tmp_path: Path, before: bytes, torn: bytes) -> None:
    """Its message was never marked as delivered and comes whole; what a shipper has read, it keeps."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(before + torn)
    append(path, b"whole\n")
    assert path.read_bytes() == before + b"whole\n"


def test_a_file_that_another_process_writes_to_is_left_alone_for_now(tmp_path: Path) -> None:
    """Two gateways of one machine take turns; lines never mix."""
    path = tmp_path / "events.jsonl"
    append(path, b"one\n")
    with path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError):
            append(path, b"two\n")
    append(path, b"three\n")
    assert path.read_bytes() == b"one\nthree\n"


ON_A_SMALL_DISK = """
import resource, signal, sys
from pathlib import Path
from webhooks.line_file import append
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path, room = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
try:
    append(path, b"a second line that is longer than the room that is left\\n")
except OSError as error:
    print(error.errno)
"""


@pytest.mark.parametrize("room", [6, 7, 30])
def test_a_full_disk_leaves_no_half_line(tmp_path: Path, room: int) -> None:
    """The system takes a part of the line and no more; that part is taken back, and the message waits."""
    path = tmp_path / "events.jsonl"
    append(path, b"first\n")
    run = subprocess.run(
        [sys.executable, "-c", ON_A_SMALL_DISK, str(path), str(room)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == str(errno.EFBIG)
    assert path.read_bytes() == b"first\n"
    append(path, b"third\n")
    assert path.read_bytes() == b"first\nthird\n"


@pytest.mark.anyio
async def test_a_full_disk_is_waited_for(stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says `disk_full`, and is written once there is room."""
    path, room = tmp_path / "events.jsonl", []
    write = os.write

    def scarce(descriptor: int, octets: bytes) -> int:
        if not room and os.readlink(f"/proc/self/fd/{descriptor}") == str(path):
            raise OSError(errno.ENOSPC, "no space")
        return write(descriptor, octets)

    monkeypatch.setattr(os, "write", scarce)
    await stage.add("msg_1", "siem", body=b"one")
    async with stage.delivering(receiver(path)):
        await stage.until(lambda: stage.fate("msg_1").last_error == "disk_full")
        assert path.read_bytes() == b""
        room.append(True)
        await stage.until(lambda: stage.depth() == 0)
    assert path.read_bytes() == b"one\n"


@pytest.mark.anyio
async def test_a_disk_that_hangs_takes_one_thread_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is tried meanwhile; threads that others need are left alone. It goes on once the disk does."""
    path, hanging, begun = tmp_path / "events.jsonl", threading.Event(), []
    fsync = os.fsync

    def hung(descriptor: int) -> None:
        begun.append(threading.current_thread())
        hanging.wait(10)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", hung)
    opened = receiver(path).opened(clock=SystemClock(), resolver=system_resolver, deadline_seconds=0.05)
    async with opened as carrier:
        assert [(await carrier.carry("msg_1", b"one\n")).problem for _ in range(3)] == ["timeout"] * 3
        assert len(begun) == 1
        hanging.set()
        for _ in range(500):
            await asyncio.sleep(0.01)
            if (await carrier.carry("msg_1", b"one\n")).is_delivered:
                break
    assert set(lines_in(tmp_path)) == {b"one"}


KILLED = """
import sys
from pathlib import Path
from webhooks.line_file import append
for number in range(1_000_000):
    append(Path(sys.argv[1]), b"%d %s\\n" % (number, b"x" * 3_000))
    print(number, flush=True)
"""


def test_what_counts_as_written_outlives_its_writer(tmp_path: Path) -> None:
    """Killed at a random moment, it leaves whole lines: all that it called written, and one more at most."""
    path = tmp_path / "events.jsonl"
    command = [sys.executable, "-c", KILLED, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(50):
            writer.stdout.readline()
        writer.kill()
        said = 50 + len(writer.stdout.read().splitlines())
    append(path, b"after\n")
    *lines, last = path.read_bytes().splitlines()
    assert last == b"after"
    assert [int(line.split()[0]) for line in lines] == list(range(len(lines)))
    assert {len(line.split()[1]) for line in lines} == {3_000}
    assert said <= len(lines) <= said + 1
