"""What the callee heard of the agent, and when: found in the sound at its ear, not in anybody's report.

The sound that reached the callee holds what the agent's voice produced byte for byte. Each stretch of it is looked up
among all that was produced for the call, words with their times; what is found nowhere is sound that nobody made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from local.callee.account import Account, HeardSpeech
from local.callee.listening import AUDIBLE_RMS
from local.speech.ports import BYTES_PER_MS, FRAME_BYTES, Utterance
from local.speech.sound import MULAW_SILENCE, rms
from local.speech.word_board import Hearing, WordBoard, words_of

_ONSET_MS = 100
"""The first sounds of a word may be too faint for the callee to notice that somebody speaks."""
_ANCHOR_BYTES = 32
"""The word board finds nothing shorter."""


@dataclass(frozen=True, slots=True)
class HeardTurn:
    """One turn of the agent. `cut_words` were produced and not heard; `unknown_ms` of what could be heard, in whole
    frames, nobody produced."""

    started_ms: int
    ended_ms: int
    pieces: tuple[Hearing, ...]
    unknown_ms: int = 0

    @property
    def text(self) -> str:
        return " ".join(word for piece in self.pieces for word in _words(piece))

    @property
    def cut_words(self) -> tuple[str, ...]:
        """Of the last utterance."""
        if not self.pieces:
            return ()
        last = self.pieces[-1]
        return tuple(words_of(Hearing(last.utterance, last.end, len(last.utterance.sound))))


def heard_turns(account: Account, produced: Sequence[Utterance]) -> tuple[HeardTurn, ...]:
    """The agent's turns in order. A turn ends where the callee speaks or after a pause that it takes for the end;
    one that goes on where it was stopped, or begins anew, is one turn."""
    board = WordBoard(sound_bytes_max=sum(len(each.sound) for each in produced) + 1)
    for utterance in produced:
        board.post(utterance)
    turns: list[HeardTurn] = []
    for speech, sound in _stretches(account):
        turn = _turn(speech, sound, board.hearings(sound))
        if turns and _goes_on(turns[-1], turn):
            turns[-1] = _joined(turns[-1], turn)
        else:
            turns.append(turn)
    return tuple(turns)


def heard_at_ms(account: Account, sound: bytes, end_ms: int) -> int | None:
    """When the callee had heard `sound` up to `end_ms` of it, in ms from the answer; None if it never did."""
    end = end_ms * BYTES_PER_MS
    at = account.heard.find(sound[max(0, end - _ONSET_MS * BYTES_PER_MS) : end])
    return None if at < 0 else (at + min(end, _ONSET_MS * BYTES_PER_MS)) // BYTES_PER_MS


def _stretches(account: Account) -> list[tuple[HeardSpeech, bytes]]:
    """Each stretch with all its sound: from shortly before it was noticed to shortly before the next one."""
    speech = account.agent_speech
    starts_ms = [
        max(each.start_ms - _ONSET_MS, before.end_ms if before else 0)
        for before, each in zip([None, *speech], speech, strict=False)
    ]
    ends_ms = [*starts_ms[1:], len(account.heard) // BYTES_PER_MS]
    return [
        (each, account.heard[start * BYTES_PER_MS : end * BYTES_PER_MS])
        for each, start, end in zip(speech, starts_ms, ends_ms, strict=True)
    ]


def _turn(speech: HeardSpeech, sound: bytes, hearings: Sequence[Hearing]) -> HeardTurn:
    found = [each for each in hearings if _is_audible(each)]
    # No frame is tolerated: sound comes to the ear in whole frames, cut or padded with silence only between them, and
    # the board finds every frame of speech to the byte.
    unknown_ms = _audible_frames(_unknown(sound, hearings)) * FRAME_BYTES // BYTES_PER_MS
    return HeardTurn(speech.start_ms, speech.end_ms, _merged(found), unknown_ms)


def _unknown(sound: bytes, hearings: Sequence[Hearing]) -> bytes:
    """`sound` with silence in the place of everything that was found in it."""
    left, done = bytearray(sound), 0
    for piece in hearings:
        known = piece.utterance.sound[piece.begin : piece.end]
        # In one go, unless the agent's sound had to wait in the middle of it.
        while known and (at := sound.find(known[:_ANCHOR_BYTES], done)) >= 0:
            size = _agreeing(known, sound[at : at + len(known)])
            left[at : at + size] = MULAW_SILENCE * size
            known, done = known[size:], at + size
    return bytes(left)


def _agreeing(left: bytes, right: bytes) -> int:
    """How many bytes agree from the beginning on."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(left), len(right)))


def _words(piece: Hearing) -> list[str]:
    """The words of which the greater part was heard, their ends among it."""
    first = next(
        (word for word in piece.utterance.words if word.end_ms * BYTES_PER_MS > piece.begin), None
    )
    words = list(words_of(piece))
    if first is None or not words or words[0] != first.word:
        return words
    before_ms = [word.end_ms for word in piece.utterance.words if word.end_ms < first.end_ms]
    begin, end = max(before_ms, default=0) * BYTES_PER_MS, first.end_ms * BYTES_PER_MS
    # A pause before the word is no part of it.
    missed = _audible_frames(piece.utterance.sound[begin : piece.begin])
    return words if missed * 2 <= _audible_frames(piece.utterance.sound[begin:end]) else words[1:]


def _is_audible(piece: Hearing) -> bool:
    """Utterances begin and end with the faint floor of the voice, which is nobody's speech."""
    return _audible_frames(piece.utterance.sound[piece.begin : piece.end]) > 0


def _audible_frames(sound: bytes) -> int:
    frames = (sound[at : at + FRAME_BYTES] for at in range(0, len(sound), FRAME_BYTES))
    return sum(rms(frame) >= AUDIBLE_RMS for frame in frames)


def _merged(pieces: Sequence[Hearing]) -> tuple[Hearing, ...]:
    """What was heard twice, because the sound was stopped and went on a little earlier, was said once."""
    merged: list[Hearing] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        if last and last.utterance is piece.utterance and piece.begin <= last.end:
            end = max(last.end, piece.end)
            merged[-1] = Hearing(last.utterance, min(last.begin, piece.begin), end)
        else:
            merged.append(piece)
    return tuple(merged)


def _goes_on(before: HeardTurn, turn: HeardTurn) -> bool:
    if not before.cut_words or not turn.pieces:
        return False
    stopped, first = before.pieces[-1], turn.pieces[0]
    return first.utterance is stopped.utterance and first.begin <= stopped.end


def _joined(before: HeardTurn, turn: HeardTurn) -> HeardTurn:
    return HeardTurn(
        before.started_ms,
        turn.ended_ms,
        _merged([*before.pieces, *turn.pieces]),
        before.unknown_ms + turn.unknown_ms,
    )
