"""A registry with small models, written by the training's own code."""

import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from risk_scorer.adapters.model_registry import ModelRegistry, pointer_path
from risk_scorer.adapters.registry_places import FolderPlace
from risk_scorer.core.history import UserHistory
from risk_scorer.core.manifest import decode
from risk_scorer.core.registry import encode
from tests.integration.risk_scorer.published import KEY, PUBLIC_KEY, model_files
from training.registry.journal import Act, told

NOW = 1_760_000_000.0


@dataclass
class Registered:
    """A registry in a folder."""

    root: Path
    registry: ModelRegistry = field(init=False)

    def __post_init__(self) -> None:
        self.registry = ModelRegistry(FolderPlace(self.root), [PUBLIC_KEY])

    @staticmethod
    def public_key() -> str:
        return base64.b64encode(PUBLIC_KEY).decode()

    def add(self, seed: int, histories: dict[str, UserHistory] | None = None) -> str:
        """One more version; its name."""
        files = model_files(histories, seed)
        name = decode(files["manifest.json"]).model_version
        folder = self.root / "versions" / name
        folder.mkdir(parents=True)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        return name

    def point(self, version: str, pointer: Any = "active") -> bytes:
        """Moves a pointer; its bytes."""
        act = Act(kind="promote", model_version=version, at=NOW, by="tests", moves=pointer)
        entry = told(self.registry, act, KEY, journal=self.registry.journal())
        assert entry.pointer is not None
        return encode(entry.pointer)

    def put_pointer(self, content: bytes, pointer: Any = "active") -> None:
        """These bytes where the pointer is."""
        (self.root / pointer_path(pointer)).write_bytes(content)

    def pointer(self, pointer: Any = "active") -> dict[str, Any]:
        """The pointer as it stands there."""
        found: dict[str, Any] = msgspec.json.decode((self.root / pointer_path(pointer)).read_bytes())
        return found
