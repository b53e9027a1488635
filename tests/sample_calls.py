"""A talked-through call for tests of what happens after it, and its parts to vary."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.adapters.live_reader import WholeCall
from shared.domain.agent import Duty
from shared.domain.call import Call, Fact, FactKind
from shared.domain.conversation import (
    Conversation,
    DutyHeard,
    FollowUp,
    FollowUpKind,
    ToolStatus,
    ToolUse,
    Turn,
    Usage,
    UsageKind,
    Waterfall,
    Who,
)
from shared.domain.gate import Decision, RuleResult, Stage
from shared.domain.lead import Lead
from shared.domain.outcome import (
    Analysis,
    Evidence,
    ExtractedField,
    Flag,
    NextStep,
    OptOut,
    Outcome,
)

CREATED = datetime(2026, 11, 24, 9, 40, tzinfo=UTC)
NUMBER = "+34600000001"
DEMO_AT = datetime.fromisoformat("2026-11-26T11:00:00+01:00")
TALKED = (
    (FactKind.QUEUED, 0),
    (FactKind.DIAL_INTENT, 1),
    (FactKind.DIAL_ACCEPTED, 2),
    (FactKind.RINGING, 3),
    (FactKind.ANSWERED, 10),
    (FactKind.STREAM_STARTED, 11),
    (FactKind.CONVERSATION_CLOSED, 90),
    (FactKind.COMPLETED, 91),
)


def a_call(call_id: str = "c1", tenant_id: str = "t1", **changes: Any) -> Call:
    """Answered and talked through, for 81 s."""
    kinds = changes.pop("kinds", TALKED)
    call = Call(
        call_id, tenant_id, "sofia", 1, NUMBER, "+34400000012",
        Lead(NUMBER, "Carmen", timezone="Europe/Madrid"), CREATED, "trace-1",
    )  # fmt: skip
    facts = (Fact(CREATED + timedelta(seconds=s), kind, 1, "test") for kind, s in kinds)
    return replace(call.with_facts(facts), **changes)


def turns(*lines: str) -> tuple[Turn, ...]:
    """`S: ...` is Sofia, `P: ...` the person; numbered from 1."""
    names = {"S": Who.AGENT, "P": Who.CALLEE}
    found = []
    for n, line in enumerate(lines, 1):
        who, _, text = line.partition(": ")
        fall = Waterfall(100, 300, 302, 900, 903, 1_100) if who == "S" else None
        found.append(Turn(n, names[who], text, text, n * 1_000, n * 1_000 + 900, waterfall=fall))
    return tuple(found)


def a_tool(name: str, turn: int = 6, **arguments: object) -> ToolUse:
    return ToolUse(f"t-{name}", name, arguments, ToolStatus.DONE, {"ok": True}, turn * 1_000, turn)


TALK = turns(
    "P: ¿Sí? Peluquería Carmen, dígame.",
    "S: Hola, soy Sofía. ¿Hablo con Carmen?",
    "P: Sí, soy yo, la dueña.",
    "S: ¿Cómo lleva las citas?",
    "P: Con la agenda de papel. Y me fallan muchas clientas.",
    "S: ¿El jueves a las once?",
    "P: El jueves a las once, vale.",
    "S: Hasta el jueves.",
)
DEMO = FollowUp("callback", FollowUpKind.DEMO, DEMO_AT, "Europe/Madrid", "human")
CONVERSATION = Conversation(
    turns=TALK,
    tools=(
        a_tool(
            "schedule_callback",
            7,
            kind="demo",
            at=DEMO_AT.isoformat(),
            timezone="Europe/Madrid",
            **{"with": "human"},
        ),
        a_tool("end_call", 8, outcome="qualified"),
    ),
    duties=tuple(DutyHeard(duty, 4_000) for duty in Duty),
    follow_ups=(DEMO,),
    usage=(Usage(UsageKind.RESPONSE, "gpt-realtime-2.1", text_in=100, audio_out=1_000),),
    first_sound_ms=900,
    first_callee_end_ms=700,
)
DECISION = Decision(
    True, None, None, Stage.QUEUED, "es-test", "hash", CREATED, (RuleResult("consent", True),)
)
ANALYSIS = Analysis(
    call_id="c1",
    outcome=Outcome.QUALIFIED,
    flags=frozenset({Flag.HUMAN_REQUESTED}),
    next_step=NextStep.DEMO,
    summary="Acepta una demostración.",
    fields={"contact_role": ExtractedField("owner", Evidence(3, "la dueña"))},
    opt_out=OptOut(False),
    sentiment="positive",
    language="es",
    reason="decide y acepta",
    model="gpt-6-luna",
    analysed_at=CREATED + timedelta(seconds=95),
)


def a_whole_call(call_id: str = "c1", tenant_id: str = "t1", **changes: Any) -> WholeCall:
    """Analysed. `known` grows with what is given in `analysis`, as in the store."""
    whole = WholeCall(
        call=a_call(call_id, tenant_id),
        conversation=CONVERSATION,
        decisions=(DECISION,),
        analysis=replace(ANALYSIS, call_id=call_id),
        analysis_usage=Usage(UsageKind.ANALYSIS, "gpt-6-luna", text_in=900, text_out=200),
        known=30,
    )
    return replace(whole, **changes)
