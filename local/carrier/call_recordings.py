"""The recordings of one call: begun, stopped, told to their callbacks."""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING

from local.carrier.recordings import Recording, RecordingOrder, RecordingSource

if TYPE_CHECKING:
    from local.carrier.call import EmulatedCall


class CallRecordings:
    """One for each call."""

    def __init__(self, call: EmulatedCall) -> None:
        self._call = call

    @property
    def _now_ms(self) -> int:
        return self._call.line.at_ms if self._call.line else 0

    def start(self, source: RecordingSource, order: RecordingOrder) -> Recording:
        """Record from now on."""
        recording = Recording(source, order, self._call.now())
        recording.resume(self._now_ms)
        self._call.recordings[recording.sid] = recording
        self._tell(recording)
        return recording

    def stop(self, recording: Recording) -> None:
        """Idempotent."""
        if recording.is_running:
            recording.stop(self._now_ms)
            self._tell(recording)

    def stop_all(self) -> None:
        for recording in self._call.recordings.values():
            self.stop(recording)

    def url(self, recording: Recording) -> str:
        carrier = self._call.carrier
        account = carrier.settings.account_sid
        return f"{carrier.base_url}/2010-04-01/Accounts/{account}/Recordings/{recording.sid}"

    def result(self, recording: Recording) -> dict[str, str]:
        """What callbacks and actions say of a recording."""
        return {
            "RecordingSid": recording.sid,
            "RecordingUrl": self.url(recording),
            "RecordingDuration": str(recording.duration_s),
        }

    def of_creation(self) -> dict[str, str]:
        """The fields in a call's last callback; none unless it was created with `Record`."""
        for recording in self._call.recordings.values():
            if recording.source is RecordingSource.CREATION:
                return self.result(recording)
        return {}

    def _tell(self, recording: Recording) -> None:
        order = recording.order
        if order.callback is None or recording.status.value not in order.events:
            return
        form = {
            **self.result(recording),
            "AccountSid": self._call.carrier.settings.account_sid,
            "CallSid": self._call.sid,
            "RecordingStatus": recording.status.value,
            "RecordingChannels": str(order.channels),
            "RecordingStartTime": format_datetime(recording.created_at),
            "RecordingSource": recording.source.value,
            "RecordingTrack": order.track,
        }
        self._call.spawn(self._call.deliver(order.callback, form))
