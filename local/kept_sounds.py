"""The openings that earlier twins had spoken: one that was spoken yesterday need not be spoken again.

The product looks into its bucket before it speaks. This fills the bucket of a new twin, and remembers the words' times,
so that the callee's ear knows a kept opening as it knows what was made in this run.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from local.cloud.state import PROJECT, fingerprint, kept_folder
from local.speech.ports import Utterance, WordTiming

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PREFIX = "openings/"
_FILES_MAX = 50
# What decides how a sound is made, where its clauses are found and how both are written down.
_MAKERS = (
    *("shared/domain/opening_clip.py", "shared/domain/pauses.py", "shared/adapters/sounds.py"),
    *("shared/adapters/opening_studio.py", "shared/agents/opening.py"),
    *("local/speech", "local/realtime", "local/kept_sounds.py"),
)


class KeptSounds:
    """Of one mind: the script's voice is not the model's. `openings` are those that were brought back."""

    def __init__(self, client: S3Client, bucket: str, mind: str) -> None:
        self._client = client
        self._bucket = bucket
        made_by = fingerprint(*(PROJECT / maker for maker in _MAKERS))
        self._folder = kept_folder("sounds") / f"{mind}-{made_by}"
        self._folder.mkdir(exist_ok=True)
        for other in self._folder.parent.glob(f"{mind}-*"):
            if other != self._folder:
                shutil.rmtree(other, ignore_errors=True)
        self.openings: tuple[Utterance, ...] = ()

    def restore(self) -> None:
        """Into the bucket, all that is kept. Blocking; raises ClientError."""
        kept = [json.loads(path.read_text()) for path in sorted(self._folder.glob("*.json"))]
        for sound in kept:
            self._client.put_object(
                Bucket=self._bucket,
                Key=f"{_PREFIX}{sound['name']}",
                Body=sound["clip"].encode(),
                ContentType="application/json",
            )
        self.openings = tuple(
            _utterance(json.loads(sound["clip"]), sound["words"]) for sound in kept
        )

    def keep(self, spoken: Iterable[Utterance]) -> None:
        """From the bucket, what is new; `spoken` knows the words' times. Blocking; raises ClientError."""
        words = {each.sound: each.words for each in spoken}
        listed = self._client.list_objects_v2(Bucket=self._bucket, Prefix=_PREFIX)
        for found in listed.get("Contents", ()):
            path = self._folder / Path(found["Key"]).name
            if path.exists() or len(list(self._folder.iterdir())) >= _FILES_MAX:
                continue
            answer = self._client.get_object(Bucket=self._bucket, Key=found["Key"])
            clip = answer["Body"].read().decode()
            timings = words.get(_sound(json.loads(clip)), ())
            kept = {
                "name": path.name,
                "clip": clip,
                "words": [[timing.word, timing.end_ms] for timing in timings],
            }
            _write(path, json.dumps(kept, ensure_ascii=False))


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(text)
    os.replace(file.name, path)


def _sound(clip: dict[str, str]) -> bytes:
    return base64.b64decode(clip["sound"])


def _utterance(clip: dict[str, str], words: Iterable[tuple[str, int]]) -> Utterance:
    return Utterance(clip["text"], _sound(clip), tuple(WordTiming(*timing) for timing in words))
