"""Kept sounds in S3: spoken once, played to everybody. One object for each text, voice and model."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.adapters.codec import from_json, to_json
from shared.domain.agent import Agent
from shared.domain.errors import NotFound
from shared.domain.opening_clip import Clause, OpeningClip

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class _StoredClip:
    v: int
    text: str
    sound: str
    clauses: tuple[Clause, ...]


class OpeningClips:
    """The spoken fixed parts of openings, under `openings/` of the sounds bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def get(self, agent: Agent) -> OpeningClip:
        """Raises NotFound where this agent's opening was never spoken."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=clip_key(agent))
        except self._client.exceptions.NoSuchKey as error:
            raise NotFound("this agent's opening has no sound yet: approve the opening") from error
        stored = from_json(_StoredClip, answer["Body"].read())
        return OpeningClip(stored.text, base64.b64decode(stored.sound), stored.clauses)

    def put(self, agent: Agent, clip: OpeningClip) -> None:
        """Keep a clip; the same key always holds the same words."""
        stored = _StoredClip(1, clip.text, base64.b64encode(clip.sound).decode(), clip.clauses)
        self._client.put_object(
            Bucket=self._bucket,
            Key=clip_key(agent),
            Body=to_json(stored).encode(),
            ContentType="application/json",
        )


def clip_key(agent: Agent) -> str:
    """Text, voice and model decide the sound; nothing else does."""
    what = "\n".join((agent.opening.text, agent.voice, agent.model))
    return f"openings/{hashlib.sha256(what.encode()).hexdigest()}.json"
