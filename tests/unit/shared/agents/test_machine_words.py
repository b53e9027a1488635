"""A machine is told by its formulas; people who use the same words are people."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from shared.agents.machine_words import MachineKind, match

ANSWERS: dict[str, list[str]] = yaml.safe_load(
    Path(__file__).with_name("answers.yaml").read_text(encoding="utf-8")
)
MACHINES = [
    (text, kind) for kind, answers in ANSWERS.items() if kind != "human" for text in answers
]


@pytest.mark.parametrize(("text", "kind"), MACHINES)
def test_a_machine_is_known_by_its_kind(text: str, kind: str) -> None:
    assert match(text) is MachineKind(kind)


@pytest.mark.parametrize("text", ANSWERS["human"])
def test_a_person_is_no_machine(text: str) -> None:
    assert match(text) is None


def test_there_are_enough_answers_and_every_kind_among_them() -> None:
    assert set(ANSWERS) == {kind.value for kind in MachineKind} | {"human"}
    assert len(ANSWERS["human"]) >= 25
    assert len(MACHINES) >= 25
