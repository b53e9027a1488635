"""The last words of a call: what was said right before the hang-up, and is understood only after it.

The machine is over by then. What the model still owes (the transcript of an utterance, the usage of a reply) is waited
for, put on record, and listened to for an objection, which counts whenever it was said.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from media_service.engine import events as ev
from media_service.engine.actions import CancelReply, Record
from media_service.engine.turns import TurnBook
from media_service.model.link import ModelLink
from shared.agents import opt_out
from shared.domain.journal import JournalBody

WITHIN_S = 2.0
# Names our commit, so that its refusal (there was nothing to commit) is known for what it is.
COMMIT = "last-words"
TOOL_CALL = "matcher-last"

# A tool's call id, name and arguments.
RunTool = Callable[[str, str, str], None]


class LastWords:
    """Sees every event of the model with `note`; from the hang-up on, `hear` is where they end."""

    def __init__(
        self, book: TurnBook, record: Callable[[JournalBody], None], run_tool: RunTool
    ) -> None:
        self._book = book
        self._record = record
        self._run_tool = run_tool
        self._speaking: str | None = None
        self._untold: set[str] = set()
        self._replies: set[str] = set()
        self._committing = False
        self._settled = asyncio.Event()
        # Committed by hand, an utterance gets another id than the detector gave it.
        self._known_as: dict[str, str] = {}

    def note(self, event: ev.Event) -> None:
        """Keep account of what the model owes."""
        match event:
            case ev.SpeechStarted(item_id):
                self._speaking = item_id
            case ev.Committed(item_id):
                if self._committing and self._speaking is not None:
                    self._known_as[item_id] = self._speaking
                self._untold.add(item_id)
                self._speaking, self._committing = None, False
            case ev.WordsHeard(item_id):
                self._untold.discard(item_id)
            case ev.ReplyStarted(response_id):
                self._replies.add(response_id)
            case ev.ReplyEnded(response_id):
                self._replies.discard(response_id)
            case ev.ModelRefused(_, request_id) if request_id == COMMIT:
                self._committing = False
            case ev.ModelReady() | ev.ModelLost() | ev.ModelUnavailable():
                self._forget()
            case _:
                return
        if not self._is_owed:
            self._settled.set()

    async def collect(self, link: ModelLink) -> None:
        """Ask for what is owed and wait a moment for it."""
        if self._speaking is not None:
            self._committing = link.commit(COMMIT)
        for response_id in self._replies:
            link.perform(CancelReply(response_id))
        if self._is_owed:
            self._settled.clear()
            try:
                async with asyncio.timeout(WITHIN_S):
                    await self._settled.wait()
            except TimeoutError:
                pass  # the call is over; what has not come by now is not waited for

    def hear(self, event: ev.Event, now_ms: float, opted_out: bool) -> None:
        """An event after the end. `opted_out`: an objection is on its way to the record already."""
        if isinstance(event, ev.ReplyEnded) and event.usage is not None:
            self._record(event.usage)
        if isinstance(event, ev.WordsHeard):
            if event.usage is not None:
                self._record(event.usage)
            self._words(self._known_as.get(event.item_id, event.item_id), event.text, now_ms)
            if not opted_out:
                self._listen_for_opt_out(event.text)

    @property
    def _is_owed(self) -> bool:
        return self._committing or bool(self._untold) or bool(self._replies)

    def _forget(self) -> None:
        self._speaking, self._committing = None, False
        self._untold.clear()
        self._replies.clear()

    def _words(self, item_id: str, text: str, now_ms: float) -> None:
        turn = self._book.callee(item_id)
        if turn is None:
            return
        if turn.ended_ms is None:
            self._book.callee_stopped(item_id, int(now_ms), now_ms)
        for action in self._book.callee_words(item_id, text):
            if isinstance(action, Record):
                self._record(action.body)

    def _listen_for_opt_out(self, text: str) -> None:
        found = opt_out.match(text)
        if found is None or found.kind is opt_out.OptOutKind.SOFT:
            return
        arguments = {"scope": found.scope, "quote": found.quote}
        self._run_tool(TOOL_CALL, "register_opt_out", json.dumps(arguments, ensure_ascii=False))
