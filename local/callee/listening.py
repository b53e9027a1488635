"""What the callee makes of the sound in its ear: when the agent speaks, and when it has finished.

The sound is synthetic speech on a clean line, so its loudness alone tells speech from silence.
"""

from __future__ import annotations

from dataclasses import dataclass

from local.carrier.far_end import FRAME_MS, SILENCE_FRAME
from local.speech.sound import rms

AUDIBLE_RMS = 120
"""Well above the synthesiser's own floor (25; measured), well below its faintest vowel (700)."""
_STRETCH_PAUSE_MS = 200
_OVERRUN_MS = 1_500


@dataclass(frozen=True, slots=True)
class Stretch:
    """Sound of the agent without a pause of 200 ms in it."""

    start_ms: int
    end_ms: int


class AgentListening:
    """Follows the agent's sound, frame by frame."""

    def __init__(self) -> None:
        self._stretches: list[Stretch] = []

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        return tuple(self._stretches)

    @property
    def last_sound_end_ms(self) -> int:
        """0 before the first sound."""
        return self._stretches[-1].end_ms if self._stretches else 0

    def listen(self, frame: bytes, at_ms: int) -> None:
        """Take the frame that starts at `at_ms`."""
        if frame == SILENCE_FRAME or rms(frame) < AUDIBLE_RMS:
            return
        end_ms = at_ms + FRAME_MS
        if self._stretches and at_ms - self._stretches[-1].end_ms < _STRETCH_PAUSE_MS:
            self._stretches[-1] = Stretch(self._stretches[-1].start_ms, end_ms)
        else:
            self._stretches.append(Stretch(at_ms, end_ms))

    def silent_ms(self, now_ms: int) -> int:
        """How long the agent has been silent."""
        return now_ms - self.last_sound_end_ms

    def speaks(self, now_ms: int) -> bool:
        """Whether the agent speaks, short pauses included."""
        return bool(self._stretches) and self.silent_ms(now_ms) < _STRETCH_PAUSE_MS

    def turn_began_ms(self, since_ms: int) -> int | None:
        """When the agent began to answer what ended at `since_ms`; None if it has not.

        Sound that was there already and dies away soon is not an answer: it is the agent being
        interrupted. Sound that simply goes on is: the agent did not let itself be interrupted.
        """
        overlapping = next((s for s in self._stretches if s.start_ms < since_ms < s.end_ms), None)
        if overlapping is None:
            return self._first_from(since_ms)
        if overlapping.end_ms - since_ms >= _OVERRUN_MS:
            return since_ms
        return self._first_from(overlapping.end_ms)

    def _first_from(self, since_ms: int) -> int | None:
        starts = (each.start_ms for each in self._stretches)
        return next((start_ms for start_ms in starts if start_ms >= since_ms), None)
