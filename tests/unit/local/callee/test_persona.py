from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from local.callee.matching import AnyOf, Contains, Exactly, Matches
from local.callee.persona import (
    OWN_FILE,
    AnsweredBy,
    Expectations,
    Level,
    PersonaFileUnusable,
    UnknownPersona,
    When,
    load_personas,
)


@pytest.fixture
def content() -> dict[str, Any]:
    """The project's file as plain data, to be changed by a test."""
    loaded: dict[str, Any] = yaml.safe_load(OWN_FILE.read_text(encoding="utf-8"))
    return loaded


def refused(tmp_path: Path, content: object) -> str:
    path = tmp_path / "people.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(PersonaFileUnusable) as caught:
        load_personas(path)
    assert "people.yaml" in str(caught.value)
    return str(caught.value)


def test_the_projects_own_people_can_be_read() -> None:
    people = load_personas()
    assert len(people.personas) == 15
    carmen = people.persona("p01")
    assert carmen.id == "p01-carmen-qualified"
    assert carmen.turns[0].when is When.FIRST
    assert carmen.expect.extract["staff_count"] == Exactly(value=3)
    assert carmen.expect.extract["booking_tools"] == Contains(contains=("paper", "whatsapp"))
    assert carmen.expect.extract["interest_level"] == AnyOf(any_of=(2, 3))
    quote = people.persona("p03").expect.tools.required[0].args["quote"]
    assert isinstance(quote, Matches)
    assert people.persona("p06").answered_by is AnsweredBy.NETWORK_VOICEMAIL
    soft = [check.id for check in people.common_expect.must_not_say if check.level is Level.SOFT]
    assert soft == ["other_price"]


@pytest.mark.parametrize("persona_id", ["p99", "p", "p1"])
def test_unknown_and_ambiguous_ids_name_the_known_ones(persona_id: str) -> None:
    with pytest.raises(UnknownPersona, match="p01-carmen-qualified"):
        load_personas().persona(persona_id)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda p: p.update(mod="x"), "personas[p03-mercedes-remove-me].mod:"),
        (lambda p: p["turns"][1].update(whn="first"), "[p03-mercedes-remove-me].turns[1].whn:"),
        (lambda p: p["turns"][1].update(when="later"), "[p03-mercedes-remove-me].turns[1].when:"),
        (lambda p: p["turns"][1].update(sound="beep", ms=3), "].turns[1]: "),
        (lambda p: p["turns"][1].update(when="interrupt"), "].turns[1]: "),
        (lambda p: p["turns"][1].update(at_ms=100), "].turns[1]: "),
        (lambda p: p["turns"].append({"sound": "beep"}), "].turns[7]: "),
        (lambda p: p["turns"][2].update(when="first"), "[p03-mercedes-remove-me]: "),
        (lambda p: p["lead"].update(phone="600"), "].lead.phone:"),
        (lambda p: p.update(call_at="2026-11-24T17:20:00"), "].call_at:"),
        (lambda p: p["channel"].update(noise="rain"), "].channel.noise:"),
        (lambda p: p["expect"]["limits"].update(turns_max=3), "].expect.limits.turns_max:"),
        (lambda p: p["expect"]["must_say"][0].update(any=["("]), "].expect.must_say[0].any[0]:"),
        (lambda p: p["expect"]["must_say"][0].pop("any"), "].expect.must_say[0]: "),
        (lambda p: p["expect"]["extract"].update(x={"anyof": [1]}), "].expect.extract.x: "),
        (lambda p: p["expect"]["extract"].update(x={"regex": "("}), "].expect.extract.x"),
    ],
)
def test_whatever_is_wrong_is_named_with_persona_and_field(
    tmp_path: Path, content: dict[str, Any], change: Any, place: str
) -> None:
    mercedes = next(p for p in content["personas"] if p["id"].startswith("p03"))
    change(mercedes)
    assert place in refused(tmp_path, content)


def test_two_people_with_one_id_are_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    content["personas"].append(content["personas"][0])
    assert "p00-carmen-demo" in refused(tmp_path, content)


@pytest.mark.parametrize(
    "soft",
    [
        {"outcome": {"name": "qualified", "level": "soft"}},
        {"flags": [{"name": "hostile", "level": "soft"}, "prompt_injection"]},
        {"must_not_store": [{"name": "jubilad", "level": "soft"}]},
        {"tools": {"forbidden": [{"name": "end_call", "level": "soft"}]}},
        {"tools": {"order": ["save_lead_info", "end_call"], "level": "soft"}},
        {"tools": {"required": [{"name": "end_call", "level": "soft"}]}},
        {"extract": {"staff_count": {"value": 3, "level": "soft"}}},
        {"extract": {"staff_count": {"any_of": [2, 3], "level": "soft"}}},
        {"final_state": {"suppressed": True, "level": "soft"}},
        {"limits": {"agent_turns_max": 1, "level": "soft"}},
    ],
)
def test_any_check_may_be_soft(soft: dict[str, Any]) -> None:
    Expectations.model_validate(soft)
    with pytest.raises(ValidationError):
        Expectations.model_validate(yaml.safe_load(yaml.safe_dump(soft).replace("soft", "mild")))


@pytest.mark.parametrize("field", ["recording", "voicemail_policy"])
def test_a_tenant_that_wants_what_sofia_does_not_do_is_refused(
    tmp_path: Path, content: dict[str, Any], field: str
) -> None:
    content["tenant"][field] = "always"
    assert f"tenant.{field}" in refused(tmp_path, content)


@pytest.mark.parametrize("content", [None, [], "personas"])
def test_a_file_that_is_no_mapping_is_told_what_belongs_into_it(
    tmp_path: Path, content: object
) -> None:
    assert "expected `schema_version`, `tenant`, `personas`" in refused(tmp_path, content)


def test_a_file_without_the_head_is_told_every_part_that_it_lacks(tmp_path: Path) -> None:
    parts = [line.split(":")[0] for line in refused(tmp_path, {}).splitlines()[1:]]
    assert parts == ["  schema_version", "  tenant", "  common_expect", "  personas"]


def test_a_file_of_another_version_is_refused_for_that_alone(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    content["schema_version"] = 2
    (problem,) = refused(tmp_path, content).splitlines()[1:]
    assert problem.startswith("  schema_version:")


def test_a_missing_file_and_broken_yaml_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PersonaFileUnusable, match="cannot be read"):
        load_personas(tmp_path / "nobody.yaml")
    (tmp_path / "broken.yaml").write_text("personas: [", encoding="utf-8")
    with pytest.raises(PersonaFileUnusable, match="is not YAML"):
        load_personas(tmp_path / "broken.yaml")
