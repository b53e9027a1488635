"""A phone line, a speech model and a clock for engine tests: no socket, no second passes.

The line plays what the machine sends at 8 bytes a millisecond, returns marks when the sound before them was played, and
keeps what the callee heard. The model answers each request with the next reply of the script.
"""

from __future__ import annotations

import heapq
import json
from collections import deque
from dataclasses import dataclass, field, replace

from media_service.engine import actions as ac
from media_service.engine import events as ev
from media_service.engine.machine import Machine
from media_service.engine.talk import CallPlan, GuidanceTexts
from shared.domain.agent import Duty, Limits, TurnTaking
from shared.domain.conversation import ToolStatus, Turn
from shared.domain.journal import Closed
from shared.domain.opening_clip import Clause, OpeningClip

BYTES_PER_MS = 8
DELTA_MS = 250
CLAUSES = (
    Clause(
        "Hola, soy Sofía, una asistente con inteligencia artificial,",
        0,
        3_000,
        0,
        3_000,
        (Duty.AI,),
    ),
    Clause(
        "y llamo de parte de Nubelia con fines comerciales.",
        3_000,
        6_000,
        3_000,
        6_000,
        (Duty.COMPANY, Duty.PURPOSE),
    ),
    Clause("La llamada se transcribe y,", 6_000, 7_600, 6_000, 7_600, (Duty.TRANSCRIPTION,)),
    Clause(
        "si prefiere que no le llamemos más, me lo dice y lo anoto.",
        7_600,
        10_000,
        7_600,
        10_000,
        (Duty.RIGHT_TO_OBJECT,),
    ),
)
CLIP = OpeningClip(" ".join(c.text for c in CLAUSES), bytes(10_000 * BYTES_PER_MS), CLAUSES)
GUIDANCE = GuidanceTexts(
    name_question="pregunta el nombre",
    nudges=("sigue ahí", "me oye"),
    silence_goodbye="despídete, nadie contesta",
    time_goodbye="despídete, se acabó",
    closing_goodbye="despídete",
    soft_limit="ya es larga",
    recovery="sigue",
    opt_out_heard="consta {reference}",
    screener="contesta al filtro",
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model answers: words, how long they sound, and tools called with them."""

    text: str = ""
    sound_ms: int = 0
    tools: tuple[tuple[str, str], ...] = ()
    think_ms: int = 400
    status: ev.ReplyStatus = ev.ReplyStatus.COMPLETED
    code: str = "server_error"
    items: int = 1


@dataclass
class PhoneLine:
    """Runs one machine under a virtual clock."""

    replies: list[Reply] = field(default_factory=list)
    turn_taking: TurnTaking = field(default_factory=TurnTaking)
    limits: Limits = field(default_factory=Limits)
    carrier_delay_ms: float = 0.0
    words_after_ms: float | None = 250
    pace: float = 4.0
    tools_work: bool = True
    tools_take_ms: float = 10
    refuses: bool = False

    def __post_init__(self) -> None:
        plan = CallPlan("c1", self.turn_taking, self.limits, CLIP, "datos", GUIDANCE)
        self.machine = Machine(plan)
        self.now = 0.0
        self.log: list[tuple[float, ac.Action]] = []
        self.heard_ms = 0.0
        self._queue: deque[tuple[str, float | str]] = deque()
        self._events: list[tuple[float, int, object]] = []
        self._timers: dict[str, float] = {}
        self._count = 0
        self._items = 0
        self._cancelled: set[str] = set()
        self.sessions = 1
        self._do(self.machine.start(0.0))
        self.send(ev.ModelReady())

    # --- what happens

    def send(self, event: ev.Event) -> list[ac.Action]:
        """An event now; gives the actions it caused."""
        before = len(self.log)
        self._do(self.machine.handle(event, self.now))
        return [action for _, action in self.log[before:]]

    def later(self, after_ms: float, event: object) -> None:
        self._count += 1
        heapq.heappush(self._events, (self.now + after_ms, self._count, event))

    def run(self, for_ms: float) -> None:
        """Let time pass, millisecond by millisecond where sound is played, else from event to event."""
        until = self.now + for_ms
        while self.now < until and not self.machine.is_over:
            self._step()

    def speak(self, text: str, for_ms: int, *, pause_ms: int = 500) -> str:
        """The callee says something; the detector and the transcript follow as the service sends them."""
        self._items += 1
        item = f"u{self._items}"
        self.send(ev.SpeechStarted(item, int(self.now) - 300))
        self.run(for_ms + pause_ms)
        self.send(ev.SpeechStopped(item, int(self.now)))
        self.send(ev.Committed(item))
        if self.words_after_ms is not None:
            self.later(self.words_after_ms, ev.WordsHeard(item, text))
        return item

    def lose_session(self) -> None:
        """The model's socket is gone; whatever it was about to say never comes."""
        self._events = [entry for entry in self._events if not isinstance(entry[2], _Answer)]
        heapq.heapify(self._events)
        self.send(ev.ModelLost("1006"))

    # --- what came of it

    def did(self, kind: type) -> list[tuple[float, ac.Action]]:
        return [(at, action) for at, action in self.log if isinstance(action, kind)]

    def recorded(self, kind: type) -> list[object]:
        return [
            a.body for _, a in self.log if isinstance(a, ac.Record) and isinstance(a.body, kind)
        ]

    @property
    def turns(self) -> list[Turn]:
        """Turns as they stand in the journal, the last entry for each number."""
        turns = {turn.n: turn for turn in self.recorded(Turn) if isinstance(turn, Turn)}
        return [turns[n] for n in sorted(turns)]

    @property
    def closed(self) -> Closed | None:
        found = self.recorded(Closed)
        return found[-1] if found else None  # type: ignore[return-value]

    # --- the machinery

    def _step(self) -> None:
        next_event = self._events[0][0] if self._events else float("inf")
        next_timer = min(self._timers.values(), default=float("inf"))
        target = min(next_event, next_timer, self.now + 1)
        self._play(max(0.0, target - self.now))
        self.now = max(self.now, target)
        while self._events and self._events[0][0] <= self.now:
            _at, _n, event = heapq.heappop(self._events)
            self._happen(event)
        for name in [name for name, at in self._timers.items() if at <= self.now]:
            self._timers.pop(name, None)
            self.send(ev.TimerFired(name))

    def _happen(self, event: object) -> None:
        if isinstance(event, _Answer):
            self._answer(event)
        else:
            self.send(event)  # type: ignore[arg-type]

    def _play(self, ms: float) -> None:
        budget = ms * BYTES_PER_MS
        while self._queue:
            kind, value = self._queue[0]
            if kind == "mark":
                self._queue.popleft()
                self.later(self.carrier_delay_ms, ev.MarkReturned(str(value)))
                continue
            take = min(budget, float(value))
            self.heard_ms += take / BYTES_PER_MS
            budget -= take
            left = float(value) - take
            self._queue[0] = ("sound", left)
            if left > 0:
                return
            self._queue.popleft()

    def _do(self, actions: list[ac.Action]) -> None:
        for action in actions:
            self.log.append((self.now, action))
            match action:
                case ac.SendSound(sound):
                    self._queue.append(("sound", float(len(sound))))
                case ac.SendMark(name):
                    if self._queue:
                        self._queue.append(("mark", name))
                    else:
                        self.later(0, ev.MarkReturned(name))
                case ac.SendClear():
                    marks = [value for kind, value in self._queue if kind == "mark"]
                    self._queue.clear()
                    for mark in marks:
                        self.later(0, ev.MarkReturned(str(mark)))
                case ac.SetTimer(name, at_ms):
                    self._timers[name] = at_ms
                case ac.StopTimer(name):
                    self._timers.pop(name, None)
                case ac.CreateReply(tag) if self.refuses:
                    self.later(5, ev.ModelRefused("invalid_value", tag))
                case ac.CreateReply(tag):
                    reply = self.replies.pop(0) if self.replies else Reply("Muy bien.", 1_000)
                    self.later(5, _Answer(tag, reply, "created"))
                    self.later(reply.think_ms, _Answer(tag, reply, "words"))
                case ac.CancelReply(response_id):
                    self._cancelled.add(response_id)
                    self.later(80, ev.ReplyEnded(response_id, ev.ReplyStatus.CANCELLED))
                case ac.RunTool(call_id, _name, arguments):
                    works = self.tools_work
                    result = {"ok": True, "reference": "OP-4F7K"} if works else {"ok": False}
                    status = ToolStatus.DONE if works else ToolStatus.FAILED
                    self.later(
                        self.tools_take_ms,
                        ev.ToolFinished(call_id, status, json.loads(arguments), result),
                    )
                case ac.OpenModel():
                    self.sessions += 1
                    self.later(300, ev.ModelReady(self.now + 300))
                case ac.HangUp():
                    self.later(60, ev.PhoneStopped())

    def _answer(self, answer: _Answer) -> None:
        response, reply = f"resp-{answer.tag}", answer.reply
        if answer.step == "created":
            self.send(ev.ReplyStarted(response, answer.tag))
            return
        if response in self._cancelled:
            return
        is_whole = reply.status is ev.ReplyStatus.COMPLETED
        if is_whole and reply.text and answer.sent_ms < reply.sound_ms:
            self._make_sound(response, answer)
            return
        for index, (name, arguments) in enumerate(reply.tools):
            self.send(ev.ToolCalled(response, f"call-{answer.tag}-{index}", name, arguments))
        self.send(ev.ReplyEnded(response, reply.status, None if is_whole else reply.code))

    def _make_sound(self, response: str, answer: _Answer) -> None:
        """A delta of 250 ms, as the service sends them: faster than it is played, the words ahead of the sound."""
        reply = answer.reply
        size_ms = min(DELTA_MS, reply.sound_ms - answer.sent_ms)
        item = f"a-{answer.tag}"
        number = answer.sent_ms * reply.items // reply.sound_ms
        if number:
            item += f"-{number}"
        if answer.sent_ms == 0:
            self.send(ev.WordsMade(response, item, reply.text))
        self.send(ev.SoundMade(response, item, bytes(size_ms * BYTES_PER_MS)))
        rest = replace(answer, sent_ms=answer.sent_ms + size_ms)
        self.later(size_ms / self.pace, rest)


@dataclass(frozen=True, slots=True)
class _Answer:
    """`sent_ms` of the reply's sound were made."""

    tag: str
    reply: Reply
    step: str
    sent_ms: int = 0


def opened(*replies: Reply, **settings: object) -> PhoneLine:
    """A line on which the opening and the name question were heard."""
    line = PhoneLine([Reply("¿Hablo con Carmen?", 1_000), *replies], **settings)  # type: ignore[arg-type]
    line.run(300)
    line.speak("¿Diga?", 500, pause_ms=200)
    line.run(11_500)
    return line
