"""Refusals of the REST door."""

from __future__ import annotations


class Refused(Exception):
    """An error answer with Twilio's code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def not_found() -> Refused:
    return Refused(404, 20404, "The requested resource was not found")


def not_in_progress() -> Refused:
    return Refused(400, 21220, "Call is not in-progress. Cannot redirect.")
