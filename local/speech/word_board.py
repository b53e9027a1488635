"""The side channel of text ears: who speaks posts sound and words; who listens finds the sound
again.

Sound is found by content, since between speaker and listener it passes real sockets, is cut into
frames anew, cut short and resumed. Every 16-byte block of a posted utterance that holds something
is indexed; any 160 bytes of that utterance, wherever they begin, contain such blocks whole.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local.speech.ports import BYTES_PER_MS, FRAME_BYTES, Utterance

_BLOCK_BYTES = 16
_DISTINCT_MIN = 6
"""Blocks with fewer different bytes are silence or nearly so, and found everywhere."""
_PLACES_MAX = 16
_OFFSETS_TRIED = (*range(32), *range(64, 80), *range(128, 145))
"""Of a frame: 16 in a row meet an indexed block whatever the alignment; four places find frames
that are speech in part only. Noise is looked up in 30 us a frame this way (measured)."""
_AGREEING_BYTES_MIN = 32
"""A piece of two blocks counts; shorter ones are chance or silence."""


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a posted utterance, in bytes. `number` is the order of posting."""

    number: int
    at: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes `begin` to `end` of a posted utterance."""

    number: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Hearing:
    """Bytes `begin` to `end` of an utterance, heard in one go."""

    utterance: Utterance
    begin: int
    end: int


class WordBoard:
    """What was said lately in this process, found by its sound. Thread-safe; forgets the oldest.

    Posting what is on the board already refreshes it.
    """

    def __init__(self, *, sound_bytes_max: int = 24_000_000) -> None:
        self._sound_bytes_max = sound_bytes_max
        self._utterances: OrderedDict[int, Utterance] = OrderedDict()
        self._numbers: dict[bytes, int] = {}
        self._blocks: dict[bytes, tuple[Place, ...]] = {}
        self._sound_bytes = 0
        self._next_number = 0
        self._lock = threading.RLock()

    def post(self, utterance: Utterance) -> None:
        """Make the words of `utterance` known to whoever hears any part of its sound."""
        with self._lock:
            number = self._numbers.get(utterance.sound)
            if number is not None:
                self._utterances.move_to_end(number)
                return
            number, self._next_number = self._next_number, self._next_number + 1
            self._utterances[number] = utterance
            self._numbers[utterance.sound] = number
            self._sound_bytes += len(utterance.sound)
            for at, block in _blocks_of(utterance.sound):
                places = self._blocks.get(block, ())
                self._blocks[block] = (*places, Place(number, at))[-_PLACES_MAX:]
            while self._sound_bytes > self._sound_bytes_max and len(self._utterances) > 1:
                self._forget_oldest()

    def words_in(self, sound: bytes) -> str:
        """The words whose end lies in the pieces of utterances that `sound` holds, in order."""
        return " ".join(word for heard in self.hearings(sound) for word in words_of(heard))

    def hearings(self, sound: bytes) -> tuple[Hearing, ...]:
        """The known pieces of `sound`, in order."""
        tracker = Tracker(self)
        for start in range(0, len(sound), FRAME_BYTES):
            tracker.feed(sound[start : start + FRAME_BYTES])
        return tracker.hearings()

    def sound_at(self, place: Place, count: int) -> bytes:
        """`count` bytes from `place` on, fewer at the end; none if the utterance is forgotten."""
        with self._lock:
            utterance = self._utterances.get(place.number)
        return b"" if utterance is None else utterance.sound[place.at : place.at + count]

    def utterance(self, number: int) -> Utterance | None:
        with self._lock:
            return self._utterances.get(number)

    def best_piece(self, frame: bytes, following: int | None) -> Piece | None:
        """The stretch of an utterance that agrees most with `frame`; of equals, the one of the
        utterance `following`, then the one posted last."""
        best: Piece | None = None
        best_rank = (_AGREEING_BYTES_MIN - 1, False)
        seen: set[tuple[int, int]] = set()
        with self._lock:
            for offset in _OFFSETS_TRIED:
                for place in reversed(self._blocks.get(frame[offset : offset + _BLOCK_BYTES], ())):
                    if (place.number, place.at - offset) in seen:
                        continue
                    seen.add((place.number, place.at - offset))
                    piece = self._piece_around(place, frame, offset)
                    rank = (piece.end - piece.begin, place.number == following)
                    if rank > best_rank:
                        best, best_rank = piece, rank
                if best_rank >= (len(frame), following is not None):
                    break
        return best

    def _piece_around(self, place: Place, frame: bytes, offset: int) -> Piece:
        sound = self._utterances[place.number].sound
        before = sound[max(0, place.at - offset) : place.at]
        after = sound[place.at : place.at + len(frame) - offset]
        return Piece(
            place.number,
            place.at - _agreeing(before[::-1], frame[:offset][::-1]),
            place.at + _agreeing(after, frame[offset:]),
        )

    def _forget_oldest(self) -> None:
        number, utterance = self._utterances.popitem(last=False)
        del self._numbers[utterance.sound]
        self._sound_bytes -= len(utterance.sound)
        for _, block in _blocks_of(utterance.sound):
            places = tuple(each for each in self._blocks.get(block, ()) if each.number != number)
            if places:
                self._blocks[block] = places
            else:
                self._blocks.pop(block, None)


@dataclass(slots=True)
class _Run:
    """A stretch of one utterance heard without a break, growing."""

    number: int
    begin: int
    end: int


class Tracker:
    """Follows sound frame by frame through the utterances on a board."""

    def __init__(self, board: WordBoard) -> None:
        self._board = board
        self._runs: list[_Run] = []
        self._following = False

    def feed(self, frame: bytes) -> bool:
        """Take the next piece of sound (up to 160 bytes); true if the board knows it."""
        if self._following and self._goes_on(frame):
            return True
        self._following = self._begins(frame)
        return self._following

    def hearings(self) -> tuple[Hearing, ...]:
        found = ((self._board.utterance(run.number), run) for run in self._runs)
        return tuple(Hearing(heard, run.begin, run.end) for heard, run in found if heard)

    def keep_last(self) -> None:
        """Forget all but the stretch being heard: for those who only ask whether it goes on."""
        del self._runs[:-1]

    def _goes_on(self, frame: bytes) -> bool:
        run = self._runs[-1]
        expected = self._board.sound_at(Place(run.number, run.end), len(frame))
        if len(expected) < len(frame) or expected != frame:
            return False
        run.end += len(frame)
        return True

    def _begins(self, frame: bytes) -> bool:
        last = self._runs[-1] if self._runs else None
        piece = self._board.best_piece(frame, last.number if last else None)
        if piece is None:
            return False
        if last is not None and self._was_this_one_all_along(last, piece):
            last.number, last.end = piece.number, piece.end
        elif last is not None and (last.number, last.end) == (piece.number, piece.begin):
            last.end = piece.end
        else:
            self._runs.append(_Run(piece.number, piece.begin, piece.end))
        return True

    def _was_this_one_all_along(self, last: _Run, piece: Piece) -> bool:
        """Two utterances with the same beginning are told apart only where they part."""
        if last.number == piece.number or last.end != piece.begin:
            return False
        length = last.end - last.begin
        heard = self._board.sound_at(Place(last.number, last.begin), length)
        return heard == self._board.sound_at(Place(piece.number, last.begin), length)


class BoardActivity:
    """Speech is what the board knows; noise is what it does not."""

    def __init__(self, board: WordBoard) -> None:
        self._tracker = Tracker(board)

    def is_speech(self, frame: bytes) -> bool:
        known = self._tracker.feed(frame)
        self._tracker.keep_last()
        return known


def words_of(heard: Hearing) -> Sequence[str]:
    """The words of an utterance that end within the stretch heard."""
    return [
        each.word
        for each in heard.utterance.words
        if heard.begin < each.end_ms * BYTES_PER_MS <= heard.end
    ]


def _blocks_of(sound: bytes) -> Iterator[tuple[int, bytes]]:
    for at in range(0, len(sound) - _BLOCK_BYTES + 1, _BLOCK_BYTES):
        block = sound[at : at + _BLOCK_BYTES]
        if len(set(block)) >= _DISTINCT_MIN:
            yield at, block


def _agreeing(left: bytes, right: bytes) -> int:
    """How many bytes agree from the beginning on."""
    length = min(len(left), len(right))
    if left[:length] == right[:length]:
        return length
    return next(at for at in range(length) if left[at] != right[at])
