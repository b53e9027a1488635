"""Who may enter the media service: one stream for each leg of a call that is alive, and nobody else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from local.cloud.template import Template
from media_service.admission import Admission, AdmissionRefused, Admitted
from media_service.phone.wire import MediaFormat, PhoneProtocolError, Start
from media_service.worker_threads import WorkerThreads
from shared.adapters import aws_clients
from shared.adapters.journal import Journal
from shared.adapters.leases import LeaseRefused
from shared.adapters.opening_studio import clip_of
from shared.adapters.sounds import OpeningClips
from shared.domain.call import Call, Fact, FactKind
from shared.domain.conversation import CloseCause, Turn, Usage, UsageKind, Who
from shared.domain.errors import NotFound
from shared.domain.journal import Closed, JournalBody, JournalEntry, Moments
from shared.domain.stream_token import StreamToken, TokenRefused
from tests.integration.functions.stage import SetClock, TestStage

SECRET = b"s" * 32


@pytest.fixture
def stage(template: Template) -> TestStage:
    return TestStage(template, SetClock())


@pytest.fixture
def clips(stage: TestStage) -> OpeningClips:
    # A bucket of its own: clips are found by their words, which other tests have approved in earnest.
    region = {"LocationConstraint": "eu-west-1"}
    with contextlib.suppress(ClientError):
        aws_clients.s3().create_bucket(
            Bucket="clips-of-admission", CreateBucketConfiguration=region
        )
    found = OpeningClips(aws_clients.s3(), "clips-of-admission")
    agent = stage.directory.agent(stage.tenant_id, "sofia", 1)
    found.put(agent, clip_of(agent, b"\xff" * 80_000))
    return found


class Pipe:
    """An earlier leg's entries that are still on their way are written when somebody waits for them."""

    def __init__(self) -> None:
        self.on_the_way: Callable[[], None] = lambda: None

    async def written(self, _call_id: str) -> None:
        self.on_the_way()


@pytest.fixture
def pipe() -> Pipe:
    return Pipe()


@pytest.fixture
def admission(stage: TestStage, clips: OpeningClips, pipe: Pipe) -> Iterator[Admission]:
    journal = Journal(aws_clients.dynamodb(), stage.template.physical["LiveTable"])
    threads = WorkerThreads(4)
    yield Admission(
        stage.live,
        stage.directory,
        stage.leases,
        journal,
        clips,
        threads,
        pipe.written,
        (SECRET, b"former" * 6),
        "task-1",
    )
    threads.stop()


async def admit(admission: Admission, stage: TestStage, stream: Start) -> Admitted:
    return await admission.enter(await admission.identify(stream, stage.clock.now()))


def write(stage: TestStage, call: Call, *bodies: JournalBody, first_seq: int = 1) -> None:
    """What an earlier leg left in the journal."""
    journal = Journal(aws_clients.dynamodb(), stage.template.physical["LiveTable"], stage.clock)
    journal.append(
        [JournalEntry(call.call_id, n, 1, body) for n, body in enumerate(bodies, first_seq)]
    )


HELLO = Turn(1, Who.CALLEE, "¿Diga?", "¿Diga?", 0, 500)
OPENING = Turn(2, Who.AGENT, "Hola, soy Sofía", "Hola, soy Sofía", 700, 3_000)


def start(
    stage: TestStage,
    call: Call,
    *,
    attempt: int = 1,
    leg: int = 1,
    secret: bytes = SECRET,
    call_sid: str = "CA1",
    rate: int = 8_000,
) -> Start:
    token = StreamToken(call.call_id, attempt, leg, stage.clock.now() + timedelta(minutes=2))
    media_format = MediaFormat(encoding="audio/x-mulaw", sample_rate=rate, channels=1)
    return Start("MZ1", call_sid, "AC1", media_format, {"token": token.signed(secret)})


