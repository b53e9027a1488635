"""The door by which `./sofia call` says who answers, and the file that says where it is."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from local.api_client import Api, ApiError
from local.callee.persona import load_personas
from local.commands import up
from local.commands.up import _persona_desk, _write_down, running_twin
from local.session import Session
from local.speech.ears import TextEars
from local.speech.ports import Speaker, Utterance
from local.speech.sound import pad_to_frames, tone
from local.speech.word_board import WordBoard
from local.twin import Twin, TwinOptions


class ToneVoice:
    async def speak(self, text: str, speaker: Speaker) -> Utterance:
        return Utterance(text, pad_to_frames(tone((300.0,), 400)), ())


@asynccontextmanager
async def desk() -> AsyncIterator[Api]:
    """Of a twin that is not started: nobody calls."""
    board, voice = WordBoard(), ToneVoice()
    ears = TextEars(board)
    twin = Twin(ears, voice, TwinOptions())
    nobody = Api("http://nobody.invalid", "")
    session = Session(twin, voice, ears, load_personas(), nobody, nobody, board, "script")  # type: ignore[arg-type]
    try:
        async with _persona_desk(session) as url:
            yield Api(url, "")
    finally:
        await twin.stop()


async def ask(api: Api, body: Any) -> Any:
    return await asyncio.to_thread(api.call, "POST", "/connect", body)


async def test_a_persona_is_connected_to_a_number() -> None:
    async with desk() as api:
        wanted = await ask(api, {"persona": "p01", "number": "+34611000001"})
    assert wanted["to"] == "+34611000001"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"persona": "p99", "number": "+34611000001"}, "p01-carmen-qualified"),
        ({"persona": "p01"}, "number"),
        ({"persona": 1, "number": "+34611000001"}, "persona"),
        ({"persona": "p01", "number": "+34611000001", "at": 1}, "at"),
        ("p01", "object"),
    ],
)
async def test_what_cannot_be_connected_is_refused_with_the_reason(body: Any, text: str) -> None:
    async with desk() as api:
        with pytest.raises(ApiError, match=text) as refused:
            await ask(api, body)
    assert refused.value.status == 400


async def test_nobody_answers_once_it_is_closed() -> None:
    async with desk() as api:
        pass
    with pytest.raises(Exception, match="nothing answers"):
        await ask(api, {"persona": "p01", "number": "+34611000001"})


def test_what_is_written_down_appears_whole_and_for_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "up.json"
    monkeypatch.setattr(up, "STATE_FILE", file)
    # What other users may have opened, and are still reading.
    file.write_text('{"pid": 1}')
    file.chmod(0o644)
    with file.open() as opened:
        earlier = os.umask(0)
        try:
            _write_down({"pid": 2, "api_key": "secret"})
        finally:
            os.umask(earlier)
        assert opened.read() == '{"pid": 1}'
    assert running_twin() == {"pid": 2, "api_key": "secret"}
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
