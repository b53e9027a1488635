"""Runs TwiML on an answered call, verb by verb."""

from __future__ import annotations

import asyncio
import contextlib
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from local.carrier.address import Address
from local.carrier.dialing import SecondLeg
from local.carrier.documents import Document, DocumentFailed, fetched, root_of
from local.carrier.line import Line
from local.carrier.orders import E164, CallOrder
from local.carrier.recordings import RecordingOrder, RecordingSource
from local.carrier.stream_order import TRACKS, UNKNOWN_FAILURE, StreamOrder, StreamRefused
from local.carrier.streaming import CallStreams
from local.carrier.waiting import first_of

if TYPE_CHECKING:
    from local.carrier.call import EmulatedCall

Element = ElementTree.Element
SAY_MS_PER_CHARACTER = 60
PLAY_MS = 2_000
DIGIT_MS = 200
BEEP_MS = 300
_BAD_CALLER_ID, _BAD_NUMBER, _BLOCKED_NUMBER, _FORBIDDEN_COUNTRY = 13214, 13223, 13225, 13227
_SCHEMA = 12200


class Interpreter:
    """One for each answered call."""

    def __init__(self, call: EmulatedCall, line: Line, document: Document) -> None:
        self._call = call
        self._line = line
        self._document = document
        self.streams = CallStreams(call, line)
        self._verbs: Mapping[str, Callable[[Element, Document], Awaitable[None]]] = {
            "Connect": self._connect,
            "Start": self._start,
            "Stop": self._stop,
            "Say": self._say,
            "Play": self._play,
            "Pause": self._pause,
            "Gather": self._gather,
            "Dial": self._dial,
            "Record": self._record,
        }

    def replace(self, document: Document) -> None:
        """Drop what runs and go on with this."""
        old, self._document = self._document, document
        old.replaced.set()

    async def run(self, first_extra: Mapping[str, str]) -> None:
        """Until the last document has run out, or the call is over. `first_extra` goes with the first request."""
        extra = first_extra
        while not self._call.is_over:
            document, sent, extra = self._document, extra, {}
            try:
                root = await root_of(self._call, document, sent)
                following = await self._run(root, document)
            except DocumentFailed as failure:
                self._call.note(failure.code, failure.url)
                following = await self._after_failure(document)
                if self._document is document:
                    extra = failure.form()
            if self._document is not document:
                continue
            if following is None:
                return
            self._document = Document(following)

    async def _after_failure(self, document: Document) -> Address | None:
        """The fallback address, or an English sentence at the callee's ear and the end."""
        fallback = self._call.take_fallback()
        if fallback is None:
            await self._wait(self._call.carrier.settings.application_error_ms, document)
        return fallback

    async def _run(self, root: Element, document: Document) -> Address | None:
        """Gives where to go on, None at the end of the document."""
        for verb in root:
            if self._call.is_over or document is not self._document:
                return None
            if verb.tag in ("Hangup", "Reject"):
                return None
            if verb.tag == "Redirect":
                return self._address(verb, (verb.text or "").strip(), document)
            handler = self._verbs.get(verb.tag)
            if handler is None:
                self._call.note(_SCHEMA)
                continue
            await handler(verb, document)
        return None

    async def _say(self, verb: Element, document: Document) -> None:
        await self._repeat(verb, len(verb.text or "") * SAY_MS_PER_CHARACTER, document)

    async def _play(self, verb: Element, document: Document) -> None:
        ms = len(verb.get("digits", "")) * DIGIT_MS or PLAY_MS
        await self._repeat(verb, ms, document)

    async def _repeat(self, verb: Element, ms: int, document: Document) -> None:
        """As often as `loop` says; 0 is without end."""
        times = _whole(verb, "loop", 1)
        await self._wait(times * ms if times else None, document)

    async def _pause(self, verb: Element, document: Document) -> None:
        await self._wait(_whole(verb, "length", 1) * 1_000, document)

    async def _connect(self, verb: Element, document: Document) -> None:
        """A stream both ways, until it ends."""
        orders = [_stream_order(noun, is_one_way=False) for noun in verb.findall("Stream")]
        if not orders:
            self._call.note(_SCHEMA)
            return
        if len(orders) > 1:
            for order in orders:
                self.streams.refuse(order, UNKNOWN_FAILURE)
            return
        stream = await self.streams.converse(orders[0], document.replaced)
        await self._after(verb, document, {"StreamSid": stream.sid})

    async def _start(self, verb: Element, _document: Document) -> None:
        for noun in verb:
            if noun.tag == "Stream":
                # A refusal is noted; the next verb follows.
                with contextlib.suppress(StreamRefused):
                    await self.streams.tap(_stream_order(noun, is_one_way=True))
            elif noun.tag == "Recording":
                self._call.taping.start(RecordingSource.TWIML, _recording_order(noun))
            else:
                self._call.note(_SCHEMA)

    async def _stop(self, verb: Element, _document: Document) -> None:
        noun = verb.find("Stream")
        name = noun.get("name") if noun is not None else None
        for tap in [tap for tap in self._line.taps if tap.name == name]:
            self.streams.untap(tap)

    async def _gather(self, verb: Element, document: Document) -> None:
        for child in verb:
            if child.tag in ("Say", "Play", "Pause"):
                await self._verbs[child.tag](child, document)
        digits = await self._digits(
            document,
            _whole(verb, "timeout", 5),
            _whole(verb, "numDigits", 0),
            verb.get("finishOnKey", "#"),
        )
        if not digits and verb.get("actionOnEmptyResult", "false").lower() != "true":
            return
        address = self._address(verb, verb.get("action") or document.url, document)
        await self._follow(document, address, {"Digits": digits})

    async def _digits(self, document: Document, timeout_s: int, count: int, finish: str) -> str:
        """Keys pressed, until one ends it, there are enough, or none came for `timeout_s`."""
        pressed = ""
        while not (count and len(pressed) >= count):
            key = asyncio.ensure_future(self._line.digits.get())
            ends = self._call.over.wait(), document.replaced.wait()
            await first_of(asyncio.shield(key), *ends, within_s=timeout_s)
            if not key.done():
                key.cancel()
                break
            if key.result() in finish:
                break
            pressed += key.result()
        return pressed

    async def _dial(self, verb: Element, document: Document) -> None:
        noun = verb.find("Number")
        number = ((noun.text if noun is not None else verb.text) or "").strip()
        leg = SecondLeg(
            CallOrder(
                to_number=number,
                from_number=verb.get("callerId") or self._call.request.from_number,
                ring_s=_whole(verb, "timeout", 30),
                limit_s=_whole(verb, "timeLimit", 14_400),
                parent_sid=self._call.sid,
            ),
            self._call.now,
        )
        self._call.carrier.calls[leg.sid] = leg
        if self._may_dial(leg.request):
            cut = asyncio.Event()
            talking = asyncio.ensure_future(leg.run(self._call.carrier, self._line, cut))
            await first_of(
                asyncio.shield(talking), self._call.over.wait(), document.replaced.wait()
            )
            cut.set()
            await talking
        else:
            leg.mark_ended("failed")
        outcome = {
            "DialCallStatus": leg.status,
            "DialCallSid": leg.sid,
            "DialCallDuration": str(leg.duration_s),
            "DialBridged": str(leg.answered_at is not None).lower(),
        }
        await self._after(verb, document, outcome)

    def _may_dial(self, order: CallOrder) -> bool:
        settings = self._call.carrier.settings
        if order.from_number not in settings.owned_numbers:
            self._call.note(_BAD_CALLER_ID)
        elif not E164.match(order.to_number):
            self._call.note(_BAD_NUMBER)
        elif order.to_number in settings.blocked_numbers:
            self._call.note(_BLOCKED_NUMBER)
        elif not order.to_number.startswith(settings.allowed_prefixes):
            self._call.note(_FORBIDDEN_COUNTRY)
        else:
            return True
        return False

    async def _record(self, verb: Element, document: Document) -> None:
        """A message of the far end, until they are silent, press a key, or it is too long."""
        if verb.get("playBeep", "true").lower() != "false":
            await self._wait(BEEP_MS, document)
        line, began_ms = self._line, self._line.at_ms
        silence_ms = _whole(verb, "timeout", 5) * 1_000
        longest_ms = _whole(verb, "maxLength", 3_600) * 1_000
        finish, key = verb.get("finishOnKey", "1234567890*#"), ""
        recording = self._call.taping.start(RecordingSource.VERB, _recording_order(verb))
        while not (self._call.is_over or document.replaced.is_set() or line.hung_up):
            quiet_ms = line.at_ms - max(began_ms, line.last_sound_ms)
            if quiet_ms >= silence_ms or line.at_ms - began_ms >= longest_ms:
                break
            if not line.digits.empty() and (key := line.digits.get_nowait()) in finish:
                break
            await asyncio.sleep(0.02)
        self._call.taping.stop(recording)
        if line.last_sound_ms < began_ms:
            # Nobody spoke: the next verb follows, the action is not asked.
            return
        address = self._address(verb, verb.get("action") or document.url, document)
        result = self._call.taping.result(recording)
        await self._follow(document, address, {**result, "Digits": key})

    async def _after(self, verb: Element, document: Document, result: Mapping[str, str]) -> None:
        action = verb.get("action")
        if action is not None and not self._call.is_over:
            await self._follow(document, self._address(verb, action, document), result)

    async def _follow(
        self, document: Document, address: Address, result: Mapping[str, str]
    ) -> None:
        """Go on at `address`, which gets a verb's result. Where the document was replaced meanwhile the address is
        asked too, and its answer thrown away (observed of `<Dial>`; twilio.md section 1.4)."""
        if document.replaced.is_set():
            await self._call.request_document(address, result)
            return
        following = Document("")
        following.source = await fetched(self._call, address, following, result)
        if not document.replaced.is_set():
            self._document = following

    def _address(self, verb: Element, url: str, document: Document) -> Address:
        method = verb.get("method", "POST").upper()
        return Address(urllib.parse.urljoin(document.url, url), method)

    async def _wait(self, ms: int | None, document: Document) -> None:
        """So long, or until the call is over or has another document; None: only that."""
        ends = self._call.over.wait(), document.replaced.wait()
        await first_of(*ends, within_s=None if ms is None else ms / 1_000)


def _stream_order(noun: Element, *, is_one_way: bool) -> StreamOrder:
    return StreamOrder(
        url=noun.get("url", ""),
        parameters={p.get("name", ""): p.get("value", "") for p in noun.findall("Parameter")},
        tracks=TRACKS.get(noun.get("track", "inbound_track"), ()),
        is_one_way=is_one_way,
        name=noun.get("name"),
        callback=_callback(noun, "statusCallback"),
    )


def _recording_order(element: Element) -> RecordingOrder:
    return RecordingOrder(
        channels=2 if element.get("channels") == "dual" else 1,
        track=element.get("track", "both"),
        callback=_callback(element, "recordingStatusCallback"),
        events=frozenset(element.get("recordingStatusCallbackEvent", "completed").split()),
    )


def _callback(element: Element, name: str) -> Address | None:
    url = element.get(name)
    return Address(url, element.get(f"{name}Method", "POST").upper()) if url else None


def _whole(verb: Element, name: str, default: int) -> int:
    """A whole number of an attribute; what is none counts as the default."""
    text = verb.get(name, "")
    return int(text) if text.isdigit() else default
