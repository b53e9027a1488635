"""The REST side: what the unmodified SDK asks for, refused as Twilio refuses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from local.carrier import resources
from local.carrier.address import Address
from local.carrier.admission import Admission
from local.carrier.call import EmulatedCall
from local.carrier.call_filters import matches
from local.carrier.errors import Refused, not_found, not_in_progress
from local.carrier.form_reading import INVALID_PARAMETER, Form, callback, text
from local.carrier.orders import (
    call_order,
    check_twiml,
    document_address,
    recording_order,
    time_limit,
)
from local.carrier.record import CallRecord
from local.carrier.recordings import Recording, RecordingSource, RecordingStatus
from local.carrier.settings import Counted
from local.carrier.stream_order import TRACKS, StreamOrder, StreamRefused

if TYPE_CHECKING:
    from local.carrier.carrier import Carrier

_PARAMETERS_MAX = 99


def routes(carrier: Carrier) -> web.Application:
    """The application behind `/2010-04-01/Accounts/{account}`."""
    door = Door(carrier)
    app = web.Application(middlewares=[Admission(carrier).guard()])
    base, one = resources.API + "/{account}", resources.API + "/{account}/Calls/{sid}"
    app.router.add_post(f"{base}/Calls.json", door.create)
    app.router.add_get(f"{base}/Calls.json", door.page)
    app.router.add_get(f"{one}.json", door.fetch)
    app.router.add_post(f"{one}.json", door.update)
    app.router.add_delete(f"{one}.json", door.delete)
    app.router.add_get(f"{one}/Notifications.json", door.notifications)
    app.router.add_get(f"{one}/Events.json", door.events)
    app.router.add_post(f"{one}/Streams.json", door.start_stream)
    app.router.add_post(f"{one}/Streams/{{stream}}.json", door.stop_stream)
    app.router.add_post(f"{one}/Recordings.json", door.start_recording)
    app.router.add_get(f"{one}/Recordings.json", door.recordings)
    app.router.add_get(f"{one}/Recordings/{{recording}}.json", door.recording)
    app.router.add_post(f"{one}/Recordings/{{recording}}.json", door.change_recording)
    app.router.add_get(f"{base}/Recordings/{{recording}}.json", door.recording_of_account)
    app.router.add_get(f"{base}/Recordings/{{recording}}.wav", door.recorded_sound)
    return app


class Door:
    """Answers requests for one account."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    @property
    def _account(self) -> str:
        return self._carrier.settings.account_sid

    # --- calls

    async def create(self, request: web.Request) -> web.StreamResponse:
        carrier = self._carrier
        if carrier.takes(Counted.TOO_MANY_REQUESTS):
            raise Refused(429, 20429, "Too Many Requests")
        form = await request.post()
        call = await carrier.place(call_order(carrier.settings, form))
        if carrier.takes(Counted.FAIL_AFTER_CREATING):
            raise Refused(500, 20500, "Internal Server Error")
        if carrier.takes(Counted.RESET_AFTER_CREATING) and request.transport is not None:
            request.transport.abort()
        return web.json_response(resources.call_body(self._account, call), status=201)

    async def fetch(self, request: web.Request) -> web.Response:
        return self._call_answer(self._find(request))

    async def update(self, request: web.Request) -> web.Response:
        call, form = self._find(request), await request.post()
        status, twiml, address = text(form, "Status"), text(form, "Twiml"), document_address(form)
        limit_s = time_limit(form)
        if status not in (None, "completed", "canceled"):
            raise Refused(400, INVALID_PARAMETER, "Status must be completed or canceled.")
        if sum(given is not None for given in (status, twiml, address)) > 1:
            raise Refused(400, INVALID_PARAMETER, "Give one of Status, Url and Twiml.")
        if call.is_over:
            if status is None or self._carrier.settings.faults.rest.hang_up_error_400:
                raise not_in_progress()
            raise not_found()
        source = address or twiml
        if status is not None:
            _end(call, status)
        elif source is not None:
            self._redirect(call, source, form)
        if limit_s is not None and isinstance(call, EmulatedCall):
            call.limit(limit_s)
        return self._call_answer(call)

    def _redirect(self, call: CallRecord, source: str | Address, form: Form) -> None:
        if call.status != "in-progress" or not isinstance(call, EmulatedCall):
            raise not_in_progress()
        if isinstance(source, str):
            check_twiml(source)
        elif (status_callback := callback(form, "StatusCallback")) is not None:
            # Without a Url a new callback is silently ignored.
            call.progress.callback = status_callback
        call.redirect(source)

    async def delete(self, request: web.Request) -> web.Response:
        call = self._find(request)
        if not call.is_over:
            raise Refused(400, 20009, "Cannot delete this resource before the call is over.")
        del self._carrier.calls[call.sid]
        return web.Response(status=204)

    async def page(self, request: web.Request) -> web.Response:
        query = request.query
        calls = [call for call in reversed(self._carrier.calls.values()) if matches(call, query)]
        bodies = [resources.call_body(self._account, call) for call in calls]
        return web.json_response(resources.page_body("calls", request.path, query, bodies))

    async def notifications(self, request: web.Request) -> web.Response:
        call = self._find(request)
        bodies = [
            resources.note_body(self._account, call, number, note)
            for number, note in enumerate(call.notes)
        ]
        return web.json_response(
            resources.page_body("notifications", request.path, request.query, bodies)
        )

    async def events(self, request: web.Request) -> web.Response:
        bodies = [resources.event_body(exchange) for exchange in self._find(request).events]
        return web.json_response(resources.page_body("events", request.path, request.query, bodies))

    # --- one-way streams

    async def start_stream(self, request: web.Request) -> web.Response:
        call, form = self._live(request), await request.post()
        order = StreamOrder(
            url=text(form, "Url") or "",
            parameters=_parameters(form),
            tracks=TRACKS.get(text(form, "Track") or "inbound_track", ()),
            is_one_way=True,
            name=text(form, "Name"),
            callback=callback(form, "StatusCallback"),
        )
        assert call.interpreter is not None
        try:
            stream = await call.interpreter.streams.tap(order)
        except StreamRefused as refusal:
            raise Refused(400, refusal.code, "The stream could not be started.") from refusal
        body = resources.stream_body(self._account, call, stream)
        return web.json_response(body, status=201)

    async def stop_stream(self, request: web.Request) -> web.Response:
        call, form = self._live(request), await request.post()
        wanted = request.match_info["stream"]
        found = [s for s in call.one_way_streams.values() if wanted in (s.sid, s.name)]
        # The stream of a <Connect> cannot be stopped from here.
        if not found:
            raise not_found()
        if form.get("Status") != "stopped":
            raise Refused(400, 20001, "Status must be stopped.")
        assert call.interpreter is not None
        call.interpreter.streams.untap(found[0])
        return web.json_response(resources.stream_body(self._account, call, found[0]))

    # --- recordings

    async def start_recording(self, request: web.Request) -> web.Response:
        call, form = self._live(request), await request.post()
        recording = call.taping.start(RecordingSource.REST, recording_order(form))
        body = resources.recording_body(self._account, call, recording)
        return web.json_response(body, status=201)

    async def recordings(self, request: web.Request) -> web.Response:
        call = self._find(request)
        bodies = [
            resources.recording_body(self._account, call, one) for one in call.recordings.values()
        ]
        return web.json_response(
            resources.page_body("recordings", request.path, request.query, bodies)
        )

    async def recording(self, request: web.Request) -> web.Response:
        call = self._find(request)
        body = resources.recording_body(self._account, call, _recording(call, request))
        return web.json_response(body)

    async def recording_of_account(self, request: web.Request) -> web.Response:
        call, recording = self._recorded(request)
        return web.json_response(resources.recording_body(self._account, call, recording))

    async def recorded_sound(self, request: web.Request) -> web.Response:
        """A recording's sound, once it is complete and while the line's sound is kept."""
        call, recording = self._recorded(request)
        line = call.line if isinstance(call, EmulatedCall) else None
        if line is None or recording.is_running or not line.sound.spoken:
            raise not_found()
        return web.Response(body=recording.wav(line.sound), content_type="audio/x-wav")

    def _recorded(self, request: web.Request) -> tuple[CallRecord, Recording]:
        wanted = request.match_info["recording"]
        for call in self._carrier.calls.values():
            if wanted in call.recordings:
                return call, call.recordings[wanted]
        raise not_found()

    async def change_recording(self, request: web.Request) -> web.Response:
        call, form = self._live(request), await request.post()
        recording = _recording(call, request)
        now_ms = call.line.at_ms if call.line else 0
        match form.get("Status"):
            case RecordingStatus.PAUSED if recording.is_running:
                recording.pause(now_ms)
            case RecordingStatus.IN_PROGRESS if recording.is_running:
                recording.resume(now_ms)
            case RecordingStatus.STOPPED if recording.is_running:
                call.taping.stop(recording)
            case _:
                raise Refused(400, 20001, "Status must be paused, in-progress or stopped.")
        return web.json_response(resources.recording_body(self._account, call, recording))

    # --- common

    def _find(self, request: web.Request) -> CallRecord:
        call = self._carrier.calls.get(request.match_info["sid"])
        if call is None:
            raise not_found()
        return call

    def _live(self, request: web.Request) -> EmulatedCall:
        call = self._find(request)
        if not isinstance(call, EmulatedCall) or call.line is None or call.is_over:
            raise not_in_progress()
        return call

    def _call_answer(self, call: CallRecord) -> web.Response:
        return web.json_response(resources.call_body(self._account, call))


def _end(call: CallRecord, status: str) -> None:
    """`canceled` does nothing to a call that is answered."""
    if status == "completed" or call.status in ("queued", "ringing"):
        call.end(status)


def _recording(call: CallRecord, request: web.Request) -> Recording:
    wanted = request.match_info["recording"]
    if wanted == "Twilio.CURRENT":
        running = [one for one in call.recordings.values() if one.is_running]
        if running:
            return running[-1]
        raise not_found()
    if wanted not in call.recordings:
        raise not_found()
    return call.recordings[wanted]


def _parameters(form: Form) -> dict[str, str]:
    found: dict[str, str] = {}
    for number in range(1, _PARAMETERS_MAX + 1):
        name = form.get(f"Parameter{number}.Name")
        if name is None:
            break
        found[str(name)] = str(form.get(f"Parameter{number}.Value", ""))
    return found
