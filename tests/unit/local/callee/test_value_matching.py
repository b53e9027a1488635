import pytest
from pydantic import TypeAdapter

from local.callee.matching import Expected
from local.callee.value_matching import look_up, matches

EXPECTED: TypeAdapter[Expected] = TypeAdapter(Expected)


@pytest.mark.parametrize(
    ("written", "actual"),
    [
        (3, 3),
        (True, True),
        ("owner", "owner"),
        (["a", "b"], ["a", "b"]),
        ("2026-11-26T11:00:00+01:00", "2026-11-26T10:00:00Z"),
        ("2026-11-26T11:00:00+01:00", "2026-11-26T11:00"),
        ({"any_of": [2, 3]}, 3),
        ({"regex": "(17|cinco)"}, "a partir de las 17"),
        ({"regex": "(?i)arantxa"}, "Arantxa"),
        ({"regex": "dias"}, "Días"),
        ({"contains": ["paper"]}, ("whatsapp", "paper")),
        ({"contains": ["paz"]}, "que me dejéis en Paz"),
    ],
)
def test_what_is_expected_matches(written: object, actual: object) -> None:
    assert matches(EXPECTED.validate_python(written), actual)


@pytest.mark.parametrize(
    ("written", "actual"),
    [
        (3, "3"),
        (1, True),
        (True, 1),
        (False, None),
        ("owner", "receptionist"),
        (["a", "b"], ["b", "a"]),
        (["a"], ["a", "b"]),
        ("2026-11-26T11:00:00+01:00", "2026-11-26T11:00:00Z"),
        ("2026-11-26T11:00:00+01:00", "2026-11-26T12:00"),
        ({"any_of": [2, 3]}, 1),
        ({"regex": "cinco"}, "las seis"),
        ({"regex": ".*"}, None),
        ({"contains": ["paper", "whatsapp"]}, ["paper"]),
        ({"contains": ["paper"]}, None),
        ({"contains": [1]}, [True]),
    ],
)
def test_anything_else_does_not(written: object, actual: object) -> None:
    assert not matches(EXPECTED.validate_python(written), actual)


def test_dotted_names_reach_into_nested_fields() -> None:
    assert look_up({"opt_out": {"requested": False}}, "opt_out.requested") is False
    assert look_up({"opt_out.requested": True}, "opt_out.requested") is True
    assert look_up({"opt_out": "yes"}, "opt_out.requested") is None
    assert look_up({}, "opt_out.requested") is None
