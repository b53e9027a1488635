"""What must be recognised whatever the model makes of it: a machine that answered, and a no to further calls."""

from __future__ import annotations

import json

from media_service.engine import closing_flow, opening_flow
from media_service.engine.actions import Action, RunTool
from media_service.engine.opening import Stage
from media_service.engine.talk import Phase, Talk
from shared.agents import machine_words, opt_out
from shared.agents.machine_words import MachineKind
from shared.domain.conversation import CloseCause

# After this many utterances without a machine's words, the callee is taken for a person for good.
HUMAN_AFTER = 2
MATCHER_PREFIX = "matcher-"


def machine_speaking(talk: Talk, text: str) -> MachineKind | None:
    """The transcript is the second detector beside the carrier's. Words that no machine says count for a person."""
    if talk.human_words >= HUMAN_AFTER or talk.phase in (Phase.CLOSING, Phase.OVER):
        return None
    kind = machine_words.match(text)
    if kind is None and text.strip() and talk.opening.stage is not Stage.SCREENED:
        talk.human_words += 1
    return kind


def machine_spoke(talk: Talk, kind: MachineKind, now_ms: float) -> list[Action]:
    """A screener is answered; with any other machine there is nothing to talk about, and no message is left."""
    if kind is MachineKind.SCREENER:
        return opening_flow.screened(talk, now_ms)
    outcome = "ivr" if kind is MachineKind.IVR else "voicemail"
    return closing_flow.end_now(talk, CloseCause.VOICEMAIL, outcome, now_ms)


def carrier_says(talk: Talk, verdict: str, now_ms: float) -> list[Action]:
    """The carrier's verdict. It is tuned for another country, so a conversation under way outweighs it."""
    if talk.phase in (Phase.CLOSING, Phase.OVER) or talk.human_words >= HUMAN_AFTER:
        return []
    if not (verdict.startswith("machine") or verdict == "fax"):
        is_held = verdict == "human" and talk.opening.stage is Stage.HELD
        return opening_flow.begin(talk, now_ms) if is_held and not talk.callee_speaking else []
    # Who goes on talking into the opening and has heard nothing of it yet may be an announcement.
    is_deaf = talk.callee_speaking and not talk.opening.heard
    if talk.opening.screenings or (talk.human_words and talk.opening.has_begun and not is_deaf):
        return []
    return closing_flow.end_now(talk, CloseCause.VOICEMAIL, "voicemail", now_ms)


def listen_for_opt_out(talk: Talk, text: str) -> list[Action]:
    """The text matcher beside the tool: in doubt the number is suppressed, also by somebody's last words."""
    if talk.opted_out or talk.phase is Phase.OVER:
        return []
    found = opt_out.match(text)
    if found is None or found.kind is opt_out.OptOutKind.SOFT:
        return []
    talk.opted_out = True
    call_id = f"{MATCHER_PREFIX}{talk.book.callee_count}"
    arguments = json.dumps({"scope": found.scope, "quote": found.quote}, ensure_ascii=False)
    talk.tools.matched.add(call_id)
    return [RunTool(call_id, "register_opt_out", arguments)]
