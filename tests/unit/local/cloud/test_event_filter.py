"""Filter patterns of event source mappings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.cloud.event_filter import FilterError, parse_filters

BECAME_ENDED = {
    "eventName": ["MODIFY"],
    "dynamodb": {
        "NewImage": {"status": {"S": ["ENDED"]}},
        "OldImage": {"status": {"S": [{"anything-but": ["ENDED"]}]}},
    },
}


def passes(pattern: Any, record: Any) -> bool:
    return parse_filters([json.dumps(pattern)], numeric=True).passes(record)


def change(old: str | None, new: str | None) -> dict[str, Any]:
    images = {"OldImage": old, "NewImage": new}
    return {
        "eventName": "MODIFY",
        "dynamodb": {name: {"status": {"S": s}} for name, s in images.items() if s is not None},
    }


def test_a_status_that_changes_to_ended() -> None:
    assert passes(BECAME_ENDED, change("RINGING", "ENDED"))
    assert not passes(BECAME_ENDED, change("ENDED", "ENDED"))
    assert not passes(BECAME_ENDED, change(None, "ENDED"))
    assert not passes(BECAME_ENDED, {**change("RINGING", "ENDED"), "eventName": "INSERT"})


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        (7, 7, True),
        (7, "7", False),
        (True, 1, False),
        (None, None, True),
        ({"exists": True}, "x", True),
        ({"exists": True}, None, True),
        ({"exists": True}, {"deep": 1}, False),
        ({"exists": False}, "x", False),
        ({"prefix": "CALL#"}, "CALL#1", True),
        ({"prefix": "CALL#"}, 7, False),
        ({"suffix": ".v1"}, "call.ended.v1", True),
        ({"equals-ignore-case": "ended"}, "ENDED", True),
        ({"anything-but": "a"}, "b", True),
        ({"anything-but": ["a", "b"]}, "b", False),
        ({"anything-but": {"prefix": "a"}}, "abc", False),
        ({"numeric": [">", 1, "<=", 5]}, 5, True),
        ({"numeric": [">", 1, "<=", 5]}, 1, False),
        ({"numeric": [">", 1]}, "2", False),
        ("a", ["b", "a"], True),
    ],
)
def test_rules(rule: Any, value: Any, expected: bool) -> None:
    assert passes({"field": [rule]}, {"field": value}) is expected


def test_a_field_that_is_not_there() -> None:
    assert passes({"field": [{"exists": False}]}, {})
    assert not passes({"field": [{"anything-but": "a"}]}, {})
    assert passes({"outer": {"inner": [{"exists": False}]}}, {})


def test_either_of_two() -> None:
    pattern = {"$or": [{"a": [1]}, {"b": [2]}], "c": [3]}
    assert passes(pattern, {"b": 2, "c": 3})
    assert not passes(pattern, {"b": 2})


def test_any_of_several_filters() -> None:
    filters = parse_filters(['{"a":[1]}', '{"b":[1]}'], numeric=True)
    assert filters.passes({"b": 1})
    assert not filters.passes({"c": 1})


@pytest.mark.parametrize(
    "pattern",
    [
        "{",
        "[]",
        "{}",
        '{"a":1}',
        '{"a":[]}',
        '{"a":[{"near":1}]}',
        '{"a":[{"numeric":["~",1]}]}',
        '{"$or":[{"a":[1]}]}',
        '{"a":{"b":"c"}}',
    ],
)
def test_patterns_that_are_none(pattern: str) -> None:
    with pytest.raises(FilterError):
        parse_filters([pattern], numeric=True)


def test_streams_have_no_numbers_and_a_source_five_filters_at_most() -> None:
    with pytest.raises(FilterError, match="numeric"):
        parse_filters(['{"a":[{"numeric":[">",1]}]}'], numeric=False)
    with pytest.raises(FilterError, match="5"):
        parse_filters(['{"a":[1]}'] * 6, numeric=True)
