"""Real child processes: they answer in order, are bounded, are replaced, and die with their parent."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from local.speech.errors import QueueFull, WorkerLost, WorkerRefused, WorkerTimedOut
from local.speech.worker import SpeechWorker

ECHO = """
import os, signal, sys, time
from local.speech.errors import WeightsUnusable
from local.speech.pipe_frames import PipeFrame
from local.speech.worker_loop import serve

def handle(request):
    match request.header["do"]:
        case "echo": return PipeFrame({"pid": os.getpid()}, request.body)
        case "refuse": raise WeightsUnusable("no weights here")
        case "print": print("a library prints"); return PipeFrame({}, b"printed")
        case "sleep": time.sleep(60)
        case "die": os._exit(3)

serve(handle)
"""

Start = Callable[..., SpeechWorker]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    (tmp_path / "echo_worker.py").write_text(ECHO)
    started: list[SpeechWorker] = []

    def make(**settings: object) -> SpeechWorker:
        search_path = os.pathsep.join([str(Path.cwd()), str(tmp_path)])
        worker = SpeechWorker(
            "echo_worker",
            environment={"PYTHONPATH": search_path},
            **settings,  # type: ignore[arg-type]
        )
        started.append(worker)
        return worker

    yield make
    for worker in started:
        await worker.close()


async def test_many_questions_at_once_get_their_own_answers(start: Start) -> None:
    worker = start()
    bodies = [str(n).encode() * 1_000 for n in range(50)]
    replies = await asyncio.gather(*(worker.ask({"do": "echo"}, body) for body in bodies))
    assert [reply.body for reply in replies] == bodies
    assert len({reply.header["pid"] for reply in replies}) == 1
    assert worker.waiting == 0


async def test_prints_of_a_library_do_not_disturb_the_pipe(start: Start) -> None:
    worker = start()
    assert (await worker.ask({"do": "print"})).body == b"printed"
    assert (await worker.ask({"do": "echo"}, b"next")).body == b"next"


async def test_a_refusal_carries_the_workers_message_and_the_worker_lives(start: Start) -> None:
    worker = start()
    with pytest.raises(WorkerRefused, match="no weights here"):
        await worker.ask({"do": "refuse"})
    assert (await worker.ask({"do": "echo"}, b"next")).body == b"next"


async def test_one_too_many_is_refused_at_once(start: Start) -> None:
    worker = start(queue_limit=2, timeout_s=0.5)
    waiting = [asyncio.ensure_future(worker.ask({"do": "sleep"})) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(QueueFull):
        await worker.ask({"do": "echo"})
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [WorkerTimedOut, WorkerTimedOut]
    assert (await worker.ask({"do": "echo"}, b"next")).body == b"next"


async def test_a_killed_worker_is_replaced(start: Start) -> None:
    worker = start()
    first = (await worker.ask({"do": "echo"})).header["pid"]
    os.kill(first, signal.SIGKILL)
    second = (await worker.ask({"do": "echo"}, b"again")).header["pid"]
    assert second != first


async def test_a_question_that_kills_the_worker_twice_is_given_up(start: Start) -> None:
    worker = start()
    with pytest.raises(WorkerLost, match="status 3"):
        await worker.ask({"do": "die"})
    assert (await worker.ask({"do": "echo"}, b"next")).body == b"next"


async def test_close_ends_the_process(start: Start) -> None:
    worker = start()
    pid = (await worker.ask({"do": "echo"})).header["pid"]
    await worker.close()
    assert worker.pid is None
    assert not is_alive(pid)


def test_the_worker_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = textwrap.dedent("""
        import asyncio, time
        from local.speech.ports import Speaker
        from local.speech.voice import PicoVoice
        voice = PicoVoice()
        asyncio.run(voice.speak("Hola.", Speaker.AGENT))
        print(voice._worker.pid, flush=True)
        time.sleep(60)
    """)
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert is_alive(pid)
        process.kill()
    deadline = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_alive(pid)


def is_alive(pid: int) -> bool:
    """False also for a zombie that nobody has waited for."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
