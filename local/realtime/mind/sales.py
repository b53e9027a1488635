"""The scripted mind: a Spanish sales dialogue by rules. It stands in for the model and is called that.

The rules are tried in order; the first that has an answer gives it. Each is a small function of the situation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from local.realtime.mind import (
    booking,
    courtesy,
    discovery,
    objections,
    questions,
    rights,
    small_talk,
)
from local.realtime.mind.delivery import delivered
from local.realtime.mind.port import Mind, MindReply, MindView, Role, Said, Say
from local.realtime.mind.situation import Situation
from local.realtime.mind.words import reply
from shared.adapters.opening_studio import READ_ALOUD

Rule = Callable[[Situation], MindReply | None]

_RULES: Sequence[Rule] = (
    courtesy.guided,
    courtesy.tool_results,
    courtesy.noise,
    rights.opt_out,
    rights.after_opt_out,
    rights.injection,
    rights.wrong_number,
    rights.privacy,
    rights.hostile,
    booking.offer_taken,
    booking.time_given,
    rights.robot,
    objections.human_wanted,
    booking.confirmed_address,
    booking.address_given,
    small_talk.say_again,
    small_talk.first_name_terms,
    courtesy.language,
    courtesy.not_for_me,
    questions.taxes,
    questions.other_costs,
    objections.price,
    objections.terms,
    objections.discount,
    objections.comparison,
    booking.information,
    objections.partner,
    objections.busy,
    courtesy.who_is_it,
    objections.gatekeeper,
    objections.competitor,
    objections.not_interested,
    small_talk.thanks,
    courtesy.farewell,
    courtesy.cannot_hear,
    small_talk.about_her,
    booking.appointment_asked,
    discovery.purpose,
    questions.unknown,
    discovery.next_question,
)


class SalesMind:
    """Implements `Mind`."""

    def reply(self, view: MindView) -> MindReply:
        if view.wants_text:
            return reply('{"cut_in": false}')
        situation = Situation(view)
        for rule in _RULES:
            answer = rule(situation)
            if answer is not None:
                # What guidance quotes is said word for word.
                return answer if rule is courtesy.guided else delivered(answer, situation)
        return reply(situation.fresh("Entiendo.", "De acuerdo."))


class ReadingMind:
    """Wraps a mind: asked to read a text aloud, it does; anything else goes on."""

    def __init__(self, mind: Mind) -> None:
        self._mind = mind

    def reply(self, view: MindView) -> MindReply:
        if view.instructions != READ_ALOUD:
            return self._mind.reply(view)
        texts = [e.text for e in view.conversation if isinstance(e, Said) and e.role is Role.USER]
        return MindReply((Say(texts[-1]),))
