import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from local.speech import whisper_weights
from local.speech.errors import WeightsUnusable
from local.speech.whisper_weights import joined_weights

HALVES = (b"first half, ", b"second half")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Two small data packages in place of the 145 MB; only their names and the sum are replaced."""
    names = ("tiny_weights_part1", "tiny_weights_part2")
    for index, name in enumerate(names):
        data = tmp_path / "site" / name / "data"
        data.mkdir(parents=True)
        (data.parent / "__init__.py").touch()
        (data / f"model.bin.part{index + 1}").write_bytes(HALVES[index])
    for side_file in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (tmp_path / "site" / names[0] / "data" / side_file).write_text(side_file)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr(whisper_weights, "_PACKAGES", names)

    def expecting(content: str) -> Path:
        digest = hashlib.sha256(content.encode()).hexdigest()
        monkeypatch.setattr(whisper_weights, "MODEL_SHA256", digest)
        return tmp_path / "state"

    return expecting


def test_the_halves_are_joined_once(packages: Callable[[str], Path]) -> None:
    folder = joined_weights(packages("first half, second half"))
    model = folder / "model.bin"
    assert model.read_bytes() == b"".join(HALVES)
    assert sorted(each.name for each in folder.iterdir()) == [
        "config.json",
        "model.bin",
        "tokenizer.json",
        "vocabulary.txt",
    ]
    written_ns = model.stat().st_mtime_ns
    joined_weights(folder.parent)
    assert model.stat().st_mtime_ns == written_ns


def test_a_damaged_file_is_joined_again(packages: Callable[[str], Path]) -> None:
    folder = joined_weights(packages("first half, second half"))
    (folder / "model.bin").write_bytes(b"damaged")
    assert (joined_weights(folder.parent) / "model.bin").read_bytes() == b"".join(HALVES)


def test_other_weights_than_the_measured_ones_are_refused(packages: Callable[[str], Path]) -> None:
    state = packages("what was measured")
    with pytest.raises(WeightsUnusable, match="reinstall"):
        joined_weights(state)
    assert not list(state.rglob("model.bin"))


def test_missing_packages_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whisper_weights, "_PACKAGES", ("not_there_1", "not_there_2"))
    with pytest.raises(WeightsUnusable, match=r"requirements/local\.txt"):
        joined_weights(tmp_path)
