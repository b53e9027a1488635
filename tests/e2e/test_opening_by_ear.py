"""When Sofia begins to speak, and from when on each legal duty was heard: measured at the callee's ear, never by her own
account of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from local.callee.checks import CheckLevel
from local.callee.ear import heard_at_ms
from local.callee.listening import AUDIBLE_RMS
from local.carrier.far_end import FRAME_MS
from local.judging import judged
from local.placing import Placed, place
from local.session import TENANT, Session, open_session
from local.speech.ports import FRAME_BYTES, Speaker
from local.speech.sound import rms
from local.twin import TwinOptions
from shared.adapters import aws_clients
from tests.e2e.people import answering

DUTIES = {"ai", "company", "purpose", "transcription", "right_to_object"}
GOODBYE = {"say": "No me interesa, gracias. Adiós."}
SILENT_MS = 1_200
FIRST_PART_MS = 100
AFTER_FIRST_WORDS_MS = 300
# From the media service's socket into the carrier's next frames.
TRANSPORT_MS = 60
# A duty counts as heard when the mark behind its last piece of 200 ms is back.
PIECE_MS = 200
OWN_SHARE_MS = 10


@pytest.mark.timeout(200)
async def test_the_opening_begins_in_time_and_every_duty_is_heard_when_the_report_says_so() -> None:
    async with open_session(TwinOptions()) as session:
        carmen = session.personas.persona("p01")
        session.twin.clock.set_now(carmen.call_at)
        silent = answering(carmen, "+34611000101", {"say": "¿Quién es?"}, GOODBYE)
        greeting = answering(carmen, "+34611000102", {"say": "¿Diga?", "when": "first"}, GOODBYE)
        first, second = await asyncio.gather(
            *(place(session.twin, session.api, who, session.voice) for who in (silent, greeting))
        )
        spoken = await session.voice.speak("¿Diga?", Speaker.CALLEE)
        account = first.actor.account()
        (opening,) = (
            each
            for each in session.twin.openings
            if heard_at_ms(account, each.sound, FIRST_PART_MS) is not None
        )
        clauses = await asyncio.to_thread(clauses_spoken, session, opening.text)
        troubles = {
            who.id: [
                (check.id, check.moment, check.detail)
                for check in await judged(session, placed, who, TENANT)
                if check.passed is False and check.level is CheckLevel.HARD
            ]
            for placed, who in ((first, silent), (second, greeting))
        }

    late_ms = begun_ms(first, opening.sound) - first.stream_since_ms - SILENT_MS
    assert -FRAME_MS <= late_ms <= FRAME_MS + TRANSPORT_MS

    words_ended_ms = second.actor.account().own_speech[0].end_ms - quiet_end_ms(spoken.sound)
    assert 0 < begun_ms(second, opening.sound) - words_ended_ms <= AFTER_FIRST_WORDS_MS

    for placed in (first, second):
        check_duties(placed, opening.sound, clauses)
        own_ms = [
            turn["waterfall_ms"]["own"]
            for turn in placed.report["turns"]
            if turn.get("waterfall_ms") and turn["waterfall_ms"]["own"] is not None
        ]
        assert own_ms
        assert max(own_ms) < OWN_SHARE_MS, own_ms
    assert troubles == {who.id: [] for who in (silent, greeting)}


def begun_ms(placed: Placed, opening: bytes) -> int:
    """When the first frame of the opening reached the callee's ear, in ms from the answer."""
    heard_ms = heard_at_ms(placed.actor.account(), opening, FIRST_PART_MS)
    assert heard_ms is not None
    return heard_ms - FIRST_PART_MS


def quiet_end_ms(sound: bytes) -> int:
    """How long an utterance is silent before its sound ends: the callee's words are over that much earlier."""
    frames = [sound[at : at + FRAME_BYTES] for at in range(0, len(sound), FRAME_BYTES)]
    last = max(index for index, frame in enumerate(frames) if rms(frame) >= AUDIBLE_RMS)
    return (len(frames) - 1 - last) * FRAME_MS


def clauses_spoken(session: Session, text: str) -> list[dict[str, Any]]:
    """The clauses of the kept opening: each with its duties and where in the sound its words end."""
    bucket = session.twin.cloud.template.physical["SoundsBucket"]
    s3 = aws_clients.s3()
    for kept in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        clip = json.loads(s3.get_object(Bucket=bucket, Key=kept["Key"])["Body"].read())
        if clip["text"] == text:
            clauses: list[dict[str, Any]] = clip["clauses"]
            return clauses
    raise AssertionError("the opening that was heard is not kept")


def check_duties(placed: Placed, sound: bytes, clauses: list[dict[str, Any]]) -> None:
    """Each duty is in the report, at the moment at which the callee had heard its clause."""
    account, told_ms = placed.actor.account(), placed.report["duties"]
    assert set(told_ms) == DUTIES
    for clause in clauses:
        heard_ms = heard_at_ms(account, sound, clause["voice_to_ms"])
        for duty in clause["duties"]:
            assert heard_ms is not None, (duty, "was never heard")
            late_ms = told_ms[duty] + placed.stream_since_ms - heard_ms
            assert -FRAME_MS <= late_ms <= PIECE_MS + TRANSPORT_MS, (duty, late_ms)
