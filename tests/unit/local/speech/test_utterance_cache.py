import dataclasses
import os
from pathlib import Path

from local.speech.ports import Utterance, WordTiming
from local.speech.utterance_cache import UtteranceCache, VoiceSettings

SETTINGS = VoiceSettings("engine", recipe=1, speed=1.0, pitch=1.0, volume=0.4)
HELLO = Utterance("Hola.", b"\x01" * 160, (WordTiming("Hola.", 15),))


def test_what_was_stored_comes_back_from_memory_and_from_the_folder(tmp_path: Path) -> None:
    first = UtteranceCache(tmp_path)
    first.store("Hola.", SETTINGS, HELLO)
    second = UtteranceCache(tmp_path)
    assert first.recall("Hola.", SETTINGS) == HELLO
    assert second.recall("Hola.", SETTINGS) is None
    assert second.load("Hola.", SETTINGS) == HELLO
    assert second.recall("Hola.", SETTINGS) == HELLO


def test_another_voice_or_recipe_is_another_utterance(tmp_path: Path) -> None:
    cache = UtteranceCache(tmp_path)
    cache.store("Hola.", SETTINGS, HELLO)
    for other in (
        dataclasses.replace(SETTINGS, pitch=0.75),
        dataclasses.replace(SETTINGS, recipe=2),
    ):
        assert cache.recall("Hola.", other) is None
        assert cache.load("Hola.", other) is None


def test_a_damaged_file_counts_as_absent(tmp_path: Path) -> None:
    UtteranceCache(tmp_path).store("Hola.", SETTINGS, HELLO)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for damaged in (b"", whole[:20], b"\xff" * 40, whole[:8] + b"{" * (len(whole) - 8)):
        file.write_bytes(damaged)
        assert UtteranceCache(tmp_path).load("Hola.", SETTINGS) is None


def test_without_a_folder_only_memory_remembers() -> None:
    cache = UtteranceCache(None)
    assert cache.load("Hola.", SETTINGS) is None
    cache.store("Hola.", SETTINGS, HELLO)
    assert cache.recall("Hola.", SETTINGS) == HELLO


def test_memory_forgets_what_was_not_used_for_longest() -> None:
    cache = UtteranceCache(None, memory_bytes_max=320)
    for text in ("uno", "dos"):
        cache.store(text, SETTINGS, dataclasses.replace(HELLO, text=text))
    cache.recall("uno", SETTINGS)
    cache.store("tres", SETTINGS, dataclasses.replace(HELLO, text="tres"))
    assert cache.recall("uno", SETTINGS) is not None
    assert cache.recall("dos", SETTINGS) is None


def test_the_folder_is_pruned_to_the_youngest_files(tmp_path: Path) -> None:
    cache = UtteranceCache(tmp_path)
    for age_s, text in enumerate(("nuevo", "medio", "viejo")):
        before = set(tmp_path.iterdir())
        cache.store(text, SETTINGS, HELLO)
        (written,) = set(tmp_path.iterdir()) - before
        os.utime(written, (1_000_000 - age_s, 1_000_000 - age_s))
    pruned = UtteranceCache(tmp_path, files_max=2)
    assert pruned.load("viejo", SETTINGS) is None
    assert pruned.load("medio", SETTINGS) is not None
    assert pruned.load("nuevo", SETTINGS) is not None
