"""Runs TwiML on an answered call, verb by verb."""

from __future__ import annotations

import asyncio
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from local.carrier.dialing import SecondLeg
from local.carrier.errors import Refused
from local.carrier.line import Line
from local.carrier.orders import E164, Address, CallRequest, check_destination
from local.carrier.recordings import RecordingSource
from local.carrier.sids import new_sid
from local.carrier.stream import TRACKS, MediaStream, StreamOrder, StreamRefused
from local.carrier.waiting import first_of

if TYPE_CHECKING:
    from local.carrier.call import EmulatedCall

Element = ElementTree.Element
SAY_MS_PER_CHARACTER = 60
PLAY_MS = 2_000
DIGIT_MS = 200
BEEP_MS = 300
DOCUMENT_BYTES_MAX = 65_536
ONE_WAY_TRACKS_MAX = 4
_XML = frozenset({"text/xml", "application/xml", "application/rss+xml"})
_CALL_LOG_BAD_NUMBER, _DIAL_REFUSED = 13224, 13225
_SCHEMA = 12200


class DocumentFailed(Exception):
    """A document cannot be had or read; `code` is Twilio's."""

    def __init__(self, code: int) -> None:
        super().__init__(f"document error {code}")
        self.code = code


@dataclass(slots=True)
class Document:
    """The TwiML being run; `replaced` is set by an update."""

    source: str | Address
    url: str = ""
    replaced: asyncio.Event = field(default_factory=asyncio.Event)


