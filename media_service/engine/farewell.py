"""Whether what the callee says while Sofia takes her leave needs an answer."""

from __future__ import annotations

from media_service.engine.interruption import folded_words

# "Perfecto, pero dígame el precio" is no farewell: every word must be one of these.
_FAREWELL = frozenset(
    folded_words(
        """
        adiós adéu chao chau hasta luego mañana pronto ahora otra entonces lunes martes miércoles jueves viernes
        gracias gràcies moltes muchas mil muy amable venga vale ok okey de acuerdo bien perfecto estupendo genial
        fenomenal claro igualmente igual buen buena buenos buenas bon bona día días tarde tardes noche noches fin
        semana nos vemos hablamos con dios que vaya tenga le te os a usted ustedes ti y el la un es eso todo nada más
        sí ya pues bueno maja majo guapa guapo hija hijo cielo encantada encantado saludo saludos abrazo cuídese
        cuídate
        """
    )
)
_LEAVE_TAKING = frozenset(
    folded_words("adiós adéu chao chau luego gracias gràcies igualmente vemos dios")
)
_HOLD_ON = frozenset(
    folded_words(
        "pero aunque espere espera oiga oye mire mira no cuánto cuándo cómo dónde quién una pregunta cosa"
    )
)
# With one word beside them that is a name, or was misheard.
_SHORT_WORDS = 4


def is_farewell(text: str) -> bool:
    """True for a leave-taking, a thank-you or a yes; false for a question, for more, and for no words at all."""
    if "?" in text:
        return False
    spoken = folded_words(text)
    others = [word for word in spoken if word not in _FAREWELL]
    if not others:
        return bool(spoken)
    is_short = len(spoken) <= _SHORT_WORDS and len(others) == 1
    return is_short and others[0] not in _HOLD_ON and any(w in _LEAVE_TAKING for w in spoken)
