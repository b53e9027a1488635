"""How busy a task is, and when it takes no more."""

from __future__ import annotations

from media_service.load import SAMPLES, Load


def test_a_slot_is_taken_until_it_is_given_back() -> None:
    load = Load(max_calls=2, max_lag_ms=100)
    assert load.idle.is_set()
    assert (load.take_slot(), load.take_slot(), load.take_slot()) == (True, True, False)
    assert (load.calls, load.free_slots, load.idle.is_set()) == (2, 0, False)
    load.give_slot_back()
    assert (load.free_slots, load.idle.is_set()) == (1, False)
    load.give_slot_back()
    assert load.idle.is_set()


def test_lag_counts_when_it_lasts() -> None:
    load = Load(max_calls=2, max_lag_ms=100)
    for _ in range(SAMPLES // 2 - 1):
        load.lagged(500)
    for _ in range(SAMPLES // 2 + 1):
        load.lagged(1)
    assert load.free_slots == 2
    for _ in range(SAMPLES):
        load.lagged(101)
    assert (load.free_slots, load.take_slot()) == (0, False)


def test_a_drain_or_a_hindrance_leaves_no_slot() -> None:
    hindered = False
    load = Load(max_calls=2, max_lag_ms=100, hindered=lambda: hindered)
    assert load.free_slots == 2
    hindered = True
    assert load.free_slots == 0
    hindered = False
    load.draining = True
    assert load.free_slots == 0


def test_metrics_are_lines_of_a_name_and_a_number() -> None:
    load = Load(max_calls=2, max_lag_ms=100)
    load.take_slot()
    load.bad_frames += 3
    values = dict(line.split(" ") for line in load.as_metrics().splitlines())
    assert (values["sofia_active_calls"], values["sofia_free_slots"]) == ("1", "1")
    assert values["sofia_bad_frames_total"] == "3"
