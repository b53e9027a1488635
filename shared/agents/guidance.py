"""The short system items by which the engine tells the model what the moment needs."""

from __future__ import annotations

NUDGES = (
    "Silencio. Pregunta solo si sigue ahí, en una frase corta: «¿Sigue ahí?»",
    "Sigue el silencio. Di una sola vez más, con otras palabras, si te oye: «¿Me oye bien?»",
)
SILENCE_GOODBYE = "Nadie contesta. Despídete en una frase y no preguntes nada: «Parece que no se oye, le dejo. Que tenga buen día.»"
TIME_GOODBYE = "Se acabó el tiempo. Despídete ahora en una frase amable, sin preguntar nada."
CLOSING_GOODBYE = "Despídete ahora en una sola frase amable, sin preguntar nada y sin llamar a ninguna herramienta."
SOFT_LIMIT = "La llamada ya es larga: acuerda el siguiente paso o despídete en los próximos turnos."
RECOVERY = "La conexión se ha recuperado en mitad de la llamada. No saludes ni te presentes otra vez: sigue donde estabas."
OPT_OUT_HEARD = (
    "La persona se ha opuesto a más llamadas y ya consta, con la referencia {reference}. "
    "Si aún no lo has hecho, confírmaselo y despídete sin vender nada."
)
SCREENER = (
    "Atiende un filtro automático de llamadas, no una persona. Contesta en una sola frase, sin preguntar nada: tu nombre, "
    "que eres una inteligencia artificial, de qué empresa llamas y que es una llamada comercial."
)
