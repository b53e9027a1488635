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

from local.speech.ports import BYTES_PER_MS, Utterance

_BLOCK_BYTES = 16
_DISTINCT_MIN = 6
"""Blocks with fewer different bytes are silence or nearly so, and found everywhere."""
_PLACES_MAX = 16
_OFFSETS_TRIED = (*range(32), *range(64, 80), *range(128, 145))
"""Of a frame: 16 in a row meet an indexed block whatever the alignment; four places find frames
that are speech in part only. Noise is looked up in 30 us a frame this way (measured)."""
_AGREEING_BYTES_MIN = 32
"""A piece of two blocks counts; shorter ones are chance or silence."""
_WORD_TAIL_BYTES = 48
"""What is left of a word after a cut is found again if it holds two whole blocks; a word with less
than that to come was heard."""


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
        """The known pieces of `sound`, in order, to the byte. Every byte is tried as a beginning,
        so that no piece of two blocks is missed wherever it was cut; a second of sound takes 5 ms."""
        pieces: list[Piece] = []
        at = done = 0
        with self._lock:
            while at <= len(sound) - _BLOCK_BYTES:
                following = pieces[-1].number if pieces else None
                found = self._longest_through(sound, at, done, following)
                if found is None:
                    at += 1
                    continue
                piece, done = found
                at = done
                self._join(pieces, piece)
            return tuple(
                Hearing(self._utterances[each.number], each.begin, each.end) for each in pieces
            )

    def sound_at(self, place: Place, count: int) -> bytes:
        """`count` bytes from `place` on, fewer at the end; none if the utterance is forgotten."""
        with self._lock:
            utterance = self._utterances.get(place.number)
        return b"" if utterance is None else utterance.sound[place.at : place.at + count]

    def best_piece(self, frame: bytes, following: int | None) -> tuple[Piece, int] | None:
        """The stretch of an utterance that agrees most with `frame`; of equals, the one of the
        utterance `following`, then the one posted last; and where in the frame it begins."""
        best: tuple[Piece, int] | None = None
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
                        best = piece, offset - (place.at - piece.begin)
                        best_rank = rank
                if best_rank >= (len(frame), following is not None):
                    break
        return best

    def _longest_through(
        self, sound: bytes, at: int, done: int, following: int | None
    ) -> tuple[Piece, int] | None:
        """The longest stretch of an utterance that `sound` holds around the block at `at`, ranked
        as in `best_piece`, and where it ends in `sound`. Bytes before `done` are taken already."""
        best: tuple[Piece, int] | None = None
        best_rank = (_AGREEING_BYTES_MIN - 1, False)
        for place in reversed(self._blocks.get(sound[at : at + _BLOCK_BYTES], ())):
            spoken = self._utterances[place.number].sound
            before = _agreeing(spoken[: place.at][::-1], sound[done:at][::-1])
            after = _agreeing(spoken[place.at :], sound[at : at + len(spoken) - place.at])
            rank = (before + after, place.number == following)
            if rank > best_rank:
                best = Piece(place.number, place.at - before, place.at + after), at + after
                best_rank = rank
        return best

    def _join(self, pieces: list[Piece], piece: Piece) -> None:
        """Append `piece`, or let it grow the last one where it goes on from there."""
        last = pieces[-1] if pieces else None
        if last is not None and last.end == piece.begin and self._same_so_far(last, piece):
            pieces[-1] = Piece(piece.number, last.begin, piece.end)
        else:
            pieces.append(piece)

    def _same_so_far(self, last: Piece, piece: Piece) -> bool:
        """Two utterances with the same beginning are told apart only where they part."""
        if last.number == piece.number:
            return True
        former, latter = (self._utterances[each.number].sound for each in (last, piece))
        return former[last.begin : last.end] == latter[last.begin : last.end]

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


class BoardActivity:
    """Speech is what the board knows; noise is what it does not."""

    def __init__(self, board: WordBoard) -> None:
        self._board = board
        self._expected: Place | None = None

    def is_speech(self, frame: bytes) -> bool:
        if self._expected is not None and self._goes_on(self._expected, frame):
            return True
        found = self._board.best_piece(frame, None)
        self._expected = Place(found[0].number, found[0].end) if found else None
        return found is not None

    def _goes_on(self, expected: Place, frame: bytes) -> bool:
        """Pauses within an utterance are part of it, as long as the sound follows it."""
        if self._board.sound_at(expected, len(frame)) != frame:
            return False
        self._expected = Place(expected.number, expected.at + len(frame))
        return True


def words_of(heard: Hearing) -> Sequence[str]:
    """The words of an utterance whose last 6 ms begin within the stretch heard."""
    return [
        each.word
        for each in heard.utterance.words
        if heard.begin < each.end_ms * BYTES_PER_MS - _WORD_TAIL_BYTES <= heard.end
    ]


def _blocks_of(sound: bytes) -> Iterator[tuple[int, bytes]]:
    for at in range(0, len(sound) - _BLOCK_BYTES + 1, _BLOCK_BYTES):
        block = sound[at : at + _BLOCK_BYTES]
        if len(set(block)) >= _DISTINCT_MIN:
            yield at, block


def _agreeing(left: bytes, right: bytes) -> int:
    """How many bytes agree from the beginning on; halving, since comparing slices is fast."""
    agreed, differs = 0, min(len(left), len(right)) + 1
    while differs - agreed > 1:
        middle = (agreed + differs) // 2
        if left[agreed:middle] == right[agreed:middle]:
            agreed = middle
        else:
            differs = middle
    return agreed
