"""How many calls the media service has room for, asked before dialling: a refused stream is a failed call."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

WITHIN_S = 1.0


class MediaCapacity:
    """`ready_url` is the service's `/readyz`; without one there is always room."""

    def __init__(self, ready_url: str | None) -> None:
        self._ready_url = ready_url

    def has_room(self) -> bool:
        """False where nobody answers: nobody would take the call either."""
        if self._ready_url is None:
            return True
        try:
            with urllib.request.urlopen(self._ready_url, timeout=WITHIN_S) as answer:
                return int(json.load(answer)["free_slots"]) > 0
        except (OSError, ValueError, KeyError, urllib.error.URLError):
            return False
