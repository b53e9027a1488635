"""Sofia's prompt: short labelled sections. Locked blocks are ours; the tenant fills slots and can change no rule.

The text is a function of the agent version (and of whether calls can be transferred) alone, byte for byte: it is the
model's cached prefix.
"""

from __future__ import annotations

from shared.agents import prompt_blocks as blocks
from shared.agents import prompt_conversation as conversation
from shared.agents.opening import one_line
from shared.agents.tools import offered
from shared.domain.agent import Agent

# Changes with every change of the text.
PROMPT_VERSION = "2026-11-25"

_TOOLS = """# Herramientas
{tools}
- Guardar o acordar, tras la confirmación; solo register_opt_out va antes que las palabras.
- Antes de una espera, una frase corta («Un momento, lo apunto»). Nunca anuncies un éxito antes del resultado."""


def instructions(agent: Agent, *, can_transfer: bool = False) -> str:
    """The whole prompt of an agent version; `can_transfer` as in `tools.offered`."""
    names = {tool.name for tool in offered(agent, can_transfer=can_transfer)}
    slots = _slots(agent, names)
    tools = "\n".join(
        f"- {tool.name}: {tool.when}" for tool in offered(agent, can_transfer=can_transfer)
    )
    return "\n\n".join(
        (
            blocks.ROLE.format(**slots),
            blocks.DUTIES,
            _facts(agent),
            blocks.MANNER,
            conversation.STATES.format(**slots),
            conversation.OBJECTIONS.format(**slots),
            conversation.CASES,
            conversation.TIMES,
            _TOOLS.format(tools=tools),
            blocks.AUDIO,
            blocks.HELP.format(**slots),
            blocks.SAFETY.format(**slots),
        )
    )


def _slots(agent: Agent, tools: set[str]) -> dict[str, str]:
    """What the blocks' braces stand for. What no tool can do is not offered in words either."""
    facts = agent.facts
    human = one_line(facts.human_name)
    information = (
        conversation.INFORMATION_ALLOWED
        if "send_information" in tools
        else conversation.INFORMATION_IMPOSSIBLE.format(human=human)
    )
    now = (
        "En su horario, transfer_to_human; si no"
        if "transfer_to_human" in tools
        else "Ahora no puedes pasar la llamada"
    )
    return {
        "agent": one_line(agent.agent_name),
        "company": one_line(facts.company),
        "human": human,
        "information": information,
        "handover": f"{now}: día y hora, y schedule_callback con human.",
        "privacy": f" y correo {one_line(facts.privacy_email)}" if facts.privacy_email else "",
        "privacy_tool": (
            " Si ejerce un derecho, report_privacy_request."
            if "report_privacy_request" in tools
            else ""
        ),
    }


def _facts(agent: Agent) -> str:
    facts = agent.facts
    lines = [
        "# Hechos",
        f"- Empresa: {one_line(facts.company)}",
        f"- Producto: {one_line(facts.product, 200)}",
        f"- Persona de contacto: {one_line(facts.human_name)}",
        f"- Horario de personas: {one_line(facts.human_hours)}",
        f"- Teléfono: {one_line(facts.contact_phone_spoken)}",
        f"- Web: {one_line(facts.website)}",
        f"- Privacidad: {one_line(facts.privacy_email)}",
    ]
    lines += [f"- Precio: {one_line(fact, 200)}" for fact in facts.price_facts]
    lines += [f"- De esto no hables: {one_line(item, 200)}" for item in facts.never_say]
    return "\n".join(lines)
