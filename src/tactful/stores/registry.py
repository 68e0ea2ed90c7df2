"""Models on disk: a folder a version, arrays as .npy (memory-mapped, so that workers share them), a manifest in JSON."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tactful.domain.errors import NoModel
from tactful.ports import Model


class Registry:
    """folder/NAME/VERSION/{manifest.json, ARRAY.npy} and folder/current.json. A version is a hash of its content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._current = folder / "current.json"

    def save(self, model: Model) -> str:
        """Keep a model and make it current, in one rename: a reader sees the old one or the new one."""
        version = _version(model)
        place = self.folder / model.name / version
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=place.parent, prefix=".draft-"))
            try:
                for name, array in model.arrays.items():
                    np.save(draft / f"{name}.npy", array, allow_pickle=False)
                (draft / "manifest.json").write_text(
                    json.dumps(model.manifest, indent=1, sort_keys=True), encoding="utf-8"
                )
                draft.rename(place)
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
        self._point({**self.current(), model.name: version})
        return version

    def current(self) -> dict[str, str]:
        """The current versions; none before the first training."""
        try:
            found: dict[str, str] = json.loads(self._current.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return found

    def load(self, name: str, version: str) -> Model:
        """A model. Raises NoModel."""
        place = self.folder / name / version
        if not place.is_dir():
            raise NoModel(name=name, where=self.folder)
        # Mapped, but seen as plain arrays: slicing a np.memmap costs ten times as much as slicing an array.
        arrays: dict[str, Any] = {
            path.stem: np.load(path, mmap_mode="r").view(np.ndarray) for path in sorted(place.glob("*.npy"))
        }
        manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
        return Model(name, arrays, manifest, version)

    def _point(self, versions: dict[str, str]) -> None:
        draft = self._current.with_suffix(".draft")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(versions, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._current)


def _version(model: Model) -> str:
    content = hashlib.blake2b(json.dumps(model.manifest, sort_keys=True).encode(), digest_size=8)
    for name in sorted(model.arrays):
        array = np.ascontiguousarray(model.arrays[name])
        content.update(f"{name} {array.dtype} {array.shape}".encode())
        content.update(array.tobytes())
    return content.hexdigest()
