"""The project's own template, as the twin reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.cloud.template import (
    QueueSource,
    Route,
    StreamSource,
    Template,
    TemplateError,
    Timer,
)

ROOT = Path(__file__).parents[4]
PARAMETERS = {"PublicBaseUrl": "https://a", "PublicStreamUrl": "wss://a"}


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(text)
    return path


def test_every_function_of_the_template_has_a_handler_that_exists() -> None:
    template = Template(ROOT / "template.yaml", PARAMETERS)
    for properties in template.resources("AWS::Serverless::Function").values():
        module, _, name = properties["Handler"].rpartition(".")
        path = ROOT / (module.replace(".", "/") + ".py")
        assert f"def {name}(" in path.read_text()


def test_every_kind_of_event_is_there() -> None:
    kinds = {type(event) for event in Template(ROOT / "template.yaml", PARAMETERS).events()}
    assert kinds == {Route, QueueSource, StreamSource, Timer}


def test_only_the_carriers_callbacks_are_public() -> None:
    routes = [
        e for e in Template(ROOT / "template.yaml", PARAMETERS).events() if isinstance(e, Route)
    ]
    assert [route.path for route in routes if route.public] == [
        "/twilio/calls/{call_id}/{attempt}/{event+}"
    ]


def test_every_queue_that_feeds_a_function_has_a_dead_letter_queue_and_waits_longer_than_it() -> (
    None
):
    template = Template(ROOT / "template.yaml", PARAMETERS)
    queues = template.resources("AWS::SQS::Queue")
    functions = template.resources("AWS::Serverless::Function")
    for source in template.events():
        if isinstance(source, QueueSource):
            assert "RedrivePolicy" in queues[source.queue]
            timeout = functions[source.function].get("Timeout", 10)
            # The dialer's message is short work that must come back soon: see its own test of repetition.
            assert (
                source.queue == "DialQueue"
                or queues[source.queue]["VisibilityTimeout"] >= 6 * timeout
            )


def test_what_is_not_understood_is_refused_by_name(tmp_path: Path) -> None:
    text = (
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        "      Handler: a.b\n      Events: {K: {Type: Kinesis, Properties: {}}}\n"
    )
    with pytest.raises(TemplateError, match="F: the event type Kinesis"):
        Template(write(tmp_path, text), {}).events()
    with pytest.raises(TemplateError, match="parameter P"):
        Template(write(tmp_path, "Parameters: {P: {Type: String}}\nResources: {}\n"), {})
