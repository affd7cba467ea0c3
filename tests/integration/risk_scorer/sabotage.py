"""More than a hundred ways to damage or forge what stands in a registry, each of which a scorer must survive.

Each takes a registry in which a good version is active, and leaves another one active that must not be loaded.
"""

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from risk_scorer.core import manifest as declaration
from risk_scorer.core.artefact import ENCODERS, HISTORIES, MANIFEST, SIGNATURE, version_of
from risk_scorer.core.encoders import Encoders
from risk_scorer.core.encoders import encode as encode_counts
from risk_scorer.core.registry import Pointer, encode
from tests.integration.risk_scorer.published import KEY, model_files
from tests.integration.risk_scorer.registered import Registered
from training.publish import signature
from training.registry.sealing import sealed_pointer

STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
EVIL = b"cos\nsystem\n(S'touch %s'\ntR."
SEED = 2

Files = dict[str, bytes]


class Damage(NamedTuple):
    """A name, what does it, and the code by which it is told (None: any)."""

    name: str
    do: Callable[[Registered], None]
    code: str | None = None


def damages() -> list[Damage]:
    """All of them, always in the same order."""
    return [*_files(), *_kinds_of_file(), *_signed_nonsense(), *_forged(), *_pointers()]


def signed_again(model: Files, changed: Files | None = None, *, key: Any = KEY, **changes: Any) -> Files:
    """A model with these files and these fields of the manifest, hashed and signed as if they were right."""
    found = {**model, **(changed or {})}
    manifest = declaration.decode(model[MANIFEST])
    digests = {name: hashlib.sha256(found[name]).hexdigest() for name in manifest.files if name in found}
    manifest = msgspec.structs.replace(manifest, **{"files": digests, **changes})
    found[MANIFEST] = declaration.encode(msgspec.structs.replace(manifest, model_version=version_of(manifest)))
    found[SIGNATURE] = signature(found[MANIFEST], key)
    return found


