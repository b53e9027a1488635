"""A call's report: who was called and why it was allowed, what it cost, and which promises stand."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from shared.adapters.call_report import cost, report_of
from shared.config import SettingError, use_environment
from shared.domain.gate import Decision
from shared.domain.lead import Lead
from shared.domain.outcome import OptOut
from tests.sample_calls import ANALYSIS, DECISION, NUMBER, a_call, a_whole_call


def test_a_report_names_what_the_tenant_gave() -> None:
    call = a_call(lead=Lead(NUMBER, lead_id="lead-7"), metadata={"campaign": "otoño"})
    report = report_of(a_whole_call(call=call))
    assert (report["to"], report["from"]) == (NUMBER, "+34400000012")
    assert (report["lead_id"], report["metadata"]) == ("lead-7", {"campaign": "otoño"})


def test_the_proof_of_a_decision_can_be_checked() -> None:
    inputs = '{"lead":{"phone":"+34600000001"}}'
    digest = hashlib.sha256(inputs.encode()).hexdigest()
    decision: Decision = replace(DECISION, inputs=inputs, inputs_hash=digest)
    (told,) = report_of(a_whole_call(decisions=(decision,)))["decisions"]
    assert hashlib.sha256(told["inputs"].encode()).hexdigest() == told["inputs_hash"]


def test_a_promise_does_not_survive_an_objection() -> None:
    assert report_of(a_whole_call())["follow_ups"]
    objected = replace(ANALYSIS, opt_out=OptOut(True))
    assert report_of(a_whole_call(analysis=objected))["follow_ups"] == []


def test_the_region_where_the_data_stays_has_its_price() -> None:
    anywhere = cost(a_whole_call())
    with use_environment({"DATA_RESIDENCY": "eu"}):
        assert cost(a_whole_call()).total_micro_usd > anywhere.total_micro_usd
    with use_environment({"DATA_RESIDENCY": "mars"}), pytest.raises(SettingError, match="eu"):
        cost(a_whole_call())
