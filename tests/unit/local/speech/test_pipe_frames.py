import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.speech.pipe_frames import FrameBroken, PipeFrame, encode, read_frame


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.booleans()), st.binary())
def test_what_is_sent_arrives(header: dict[str, object], body: bytes) -> None:
    stream = io.BytesIO(encode(PipeFrame(header, body)) + encode(PipeFrame({"n": 2})))
    assert read_frame(stream.read) == PipeFrame(header, body)
    assert read_frame(stream.read) == PipeFrame({"n": 2})
    assert read_frame(stream.read) is None


def test_a_frame_cut_short_by_the_end_of_the_stream_is_no_frame() -> None:
    whole = encode(PipeFrame({"text": "hola"}, b"12345"))
    for length in range(len(whole)):
        assert read_frame(io.BytesIO(whole[:length]).read) is None


def test_lengths_that_make_no_sense_are_refused() -> None:
    with pytest.raises(FrameBroken):
        read_frame(io.BytesIO(b"\xff" * 8).read)