def _files() -> Iterator[Damage]:
    """A bit here, the rest gone there, for every file of a version."""
    known = {MANIFEST: "bad_signature", SIGNATURE: None}
    for name in sorted(model_files(seed=SEED)):
        code = known.get(name, "hash_mismatch")
        for where, share in (("first", 0.0), ("middle", 0.5), ("last", 1.0)):
            yield Damage(f"{name}: the {where} bit flipped", _changed(name, _flipped(share)), code)
        yield Damage(f"{name}: cut in half", _changed(name, lambda content: content[: len(content) // 2]), code)
        yield Damage(f"{name}: empty", _changed(name, lambda _: b""), code)
        yield Damage(f"{name}: longer", _changed(name, lambda content: content + b"\0"), code)
        yield Damage(f"{name}: gone", _gone(name))


def _flipped(share: float) -> Callable[[bytes], bytes]:
    def flip(content: bytes) -> bytes:
        found = bytearray(content)
        found[int(share * (len(found) - 1))] ^= 1
        return bytes(found)

    return flip


def _changed(name: str, change: Callable[[bytes], bytes]) -> Callable[[Registered], None]:
    def do(registered: Registered) -> None:
        version = registered.add(SEED)
        path = registered.root / "versions" / version / name
        path.write_bytes(change(path.read_bytes()))
        registered.point(version)

    return do


def _gone(name: str) -> Callable[[Registered], None]:
    def do(registered: Registered) -> None:
        version = registered.add(SEED)
        (registered.root / "versions" / version / name).unlink()
        registered.point(version)

    return do


def _kinds_of_file() -> Iterator[Damage]:
    """What is no file of its own where one should be."""

    def instead(name: str, make: Callable[[Any], None]) -> Callable[[Registered], None]:
        def do(registered: Registered) -> None:
            version = registered.add(SEED)
            path = registered.root / "versions" / version / name
            path.rename(registered.root / "aside")
            make(path)
            registered.point(version)

        return do

    for name in (ENCODERS, MANIFEST):
        yield Damage(f"{name}: a link to itself", instead(name, lambda at: at.symlink_to(at)), "not_a_file")
        yield Damage(
            f"{name}: a link out of the registry", instead(name, lambda at: at.symlink_to("../../aside")), "not_a_file"
        )
        yield Damage(
            f"{name}: a link to endless zeros", instead(name, lambda at: at.symlink_to("/dev/zero")), "not_a_file"
        )
        yield Damage(f"{name}: a pipe that nobody writes to", instead(name, os.mkfifo), "not_a_file")
        yield Damage(f"{name}: a folder", instead(name, lambda at: at.mkdir()), "not_a_file")
        yield Damage(f"{name}: huge", instead(name, _huge), "too_large")


def _huge(path: Any) -> None:
    with path.open("wb") as file:
        file.truncate(3 * 1024**3)  # a hole: it takes no room


def _signed_nonsense() -> Iterator[Damage]:
    """Signed by a trusted key, hashes right, and still nothing to score with."""
    files = model_files(seed=SEED)

    def made(name: str, code: str | None, changed: Files | None = None, **changes: Any) -> Damage:
        return Damage(f"signed: {name}", _put(signed_again(files, changed, **changes)), code)

    def npy(value: Any, **options: Any) -> bytes:
        out = io.BytesIO()
        np.save(out, value, **options)
        return out.getvalue()

    both = ("hour", "day_of_week")
    yield made("features in another order", "unknown_features", features=both[::-1])
    yield made("a feature that nobody computes", "unknown_features", features=("hour", "moon_phase"))
    yield made("no features", "unknown_features", features=())
    yield made("the same feature twice", "unknown_features", features=("hour", "hour"))
    other = encode_counts(Encoders(total=11, user={"alice": 11}))
    yield made("encoders of another log", "bad_encoders", {ENCODERS: other})
    yield made("encoders that count nobody", "bad_encoders", {ENCODERS: b'{"total": 10, "user": {"a": 0}}'})
    yield made("encoders nested without end", None, {ENCODERS: b'{"total":10,"user":' + b"[" * 100_000})
    nan, no_end = float("nan"), float("inf")
    yield made("a path that is no number", "bad_forest", {"forest_path.npy": npy(np.array([nan]))})
    yield made("a threshold that is no number", "bad_forest", {"forest_threshold.npy": npy(np.float32([nan]))})
    yield made("a leaf that is no number", "bad_pairs", {"pairs_value.npy": npy(np.array([nan]))})
    yield made("a leaf without end", "bad_pairs", {"pairs_value.npy": npy(np.array([no_end]))})
    yield made("a leaf beyond evidence", "bad_pairs", {"pairs_value.npy": npy(np.array([101.0]))})
    yield made("a child outside of its tree", "bad_forest", {"forest_child.npy": npy(np.int32([7]))})
    yield made("a root outside of its nodes", "bad_pairs", {"pairs_root.npy": npy(np.int32([0, 9]))})
    yield made("an array of another kind", "bad_array", {"forest_child.npy": npy(np.int64([0]))})
    yield made("an array of another shape", "bad_array", {"forest_child.npy": npy(np.int32([[0]]))})
    thing = npy(np.array([{"a": 1}], dtype=object), allow_pickle=True)
    yield made("an array of Python objects", "bad_array", {"forest_path.npy": thing})
    yield made("a pickle for an array", "bad_array", {"forest_path.npy": EVIL % b"/nowhere"})
    header = b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,), }"
    yield made("an array that says it is endless", "bad_array", {"forest_path.npy": header.ljust(127) + b"\n"})
    yield made("histories that are no map", "bad_histories", {HISTORIES: b"\x93\x01\x02\x03"})
    yield made("a format of tomorrow", "unknown_format", format="riskgate-model/99")
    yield made("a scale that falls", "bad_manifest", score_map=((0.0, 60.0), (1.0, 40.0)))
    yield made("a scale beyond 100", "bad_manifest", score_map=((0.0, 10.0), (1.0, 100.0)))
    yield made(
        "hours that are no shares",
        "bad_manifest",
        hours=declaration.HourNumbers(profile=(0.5,) * 24, strength=1.0, weight=0.0),
    )
    yield made("levels that nobody knows", "bad_manifest", likelihood={})
    yield made("rules that nobody knows", "bad_manifest", rules={})
    yield made("a file that the manifest leaves out", "missing_file", files={})
    manifest = declaration.decode(files[MANIFEST])
    for path in ("../../../etc/passwd", "/etc/passwd", "a/b", "..", ".hidden", "a\0b", "a\\b", "C:evil", ""):
        listed = {**manifest.files, path: "0" * 64}
        yield made(f"a file named {path!r}", "bad_manifest", files=listed)


def _put(files: Files) -> Callable[[Registered], None]:
    def do(registered: Registered) -> None:
        version = declaration.decode(files[MANIFEST]).model_version
        folder = registered.root / "versions" / version
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        registered.point(version)

    return do


def _forged() -> Iterator[Damage]:
    """Signed by nobody whom the scorer trusts, or by somebody for something else."""
    files = model_files(seed=SEED)
    yield Damage("signed by another key", _put(signed_again(files, key=STRANGER)), "untrusted_key")
    borrowed = msgspec.json.decode(signature(files[MANIFEST], STRANGER))
    borrowed["key_id"] = msgspec.json.decode(files[SIGNATURE])["key_id"]
    yield Damage(
        "another key under the trusted one's name",
        _put({**files, SIGNATURE: msgspec.json.encode(borrowed)}),
        "bad_signature",
    )
    yield Damage(
        "the signature of another version", _put({**files, SIGNATURE: model_files()[SIGNATURE]}), "bad_signature"
    )
    loose = {**msgspec.json.decode(files[SIGNATURE]), "algorithm": "none"}
    yield Damage("an algorithm called none", _put({**files, SIGNATURE: msgspec.json.encode(loose)}), "untrusted_key")

    def another_version(registered: Registered) -> None:
        version = registered.add(SEED)
        (registered.root / "versions" / version).rename(registered.root / "aside")
        other = registered.add(SEED + 1)
        (registered.root / "versions" / other).rename(registered.root / "versions" / version)
        registered.point(version)

    yield Damage("a good version where another should be", another_version, "wrong_version")


def _pointers() -> Iterator[Damage]:
    """The pointer itself."""

    def pointed(change: Callable[[bytes], bytes]) -> Callable[[Registered], None]:
        def do(registered: Registered) -> None:
            registered.put_pointer(change(registered.point(registered.add(SEED))))

        return do

    def with_fields(**changes: Any) -> Callable[[bytes], bytes]:
        return lambda stored: msgspec.json.encode({**msgspec.json.decode(stored), **changes})

    def by_stranger(stored: bytes) -> bytes:
        return encode(sealed_pointer(msgspec.json.decode(stored, type=Pointer), STRANGER))

    yield Damage("pointer: by another key", pointed(by_stranger), "untrusted_key")
    yield Damage("pointer: unsigned", pointed(with_fields(signature=None)), "bad_pointer")
    yield Damage("pointer: a later number by hand", pointed(with_fields(sequence=10**6)), "bad_signature")
    yield Damage("pointer: another reason", pointed(with_fields(reason="better")), "bad_signature")
    yield Damage("pointer: a path for a version", pointed(with_fields(model_version="../../../tmp")), "bad_pointer")
    yield Damage("pointer: a line more", pointed(with_fields(model_version="0123456789ab\n")), "bad_pointer")
    yield Damage("pointer: a field more", pointed(with_fields(also=1)), "bad_pointer")
    yield Damage("pointer: empty", pointed(lambda _: b""), "bad_pointer")
    yield Damage("pointer: half of it", pointed(lambda stored: stored[: len(stored) // 2]), "bad_pointer")
    yield Damage("pointer: nested without end", pointed(lambda _: b"[" * 60_000), "bad_pointer")
    yield Damage("pointer: huge", pointed(lambda stored: stored + b" " * 70_000), "too_large")
    yield Damage("pointer: no text", pointed(lambda _: b"\xff\xfe\x00"), "bad_pointer")
    yield Damage("pointer: an older one put back", _replayed, "pointer_replayed")
    yield Damage("pointer: the shadow's", _shadows, "bad_pointer")

    def missing(registered: Registered) -> None:
        registered.point("0" * 12)

    yield Damage("pointer: to a version that is not there", missing, "version_missing")


def _replayed(registered: Registered) -> None:
    """What named another version before the good one was pointed at."""
    good = registered.pointer()
    old = {**good, "sequence": 1, "model_version": registered.add(SEED)}
    sealed = sealed_pointer(msgspec.convert(old, Pointer), KEY)
    registered.put_pointer(encode(sealed))


def _shadows(registered: Registered) -> None:
    registered.put_pointer(registered.point(registered.add(SEED), pointer="shadow"))