class Interpreter:
    """One for each answered call."""

    def __init__(self, call: EmulatedCall, line: Line, document: Document) -> None:
        self._call = call
        self._line = line
        self._document = document
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
        while not self._call.is_ending:
            document = self._document
            try:
                root = await self._root(document, extra)
                following = await self._run(root, document)
            except DocumentFailed as failure:
                self._call.note(failure.code, document.url)
                following = await self._after_failure(document, failure)
            extra = {}
            if self._document is not document:
                continue
            if following is None:
                return
            self._document = Document(following)

    async def _after_failure(self, document: Document, failure: DocumentFailed) -> Address | None:
        """The fallback address, or an English sentence at the callee's ear and the end."""
        fallback = self._call.take_fallback()
        if fallback is not None:
            return Address(fallback)
        await self._wait(self._call.carrier.settings.application_error_ms, document)
        return None

    async def _root(self, document: Document, extra: Mapping[str, str]) -> Element:
        if isinstance(document.source, Address):
            text = await self._fetched(document.source, document, extra)
        else:
            text = document.source
        try:
            root = ElementTree.fromstring(text)
        except ElementTree.ParseError as error:
            raise DocumentFailed(12100) from error
        if root.tag != "Response":
            raise DocumentFailed(12102)
        return root

    async def _fetched(self, address: Address, document: Document, extra: Mapping[str, str]) -> str:
        exchange = await self._call.request_document(address, extra)
        document.url, answer = exchange.url, exchange.answer
        if not answer.is_fine:
            raise DocumentFailed(11200)
        if len(answer.body.encode()) > DOCUMENT_BYTES_MAX:
            raise DocumentFailed(11750)
        if not answer.body:
            raise DocumentFailed(11770)
        if answer.content_type not in _XML:
            raise DocumentFailed(12300)
        return answer.body

    async def _run(self, root: Element, document: Document) -> Address | None:
        """Gives where to go on, None at the end of the document."""
        for verb in root:
            if self._call.is_ending or document is not self._document:
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
        await self._wait(len(verb.text or "") * SAY_MS_PER_CHARACTER, document)

    async def _play(self, verb: Element, document: Document) -> None:
        await self._wait(len(verb.get("digits", "")) * DIGIT_MS or PLAY_MS, document)

    async def _pause(self, verb: Element, document: Document) -> None:
        await self._wait(_whole(verb, "length", 1) * 1_000, document)

    async def _connect(self, verb: Element, document: Document) -> None:
        """A stream both ways, until it ends."""
        noun = verb.find("Stream")
        if noun is None:
            self._call.note(_SCHEMA)
            return
        stream = self._stream(noun, is_one_way=False)
        if await self._opened(stream):
            self._line.attach(stream)
            reader = asyncio.create_task(stream.read())
            await first_of(stream.closed.wait(), self._call.over.wait(), document.replaced.wait())
            self._line.detach()
            by_application = stream.closed.is_set()
            if not by_application:
                await stream.close()
            reader.cancel()
            self._call.stream_ended(stream, by_application)
        await self._after(verb, document, {"StreamSid": stream.sid})

    async def _start(self, verb: Element, _document: Document) -> None:
        for noun in verb:
            if noun.tag == "Stream":
                stream = self._stream(noun, is_one_way=True)
                await self.tap(stream)
            elif noun.tag == "Recording":
                channels = 2 if noun.get("channels") == "dual" else 1
                callback = noun.get("recordingStatusCallback")
                self._call.start_recording(RecordingSource.TWIML, channels, callback)
            else:
                self._call.note(_SCHEMA)

    async def _stop(self, verb: Element, _document: Document) -> None:
        noun = verb.find("Stream")
        name = noun.get("name") if noun is not None else None
        for tap in [tap for tap in self._line.taps if tap.name == name]:
            await self.untap(tap)

    async def tap(self, stream: MediaStream) -> bool:
        """Begin a one-way stream."""
        tracks = sum(len(tap.order.tracks) for tap in self._line.taps)
        if tracks + len(stream.order.tracks) > ONE_WAY_TRACKS_MAX:
            self._call.note(31930)
            return False
        if not await self._opened(stream):
            return False
        self._line.taps.append(stream)
        self._call.one_way_streams[stream.sid] = stream
        self._call.spawn(self._read_tap(stream))
        return True

    async def untap(self, stream: MediaStream) -> None:
        """End a one-way stream."""
        if stream in self._line.taps:
            self._line.taps.remove(stream)
            await stream.close()
            self._call.stream_ended(stream, by_application=False)

    async def _read_tap(self, stream: MediaStream) -> None:
        await stream.read()
        if stream in self._line.taps:
            self._line.taps.remove(stream)
            self._call.stream_ended(stream, by_application=True)

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
            CallRequest(
                to_number=number,
                from_number=verb.get("callerId") or self._call.request.from_number,
                ring_s=_whole(verb, "timeout", 30),
                limit_s=_whole(verb, "timeLimit", 14_400),
                parent_sid=self._call.sid,
            ),
            self._call.now,
        )
        self._call.carrier.calls[leg.sid] = leg
        if self._may_dial(number):
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

    def _may_dial(self, number: str) -> bool:
        if not E164.match(number):
            self._call.note(_CALL_LOG_BAD_NUMBER)
            return False
        try:
            check_destination(self._call.carrier.settings, number)
        except Refused:
            self._call.note(_DIAL_REFUSED)
            return False
        return True

    async def _record(self, verb: Element, document: Document) -> None:
        """A message of the far end, until they are silent, press a key, or it is too long."""
        if verb.get("playBeep", "true").lower() != "false":
            await self._wait(BEEP_MS, document)
        line, began_ms = self._line, self._line.at_ms
        silence_ms = _whole(verb, "timeout", 5) * 1_000
        longest_ms = _whole(verb, "maxLength", 3_600) * 1_000
        finish, key = verb.get("finishOnKey", "1234567890*#"), ""
        recording = self._call.start_recording(
            RecordingSource.VERB, 1, verb.get("recordingStatusCallback")
        )
        while not (self._call.is_ending or document.replaced.is_set() or line.hung_up):
            quiet_ms = line.at_ms - max(began_ms, line.last_sound_ms)
            if quiet_ms >= silence_ms or line.at_ms - began_ms >= longest_ms:
                break
            if not line.digits.empty() and (key := line.digits.get_nowait()) in finish:
                break
            await asyncio.sleep(0.02)
        self._call.stop_recording(recording)
        if line.last_sound_ms < began_ms:
            # Nobody spoke: the next verb follows, the action is not asked.
            return
        address = self._address(verb, verb.get("action") or document.url, document)
        result = {
            "RecordingSid": recording.sid,
            "RecordingUrl": self._call.recording_url(recording),
            "RecordingDuration": str(recording.duration_s),
            "Digits": key,
        }
        await self._follow(document, address, result)

    async def _after(self, verb: Element, document: Document, result: Mapping[str, str]) -> None:
        action = verb.get("action")
        if action is not None and not self._call.is_ending:
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
        following.source = await self._fetched(address, following, result)
        if not document.replaced.is_set():
            self._document = following

    def _address(self, verb: Element, url: str, document: Document) -> Address:
        method = verb.get("method", "POST").upper()
        return Address(urllib.parse.urljoin(document.url, url), method)

    def _stream(self, noun: Element, *, is_one_way: bool) -> MediaStream:
        order = StreamOrder(
            url=noun.get("url", ""),
            parameters={p.get("name", ""): p.get("value", "") for p in noun.findall("Parameter")},
            tracks=TRACKS.get(noun.get("track", "inbound_track"), ()),
            is_one_way=is_one_way,
            name=noun.get("name"),
            callback=noun.get("statusCallback"),
        )
        return self._call.new_stream(order, new_sid("MZ"), self._line)

    async def _opened(self, stream: MediaStream) -> bool:
        try:
            await stream.open()
        except StreamRefused as refusal:
            self._call.note(refusal.code)
            self._call.stream_event(stream, "stream-error", str(refusal))
            return False
        self._call.stream_event(stream, "stream-started")
        return True

    async def _wait(self, ms: int, document: Document) -> None:
        ends = self._call.over.wait(), document.replaced.wait()
        await first_of(*ends, within_s=ms / 1_000)


def _whole(verb: Element, name: str, default: int) -> int:
    """A whole number of an attribute; what is none counts as the default."""
    text = verb.get(name, "")
    return int(text) if text.isdigit() else default
