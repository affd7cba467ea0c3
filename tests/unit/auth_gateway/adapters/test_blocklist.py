"""Lists of passwords that others guess first."""

import hashlib
from pathlib import Path

import pytest

from auth_gateway.adapters.blocklist import BadBlocklist, Blocklists, BreachedPasswords, CommonPasswords


def digest(password: str) -> str:
    """As published lists have it."""
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def listed(folder: Path, *passwords: str, ending: str = "\n", counted: bool = True) -> Path:
    """A file of those passwords."""
    lines = sorted(digest(password) for password in passwords)
    text = "".join(
        f"{line}:{number + 1}{ending}" if counted else f"{line}{ending}" for number, line in enumerate(lines)
    )
    file = folder / "breached.txt"
    file.write_bytes(text.encode())
    return file


@pytest.mark.parametrize("password", ["password", "PassWord", "qwertyuiop", "letmein"])
def test_common_passwords_are_known(password: str) -> None:
    """With letters of any case."""
    assert CommonPasswords().holds(password)


def test_an_uncommon_password_is_not_listed() -> None:
    assert not CommonPasswords().holds("tidal-amber-cactus-97")


@pytest.mark.parametrize("count", [1, 2, 3, 17, 1000])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("counted", [True, False])
def test_every_line_of_the_file_is_found(tmp_path: Path, count: int, ending: str, counted: bool) -> None:
    """The first, the last and all between, and nothing else."""
    passwords = [f"secret {number}" for number in range(count)]
    with BreachedPasswords(listed(tmp_path, *passwords, ending=ending, counted=counted)) as breached:
        assert all(breached.holds(password) for password in passwords)
        assert not any(breached.holds(f"another {number}") for number in range(200))


def test_a_file_may_end_without_a_line_end_and_have_small_letters(tmp_path: Path) -> None:
    file = tmp_path / "breached.txt"
    file.write_text("\n".join(sorted(digest(each).lower() for each in ("a", "b", "c"))))
    with BreachedPasswords(file) as breached:
        assert all(breached.holds(each) for each in ("a", "b", "c"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"password\n",
        b"\x00" * 4096,
        (digest("a") + "\n").encode() + b"junk\n",
        "\n".join(sorted((digest(str(number)) for number in range(100)), reverse=True)).encode(),
        "".join(digest(str(number)) for number in range(100)).encode(),
    ],
    ids=["empty", "words", "binary", "junk", "descending", "one line"],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    """A list that finds nothing would be worse than none."""
    file = tmp_path / "breached.txt"
    file.write_bytes(content)
    with pytest.raises(BadBlocklist):
        BreachedPasswords(file)


def test_several_lists_are_one(tmp_path: Path) -> None:
    with BreachedPasswords(listed(tmp_path, "tidal-amber-cactus-97")) as breached:
        lists = Blocklists(CommonPasswords(), breached)
        assert lists.holds("password")
        assert lists.holds("tidal-amber-cactus-97")
        assert not lists.holds("tidal-amber-cactus-98")
