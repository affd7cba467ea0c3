"""A registry at an address that fsspec opens, such as s3://bucket/models; `memory://` is one inside a process.

fsspec's errors are of many kinds: what is neither "there is none" nor "there is one" is told as `PlaceAway`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any, Final

from fsspec.core import url_to_fs

from risk_scorer.adapters.private_copies import IN_MEMORY_BYTES, content_of
from risk_scorer.adapters.registry_places import ChangedMeanwhile, PlaceAway
from risk_scorer.core.signatures import BadArtefact

S3_CALLS: Final = {"connect_timeout": 3, "read_timeout": 10, "retries": {"max_attempts": 2}}
"""The answers of a registry are waited for off the event loop, and still no look may take minutes."""
_writing = Lock()


class RemotePlace:
    """Files at such an address. What is read is not kept: another reader may have written since."""

    def __init__(self, address: str) -> None:
        """Raises: ImportError without the file system's package, ValueError for an address that nothing opens."""
        options: dict[str, Any] = {"use_listings_cache": False}
        if address.startswith(("s3://", "s3a://")):
            options["config_kwargs"] = S3_CALLS
        self._files, self._root = url_to_fs(address, **options)

    def read(self, path: str, *, most_bytes: int) -> bytes:
        """As `registry_places.Place` says."""
        at = self._at(path)
        with _answering():
            found = self._files.info(at)
            if found["type"] != "file":
                raise BadArtefact("not_a_file", f"{PurePosixPath(path).name} is not a file")
            if found["size"] > IN_MEMORY_BYTES:
                with self._files.open(at, "rb") as file:
                    return content_of(file, PurePosixPath(path).name, most_bytes=most_bytes)
            if found["size"] == 0:
                return b""  # S3 knows no range of nothing
            content: bytes = self._files.cat_file(at, start=0, end=min(found["size"], most_bytes) + 1)
        if len(content) > most_bytes:
            raise BadArtefact("too_large", f"{PurePosixPath(path).name} is larger than {most_bytes} bytes")
        return content

    def names(self, folder: str) -> list[str]:
        """As `registry_places.Place` says."""
        return [name for name, _ in self.state(folder)]

    def state(self, folder: str) -> tuple[tuple[str, str], ...]:
        """As `registry_places.Place` says."""
        with _answering():
            try:
                listed = self._files.ls(self._at(folder), detail=True, refresh=True)
            except FileNotFoundError:
                return ()
        found = [
            (PurePosixPath(each["name"]).name, f"{each.get('ETag') or each.get('created')} {each['size']}")
            for each in listed
        ]
        return tuple(sorted(each for each in found if not each[0].startswith(".")))

    def create(self, path: str, content: bytes) -> None:
        """As `registry_places.Place` says."""
        with _answering(), _writing:
            self._files.pipe_file(self._at(path), content, mode="create")

    def copy_in(self, path: str, source: Path) -> None:
        """As `registry_places.Place` says."""
        with _answering(), _writing:
            self._files.put_file(str(source), self._at(path), mode="create")

    def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
        """As `registry_places.Place` says; the condition is the store's own where it is S3."""
        at = self._at(path)
        with _answering(), _writing:
            tag = self._tag(at)
            found = None if tag is None else self._files.cat_file(at)
            if found != expected:
                raise ChangedMeanwhile(path)
            if found is None:
                self._first(at, content)
            elif hasattr(self._files, "call_s3"):
                self._put_if_unchanged(at, content, tag=tag)
            else:
                self._files.pipe_file(at, content)

    def _tag(self, at: str) -> str | None:
        try:
            return str(self._files.info(at, refresh=True).get("ETag"))
        except FileNotFoundError:
            return None

    def _first(self, at: str, content: bytes) -> None:
        try:
            self._files.pipe_file(at, content, mode="create")
        except FileExistsError as error:
            raise ChangedMeanwhile(at) from error

    def _put_if_unchanged(self, at: str, content: bytes, *, tag: str | None) -> None:
        """The tag was read before the content that was compared, so that nobody writes in between."""
        bucket, key, _ = self._files.split_path(at)
        try:
            self._files.call_s3("put_object", Bucket=bucket, Key=key, Body=content, IfMatch=tag)
        except Exception as error:
            if "PreconditionFailed" in repr(error) or "pre-condition" in str(error).lower():
                raise ChangedMeanwhile(at) from error
            raise

    def _at(self, path: str) -> str:
        if ".." in PurePosixPath(path).parts or path.startswith("/"):
            raise ValueError(f"{path} does not lie in the registry")
        return f"{self._root.rstrip('/')}/{path}"


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, FileExistsError, ChangedMeanwhile, BadArtefact, PlaceAway):
        raise
    except Exception as error:
        # botocore, aiohttp and others each have kinds of their own, which need not be OSErrors.
        raise PlaceAway(None, type(error).__name__) from error
