"""What the application sent to be played: drained at the line's pace, with its marks. Pure."""

from __future__ import annotations

from collections import deque

from local.carrier.far_end import FRAME_BYTES

SILENCE = b"\xff"
# More than ten minutes of sound is thrown away (error 31931).
CAPACITY_BYTES = 10 * 60 * 8_000


class PlayQueue:
    """Positions count bytes since the stream began."""

    def __init__(self) -> None:
        self._sound = bytearray()
        self._taken = 0
        self._is_sounding = False
        self._marks: deque[tuple[int, str]] = deque()
        self.overflowed = False

    @property
    def buffered_bytes(self) -> int:
        return len(self._sound)

    def add(self, sound: bytes) -> None:
        """Append sound; what does not fit is lost."""
        if len(self._sound) + len(sound) > CAPACITY_BYTES:
            self.overflowed = True
            return
        self._sound += sound

    def mark(self, name: str) -> list[str]:
        """Set a mark behind everything queued; gives it back at once if nothing is left to be heard."""
        if not self._sound and not self._is_sounding:
            return [name]
        self._marks.append((self._taken + len(self._sound), name))
        return []

    def clear(self) -> list[str]:
        """Throw the sound away; all pending marks come back, in order."""
        self._sound.clear()
        names = [name for _, name in self._marks]
        self._marks.clear()
        return names

    def take(self) -> tuple[bytes, int, list[str]]:
        """The next frame (padded with silence), how many bytes of it were queued, and the marks that are due: those
        behind the frame taken before, which has been heard to its end by now."""
        due: list[str] = []
        while self._marks and self._marks[0][0] <= self._taken:
            due.append(self._marks.popleft()[1])
        piece = bytes(self._sound[:FRAME_BYTES])
        del self._sound[: len(piece)]
        self._taken += len(piece)
        self._is_sounding = bool(piece)
        return piece + SILENCE * (FRAME_BYTES - len(piece)), len(piece), due
