"""From a session's own sound clock to the call's: the detector counts the sound that it was given, and that is neither
all that was spoken (frames get lost) nor only that (silence is put in while frames are late)."""

from __future__ import annotations

from bisect import bisect_right

from media_service.phone.wire import FRAME_MS


class SoundClock:
    """One session's. `begins_at_ms` is where on the call's clock its first frame lies."""

    def __init__(self, begins_at_ms: float) -> None:
        self._given_ms = 0
        self._next_ms = begins_at_ms
        # Where the two clocks came apart: from so much given sound on, the call's clock goes on from there.
        self._given_from_ms = [0]
        self._call_from_ms = [begins_at_ms]

    def given(self, at_ms: float | None = None) -> None:
        """A frame was given: one that began at `at_ms` of the call, or (None) silence in place of one."""
        if at_ms is not None and at_ms != self._next_ms:
            self._given_from_ms.append(self._given_ms)
            self._call_from_ms.append(at_ms)
            self._next_ms = at_ms
        self._given_ms += FRAME_MS
        self._next_ms += FRAME_MS

    def call_ms(self, given_ms: float) -> float:
        """Where on the call's clock the sound lies of which the detector speaks."""
        index = max(0, bisect_right(self._given_from_ms, given_ms) - 1)
        return self._call_from_ms[index] + given_ms - self._given_from_ms[index]
