"""The documents that Twilio runs for a call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from shared.adapters.twiml import Addresses, TokenTimes, first_document, next_document
from shared.domain.stream_token import StreamToken, verified

NOW = datetime(2026, 11, 24, 9, 40, tzinfo=UTC)
SECRET = b"s" * 32
ADDRESSES = Addresses("https://api.sofia.test", "wss://media.sofia.test/media")
TIMES = TokenTimes(ring_s=25, limit_s=480)
CALL_ID = "01JDABCDEFGHJKMNPQRSTVWXYZ"


def first() -> str:
    return first_document(ADDRESSES, SECRET, CALL_ID, 1, TIMES, NOW)


def tokens(document: str) -> list[StreamToken]:
    values = [one.attrib["value"] for one in ElementTree.fromstring(document).iter("Parameter")]
    return [verified(value, (SECRET,), NOW) for value in values]


def test_the_first_document_holds_two_legs_and_an_end() -> None:
    verbs = list(ElementTree.fromstring(first()))
    assert [verb.tag for verb in verbs] == ["Connect", "Connect", "Hangup"]
    assert "action" not in verbs[0].attrib
    assert (
        verbs[1]
        .attrib["action"]
        .startswith(f"https://api.sofia.test/twilio/calls/{CALL_ID}/1/stream-ended/2#")
    )


def test_the_first_token_lives_as_long_as_the_phone_may_ring_later_ones_as_long_as_the_call() -> (
    None
):
    one, two = tokens(first())
    assert (one.leg, one.expires_at - NOW) == (1, timedelta(seconds=55))
    assert two.leg == 2
    assert two.expires_at - NOW >= timedelta(seconds=480)


def test_the_document_stays_within_twilios_limits() -> None:
    long = Addresses("https://" + "a" * 120 + ".example", "wss://" + "b" * 120 + ".example/media")
    document = first_document(long, SECRET, CALL_ID, 99, TIMES, NOW)
    assert len(document) <= 4_000
    for parameter in ElementTree.fromstring(document).iter("Parameter"):
        assert len(parameter.attrib["name"]) + len(parameter.attrib["value"]) < 500


def test_a_stream_address_has_no_query() -> None:
    for stream in ElementTree.fromstring(first()).iter("Stream"):
        assert stream.attrib["url"] == "wss://media.sofia.test/media"


def test_the_next_leg_comes_back_to_us_when_it_ends() -> None:
    document = next_document(ADDRESSES, SECRET, CALL_ID, 1, 2, TIMES, NOW)
    (connect, end) = list(ElementTree.fromstring(document))
    assert "stream-ended/3" in connect.attrib["action"]
    assert end.tag == "Hangup"
    assert [token.leg for token in tokens(document)] == [3]
