from collections.abc import Iterable
from typing import Any

import pytest

from local.callee.call_report import CallReport, StoredText
from local.callee.checks import Check, CheckLevel
from local.callee.persona import Expectations
from local.callee.record_checks import extracted, final_state, must_not_store, outcome

RETIRED = Expectations.model_validate({"must_not_store": ["(?i)jubilad"]}).must_not_store


def expect(**written: Any) -> Expectations:
    return Expectations.model_validate(written)


def verdicts(checks: Iterable[Check]) -> dict[str, bool | None]:
    return {check.id: check.passed for check in checks}


@pytest.mark.parametrize(
    ("actual", "passed"),
    [("wrong_number", True), ("do_not_call", True), ("qualified", False), (None, False)],
)
def test_the_outcome_or_one_that_is_accepted_too(actual: str | None, passed: bool) -> None:
    expected = expect(outcome="wrong_number", outcome_ok=["do_not_call"])
    assert verdicts(outcome(CallReport((), outcome=actual), expected)) == {"outcome": passed}


def test_flags_must_be_set_and_others_may_be() -> None:
    report = CallReport((), flags=frozenset({"hostile", "audio_problem"}))
    expected = expect(flags=["hostile", "prompt_injection"])
    assert verdicts(outcome(report, expected)) == {
        "flag.hostile": True,
        "flag.prompt_injection": False,
    }


def test_fields_are_compared_by_name_nested_or_dotted() -> None:
    report = CallReport((), extracted={"opt_out": {"requested": True}, "staff_count": 4})
    expected = expect(extract={"opt_out.requested": True, "staff_count": 3, "email": "a@b.cat"})
    checks = list(extracted(report, expected.extract))
    assert verdicts(checks) == {
        "extract.opt_out.requested": True,
        "extract.staff_count": False,
        "extract.email": False,
    }
    assert checks[1].detail == "4, expected 3"


def test_the_final_state_is_checked_where_it_is_expected() -> None:
    report = CallReport((), suppressed=True, active_callbacks=None)
    assert verdicts(final_state(report, expect(final_state={"suppressed": True}).final_state)) == {
        "final_state.suppressed": True
    }
    both = expect(final_state={"suppressed": False, "active_callbacks": 0}).final_state
    assert verdicts(final_state(report, both)) == {
        "final_state.suppressed": False,
        "final_state.active_callbacks": False,
    }


def test_what_must_not_be_stored_is_looked_for_in_every_text() -> None:
    stored = (StoredText("summary", "Un señor JUBILADO."), StoredText("note", "Se equivocó."))
    (check,) = must_not_store(CallReport((), stored=stored), RETIRED)
    assert (check.passed, check.detail) == (False, "stored in summary")
    (check,) = must_not_store(CallReport((), stored=stored[1:]), RETIRED)
    assert check.passed


def test_an_outcome_that_is_only_tolerated_is_checked_too() -> None:
    expected = expect(outcome_ok=["do_not_call"])
    assert verdicts(outcome(CallReport((), outcome="qualified"), expected)) == {"outcome": False}


def test_soft_expectations_of_the_record_are_soft() -> None:
    expected = expect(
        outcome={"name": "qualified", "level": "soft"},
        flags=[{"name": "hostile", "level": "soft"}],
        extract={"staff_count": {"value": 3, "level": "soft"}},
        final_state={"suppressed": True, "level": "soft"},
        must_not_store=[{"name": "jubilad", "level": "soft"}],
    )
    report = CallReport((), stored=(StoredText("summary", "jubilada"),))
    checks = [
        *outcome(report, expected),
        *extracted(report, expected.extract),
        *final_state(report, expected.final_state),
        *must_not_store(report, expected.must_not_store),
    ]
    assert {(check.passed, check.level) for check in checks} == {(False, CheckLevel.SOFT)}
    assert len(checks) == 5
