"""Openings that were spoken once stay known to later twins, sound and words."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local import kept_sounds
from local.cloud import state
from local.kept_sounds import KeptSounds
from local.speech.ports import Utterance, WordTiming

SPOKEN = Utterance("Hola.", b"\x55" * 160, (WordTiming("Hola.", 20),))
KEY = "openings/abc.json"
BODY = json.dumps({"v": 1, "text": "Hola.", "sound": base64.b64encode(SPOKEN.sound).decode()})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(state, "HOME", tmp_path)
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        yield tmp_path


@pytest.fixture
def s3() -> Any:
    client = boto3.client("s3", region_name="us-east-1")
    for bucket in ("yesterday", "today"):
        client.create_bucket(Bucket=bucket)
    client.put_object(Bucket="yesterday", Key=KEY, Body=BODY.encode())
    return client


def objects(client: Any, bucket: str) -> dict[str, str]:
    listed = client.list_objects_v2(Bucket=bucket).get("Contents", ())
    return {
        each["Key"]: client.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().decode()
        for each in listed
    }


def test_a_new_bucket_is_filled_with_what_was_spoken(s3: Any) -> None:
    KeptSounds(s3, "yesterday", "script").keep([SPOKEN])
    today = KeptSounds(s3, "today", "script")
    today.restore()
    assert objects(s3, "today") == {KEY: BODY}
    assert today.openings == (SPOKEN,)


def test_one_minds_voice_is_not_given_to_another(s3: Any) -> None:
    KeptSounds(s3, "yesterday", "script").keep([SPOKEN])
    today = KeptSounds(s3, "today", "openai")
    today.restore()
    assert objects(s3, "today") == {}
    assert today.openings == ()


def test_what_is_made_differently_is_made_anew(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    KeptSounds(s3, "yesterday", "script").keep([SPOKEN])
    monkeypatch.setattr(kept_sounds, "_MAKERS", ("local/kept_sounds.py",))
    today = KeptSounds(s3, "today", "script")
    today.restore()
    assert today.openings == ()
    assert len(list((state.HOME / "sounds").iterdir())) == 1


def test_what_is_kept_already_keeps_its_words(s3: Any) -> None:
    """A twin that brought an opening back did not hear it being spoken."""
    KeptSounds(s3, "yesterday", "script").keep([SPOKEN])
    KeptSounds(s3, "yesterday", "script").keep([])
    today = KeptSounds(s3, "today", "script")
    today.restore()
    assert today.openings == (SPOKEN,)


def test_no_more_is_kept_than_anybody_needs(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_sounds, "_FILES_MAX", 2)
    for number in range(4):
        s3.put_object(Bucket="yesterday", Key=f"openings/{number}.json", Body=BODY.encode())
    KeptSounds(s3, "yesterday", "script").keep([SPOKEN])
    today = KeptSounds(s3, "today", "script")
    today.restore()
    assert len(today.openings) == 2
