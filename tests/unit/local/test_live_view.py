"""The terminal's view of a call."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from local import screenshot
from local.live_view import LiveView

WATERFALL = {
    "detector": 300, "decision": 1, "model": 650, "sending": 2, "carrier": 220, "gap": 953, "own": 3,
}  # fmt: skip


def turn(n: int, who: str, heard: str | None, started_ms: int, **more: Any) -> dict[str, Any]:
    return {
        "n": n,
        "who": who,
        "said": heard,
        "heard": heard,
        "started_ms": started_ms,
        "ended_ms": started_ms + 1_000,
        "interrupted": False,
        **more,
    }


def report(*turns: dict[str, Any], tools: Any = (), status: str = "in_progress") -> dict[str, Any]:
    return {"status": status, "turns": list(turns), "tools": list(tools)}


def shown(*reports: dict[str, Any]) -> list[str]:
    file = io.StringIO()
    view = LiveView(Console(file=file, soft_wrap=True, highlight=False))
    for each in reports:
        view.show(each)
    return file.getvalue().splitlines()


GREETING = turn(1, "agent", "Hola", 800)
ANSWER = turn(2, "callee", "¿Diga?", 900)


def test_turns_are_shown_in_the_order_of_their_beginning() -> None:
    lines = shown(report(ANSWER), report(GREETING, ANSWER))
    assert [line.split()[1] for line in lines if "·" not in line] == ["Sofía", "Persona"]


def test_a_turn_whose_words_never_come_does_not_hold_the_others_for_ever() -> None:
    noise = turn(1, "callee", None, 500)
    spoken = [turn(n, "agent", f"número {n}", n * 2_000) for n in (2, 3, 4)]
    assert [line for line in shown(report(noise, *spoken[:2])) if "número" in line] == []
    assert any("número 2" in line for line in shown(report(noise, *spoken)))


def test_at_the_end_everything_is_shown() -> None:
    lines = shown(report(ANSWER, status="ended"))
    assert any("¿Diga?" in line for line in lines)


def test_tools_stand_where_they_were_called() -> None:
    tool = {"name": "save_lead_info", "arguments": {"staff_count": 3}, "at_ms": 850, "done": False}
    lines = shown(report(GREETING, ANSWER, tools=[tool]))
    assert [line.split()[1] for line in lines[:3]] == ["Sofía", "⚙", "Persona"]
    assert "save_lead_info(staff_count=3) (refused)" in lines[1]


def test_who_interrupts_whom_and_what_was_cut_off() -> None:
    cut = turn(1, "agent", "Hola, soy", 800, said="Hola, soy Sofía", interrupted=True)
    lines = shown(report(cut, turn(2, "callee", "Perdone", 1_500)))
    assert lines[0].endswith("Hola, soy Sofía ✂ Persona interrupts")
    assert "✂ Perdone" in lines[1]


def test_the_gap_is_what_its_parts_add_up_to() -> None:
    lines = shown(report({**GREETING, "waterfall_ms": WATERFALL}))
    assert lines[1].strip() == (
        "gap 953 ms = detector 300 · decision 1 · model 650 · sending 2; carrier 220"
    )


def test_a_beginning_that_was_made_anew_is_called_so() -> None:
    anew = {**WATERFALL, "carrier": 3_359}
    assert (
        "begun anew, first heard whole after 3359 ms"
        in shown(report({**GREETING, "waterfall_ms": anew}))[1]
    )


def test_a_picture_of_the_terminal_fetches_nothing(tmp_path: Any) -> None:
    console = Console(file=io.StringIO(), record=True, width=screenshot.WIDTH, highlight=False)
    view = LiveView(console)
    turns = [turn(n, "agent", "Muchas gracias por su tiempo. " * 8, n * 900) for n in range(1, 40)]
    view.show(report(*turns, status="ended"))
    path = tmp_path / "demo.svg"
    screenshot.save(console, path, "./sofia demo")
    picture = path.read_text()
    assert "Muchas" in picture
    assert picture.count("http") == 1, "only the name of the format"
    assert "@font-face" not in picture
    assert path.stat().st_size < 150_000
