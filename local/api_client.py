"""A small client of Sofia's own API, for the commands and tests. Blocking."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from dataclasses import dataclass
from typing import Any

from local.errors import NoTwin, TwinError

WITHIN_S = 40.0


class ApiError(TwinError):
    """The API refused; `status` and the problem's `body` say why."""

    def __init__(self, status: int, body: Any) -> None:
        detail = body.get("detail") or body.get("message") if isinstance(body, dict) else body
        super().__init__(f"HTTP {status}: {detail}")
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Api:
    """`url` is the API's origin, `key` a bearer key."""

    url: str
    key: str

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """The JSON answer; raises ApiError for anything but 2xx, NoTwin where nobody answers."""
        parts = urllib.parse.urlsplit(self.url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = kind(parts.netloc, timeout=WITHIN_S)
        try:
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body).encode(),
                headers={
                    "Authorization": f"Bearer {self.key}",
                    "Content-Type": "application/json",
                    **(headers or {}),
                },
            )
            response = connection.getresponse()
            text = response.read().decode()
        except TimeoutError as error:
            raise NoTwin(
                f"{self.url} did not answer within {WITHIN_S:g} s: look whether the twin still runs"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            # Refused, reset, an unknown host, an answer that is no HTTP.
            raise NoTwin(
                f"nothing answers at {self.url}; start the twin with ./sofia up"
            ) from error
        finally:
            connection.close()
        answer = _parsed(text)
        if not 200 <= response.status < 300:
            raise ApiError(response.status, answer)
        return answer


def _parsed(text: str) -> Any:
    """Answers that never reached the API (a proxy's, say) may be no JSON."""
    try:
        return json.loads(text) if text else {}
    except json.JSONDecodeError:
        return text.strip()
