"""The log keeps to its fields."""

from __future__ import annotations

import json
import logging
import sys

from media_service.log_lines import JsonLines


def line(**extra: object) -> dict[str, object]:
    record = logging.LogRecord("media", logging.INFO, "f", 1, "stream admitted", None, None)
    for name, value in extra.items():
        setattr(record, name, value)
    read: dict[str, object] = json.loads(JsonLines().format(record))
    return read


def test_a_line_is_one_object_with_the_fields_that_were_meant_for_it() -> None:
    found = line(call_id="c1", leg=2, to_number="+34600000001")
    assert (found["message"], found["call_id"], found["leg"]) == ("stream admitted", "c1", 2)
    assert "600000001" not in json.dumps(found)


def test_a_failure_brings_its_traceback() -> None:
    try:
        raise ValueError("wrong")
    except ValueError:
        found = line(exc_info=sys.exc_info())
    assert "ValueError: wrong" in str(found["exception"])
