"""From an admitted stream to what the machine must know."""

from __future__ import annotations

from datetime import datetime

from media_service.admission import Admitted
from media_service.engine.talk import CallPlan, GuidanceTexts
from shared.agents import guidance
from shared.agents.lead_facts import lead_facts
from shared.agents.opening import name_question_guidance


def plan_for(admitted: Admitted, now: datetime) -> CallPlan:
    """The plan of this leg."""
    agent, lead = admitted.agent, admitted.call.lead
    texts = GuidanceTexts(
        name_question=name_question_guidance(lead),
        nudges=guidance.NUDGES,
        silence_goodbye=guidance.SILENCE_GOODBYE,
        time_goodbye=guidance.TIME_GOODBYE,
        closing_goodbye=guidance.CLOSING_GOODBYE,
        soft_limit=guidance.SOFT_LIMIT,
        recovery=guidance.RECOVERY,
        opt_out_heard=guidance.OPT_OUT_HEARD,
        screener=guidance.SCREENER,
    )
    return CallPlan(
        call_id=admitted.call.call_id,
        turn_taking=agent.turn_taking,
        limits=agent.limits,
        clip=admitted.clip,
        lead_facts=lead_facts(agent, lead, now),
        guidance=texts,
        history=admitted.history,
    )
