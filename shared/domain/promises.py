"""Which promises made in a call still stand after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from shared.domain.conversation import FollowUp, FollowUpKind
from shared.domain.outcome import SUPPRESSING, Analysis


def promises_after(
    follow_ups: Iterable[FollowUp], analysis: Analysis | None
) -> tuple[FollowUp, ...]:
    """The promises, those that nobody may keep marked as cancelled. After an objection, and where the number is not
    the business's any more, nobody calls or writes again; a privacy request is owed all the same."""
    ended = analysis is not None and (analysis.opt_out.requested or analysis.outcome in SUPPRESSING)
    return tuple(
        replace(promise, cancelled=True)
        if ended and promise.kind is not FollowUpKind.PRIVACY_REQUEST
        else promise
        for promise in follow_ups
    )
