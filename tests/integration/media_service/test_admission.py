"""Who may enter the media service: one stream for each leg of a call that is alive, and nobody else."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from local.cloud.template import Template
from media_service.admission import Admission, AdmissionRefused
from media_service.phone.wire import MediaFormat, PhoneProtocolError, Start
from shared.adapters import aws_clients
from shared.adapters.journal import Journal
from shared.adapters.leases import LeaseRefused
from shared.adapters.opening_studio import clip_of
from shared.adapters.sounds import OpeningClips
from shared.domain.call import Call, Fact, FactKind
from shared.domain.conversation import Turn, Who
from shared.domain.errors import NotFound
from shared.domain.journal import JournalEntry
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


@pytest.fixture
def admission(stage: TestStage, clips: OpeningClips) -> Admission:
    journal = Journal(aws_clients.dynamodb(), stage.template.physical["LiveTable"])
    return Admission(
        stage.clock, stage.live, stage.directory, stage.leases, journal, clips, "task-1"
    )


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


def test_a_stream_enters_once_and_the_call_is_in_talk(
    stage: TestStage, admission: Admission
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    admitted = admission.admit(start(stage, call), (SECRET,))
    assert (admitted.lease.fence, admitted.history, admitted.next_seq) == (1, None, 1)
    assert stage.live.get(call.call_id).has(FactKind.STREAM_STARTED)
    with pytest.raises(LeaseRefused):
        admission.admit(start(stage, call), (SECRET,))


def test_the_next_leg_goes_on_where_the_last_one_was_and_keeps_it_out(
    stage: TestStage, admission: Admission
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    admission.admit(start(stage, call), (SECRET,))
    turn = Turn(1, Who.CALLEE, "¿Diga?", "¿Diga?", 0, 500)
    journal = Journal(aws_clients.dynamodb(), stage.template.physical["LiveTable"], stage.clock)
    journal.append([JournalEntry(call.call_id, 4, 1, turn)])
    stage.clock.forward(7)
    admitted = admission.admit(start(stage, call, leg=2), (SECRET,))
    assert admitted.history is not None
    assert admitted.history.turns == (turn,)
    assert (admitted.next_seq, admitted.elapsed_ms) == (5, 7_000)
    with pytest.raises(LeaseRefused):
        admission.admit(start(stage, call), (SECRET,))


def test_what_the_store_keeps_of_a_call_in_talk_runs_out(
    stage: TestStage, admission: Admission
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    admission.admit(start(stage, call), (SECRET,))
    journal = Journal(aws_clients.dynamodb(), stage.template.physical["LiveTable"], stage.clock)
    journal.append([JournalEntry(call.call_id, 1, 1, Turn(1, Who.CALLEE, "a", "a", 0, 1))])
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
def test_a_call_that_is_over_or_to_be_ended_takes_no_stream(
    stage: TestStage, admission: Admission, kind: FactKind
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    stage.live.record(call.call_id, [Fact(stage.clock.now(), kind, 1, "test", "CA1")])
    with pytest.raises(AdmissionRefused):
        admission.admit(start(stage, call), (SECRET,))
    assert not stage.live.get(call.call_id).has(FactKind.STREAM_STARTED)


def test_tokens_that_open_nothing(stage: TestStage, admission: Admission) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    with pytest.raises(TokenRefused, match="signature"):
        admission.admit(start(stage, call, secret=b"x" * 32), (SECRET,))
    with pytest.raises(AdmissionRefused, match="attempt"):
        admission.admit(start(stage, call, attempt=2), (SECRET,))
    with pytest.raises(PhoneProtocolError):
        admission.admit(start(stage, call, rate=16_000), (SECRET,))
    late = start(stage, call)
    stage.clock.forward(121)
    with pytest.raises(TokenRefused, match="out of time"):
        admission.admit(late, (SECRET,))
    # After a rotation the former secret still opens.
    assert admission.admit(start(stage, call), (b"new" * 8, SECRET)).lease.fence == 1


def test_a_later_leg_of_another_phone_call_is_refused(
    stage: TestStage, admission: Admission
) -> None:
    call = stage.dialling(FactKind.ANSWERED, sid="CA1")
    admission.admit(start(stage, call), (SECRET,))
    with pytest.raises(LeaseRefused):
        admission.admit(start(stage, call, leg=2, call_sid="CA2"), (SECRET,))


def test_a_token_of_nobodys_call(stage: TestStage, admission: Admission) -> None:
    token = StreamToken("0" * 26, 1, 1, stage.clock.now() + timedelta(minutes=1))
    media_format = MediaFormat(encoding="audio/x-mulaw", sample_rate=8_000, channels=1)
    stranger = Start("MZ1", "CA1", "AC1", media_format, {"token": token.signed(SECRET)})
    with pytest.raises(NotFound):
        admission.admit(stranger, (SECRET,))