async def test_a_stream_enters_once_and_the_call_is_in_talk(
    stage: TestStage, admission: Admission
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    admitted = await admit(admission, stage, start(stage, call))
    assert (admitted.lease.fence, admitted.history, admitted.next_seq) == (1, None, 1)
    assert stage.live.get(call.call_id).has(FactKind.STREAM_STARTED)
    with pytest.raises(LeaseRefused):
        await admit(admission, stage, start(stage, call))


async def test_the_next_leg_goes_on_where_the_last_one_was_and_keeps_it_out(
    stage: TestStage, admission: Admission
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    await admit(admission, stage, start(stage, call))
    write(stage, call, HELLO, OPENING, first_seq=3)
    stage.clock.forward(7)
    admitted = await admit(admission, stage, start(stage, call, leg=2))
    assert admitted.history is not None
    assert admitted.history.turns == (HELLO, OPENING)
    assert (admitted.next_seq, admitted.elapsed_ms) == (5, 7_000)
    with pytest.raises(LeaseRefused):
        await admit(admission, stage, start(stage, call))


async def test_the_next_leg_of_the_same_task_has_what_the_last_one_was_still_writing(
    stage: TestStage, admission: Admission, pipe: Pipe
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    await admit(admission, stage, start(stage, call))
    pipe.on_the_way = lambda: write(stage, call, HELLO, OPENING)
    admitted = await admit(admission, stage, start(stage, call, leg=2))
    assert admitted.history is not None
    assert admitted.history.turns == (HELLO, OPENING)


@pytest.mark.parametrize(
    "bodies",
    [(), (HELLO,), (HELLO, Usage(UsageKind.TRANSCRIPTION, "m", seconds=1.0))],
)
async def test_where_sofia_was_not_heard_yet_the_next_leg_opens_the_call(
    stage: TestStage, admission: Admission, bodies: tuple[JournalBody, ...]
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    await admit(admission, stage, start(stage, call))
    if bodies:
        write(stage, call, *bodies)
    admitted = await admit(admission, stage, start(stage, call, leg=2))
    assert (admitted.history, admitted.next_seq) == (None, len(bodies) + 1)


async def test_a_first_leg_that_never_came_in_is_nothing_to_go_on_from(
    stage: TestStage, admission: Admission
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    admitted = await admit(admission, stage, start(stage, call, leg=2))
    assert (admitted.history, admitted.next_seq, admitted.elapsed_ms) == (None, 1, 0.0)


async def test_a_first_sound_is_something_to_go_on_from(
    stage: TestStage, admission: Admission
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    await admit(admission, stage, start(stage, call))
    write(stage, call, Moments(first_sound_ms=900))
    admitted = await admit(admission, stage, start(stage, call, leg=2))
    assert admitted.history is not None
    assert admitted.history.first_sound_ms == 900


async def test_a_closed_conversation_takes_no_leg_though_the_call_does_not_say_so_yet(
    stage: TestStage, admission: Admission
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    await admit(admission, stage, start(stage, call))
    write(stage, call, HELLO, OPENING, Closed(CloseCause.GOODBYE, 9_000))
    with pytest.raises(AdmissionRefused, match="closed"):
        await admit(admission, stage, start(stage, call, leg=2))


async def test_the_call_counts_from_the_start_message(
    stage: TestStage, admission: Admission
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    came_at = stage.clock.now()
    stream = await admission.identify(start(stage, call), came_at)
    stage.clock.forward(2)
    admitted = await admission.enter(stream)
    assert (admitted.lease.answered_at, admitted.elapsed_ms) == (came_at, 0.0)


async def test_what_the_store_keeps_of_a_call_in_talk_runs_out(
    stage: TestStage, admission: Admission
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    await admit(admission, stage, start(stage, call))
    write(stage, call, HELLO)
    items = aws_clients.dynamodb().query(
        TableName=stage.template.physical["LiveTable"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"CALL#{call.call_id}"}},
    )["Items"]
    assert len(items) >= 3
    late = stage.clock.now() + timedelta(days=31)
    assert all(0 < int(item["ttl"]["N"]) < late.timestamp() for item in items)


@pytest.mark.parametrize(
    "kind",
    [
        FactKind.COMPLETED,
        FactKind.CONVERSATION_CLOSED,
        FactKind.CANCEL_REQUESTED,
        FactKind.HANG_UP_REQUESTED,
    ],
)
async def test_a_call_that_is_over_or_to_be_ended_takes_no_stream(
    stage: TestStage, admission: Admission, kind: FactKind
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    stage.live.record(call.call_id, [Fact(stage.clock.now(), kind, 1, "test", "CA1")])
    with pytest.raises(AdmissionRefused):
        await admit(admission, stage, start(stage, call))
    assert not stage.live.get(call.call_id).has(FactKind.STREAM_STARTED)


async def test_tokens_that_open_nothing(stage: TestStage, admission: Admission) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    with pytest.raises(TokenRefused, match="signature"):
        await admit(admission, stage, start(stage, call, secret=b"x" * 32))
    with pytest.raises(AdmissionRefused, match="attempt"):
        await admit(admission, stage, start(stage, call, attempt=2))
    with pytest.raises(PhoneProtocolError):
        await admit(admission, stage, start(stage, call, rate=16_000))
    late = start(stage, call)
    stage.clock.forward(121)
    with pytest.raises(TokenRefused, match="out of time"):
        await admit(admission, stage, late)
    # After a rotation the former secret still opens.
    admitted = await admit(admission, stage, start(stage, call, secret=b"former" * 6))
    assert admitted.lease.fence == 1


async def test_a_later_leg_of_another_phone_call_is_refused(
    stage: TestStage, admission: Admission
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    await admit(admission, stage, start(stage, call))
    with pytest.raises(LeaseRefused):
        await admit(admission, stage, start(stage, call, leg=2, call_sid="CA2"))


async def test_a_token_of_nobodys_call(stage: TestStage, admission: Admission) -> None:
    token = StreamToken("0" * 26, 1, 1, stage.clock.now() + timedelta(minutes=1))
    media_format = MediaFormat(encoding="audio/x-mulaw", sample_rate=8_000, channels=1)
    stranger = Start("MZ1", "CA1", "AC1", media_format, {"token": token.signed(SECRET)})
    with pytest.raises(NotFound):
        await admit(admission, stage, stranger)
