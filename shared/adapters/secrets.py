"""Secrets from Secrets Manager, kept for five minutes: a rotation reaches a warm process within that time."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEEP_S = 300.0


class Secrets:
    """JSON secrets by id."""

    def __init__(self, client: SecretsManagerClient) -> None:
        self._client = client
        self._kept: dict[str, tuple[float, dict[str, str]]] = {}

    def json(self, secret_id: str, fresh: bool = False) -> dict[str, str]:
        """The secret's fields; `fresh` asks the store even if a kept copy is young (after a refused key)."""
        kept = self._kept.get(secret_id)
        if kept is not None and not fresh and time.monotonic() - kept[0] < KEEP_S:
            return kept[1]
        text = self._client.get_secret_value(SecretId=secret_id)["SecretString"]
        fields: dict[str, str] = json.loads(text)
        self._kept[secret_id] = (time.monotonic(), fields)
        return fields


def auth_tokens(twilio: dict[str, str]) -> tuple[str, ...]:
    """The carrier's tokens that may sign: two while one is being rotated."""
    tokens = (twilio["auth_token"], twilio.get("auth_token_secondary", ""))
    return tuple(token for token in tokens if token)


def token_secrets(signing: dict[str, str]) -> tuple[bytes, ...]:
    """The keys that may have signed a stream token, the present one first."""
    keys = (signing["stream_token"], signing.get("stream_token_previous", ""))
    return tuple(key.encode() for key in keys if key)
