"""A function's result as an HTTP answer, by the rules of payload format 2.0.

InvalidAnswer   the result is none that API Gateway can send; the caller gets 500
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any


class InvalidAnswer(Exception):
    """The function answered what API Gateway cannot send."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def message(status: int, text: str) -> HttpAnswer:
    """What API Gateway itself says."""
    body = json.dumps({"message": text}, separators=(",", ":")).encode()
    return HttpAnswer(status, (("content-type", "application/json"),), body)


def answer_of(result: Any) -> HttpAnswer:
    """The answer in a function's result; raises InvalidAnswer. A result without a status is the body of a 200."""
    if not isinstance(result, dict) or "statusCode" not in result:
        text = result if isinstance(result, str) else json.dumps(result, separators=(",", ":"))
        return HttpAnswer(200, (("content-type", "application/json"),), text.encode())
    headers = _headers(result.get("headers") or {})
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain;charset=UTF-8"))
    cookies = result.get("cookies") or []
    if not isinstance(cookies, list) or not all(isinstance(c, str) for c in cookies):
        raise InvalidAnswer("cookies must be a list of strings")
    headers += [("set-cookie", cookie) for cookie in cookies]
    return HttpAnswer(_status(result["statusCode"]), tuple(headers), _body(result))


def _status(value: Any) -> int:
    number = int(value) if isinstance(value, str) and value.isdigit() else value
    if isinstance(number, bool) or not isinstance(number, int) or not 200 <= number <= 599:
        raise InvalidAnswer("statusCode must be a number from 200 to 599")
    return number


def _headers(given: Any) -> list[tuple[str, str]]:
    if not isinstance(given, dict):
        raise InvalidAnswer("headers must be an object")
    headers = []
    for name, value in given.items():
        if isinstance(value, dict | list) or value is None:
            raise InvalidAnswer("a header must be a string")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if any(sign in text + str(name) for sign in "\r\n\0"):
            raise InvalidAnswer("a header must be one line")
        # The server writes its own length and closes when it must.
        if name.lower() not in ("content-length", "connection", "transfer-encoding"):
            headers.append((str(name).lower(), text))
    return headers


def _body(result: dict[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise InvalidAnswer("body must be a string")
    if not result.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise InvalidAnswer("body is no base64") from error
