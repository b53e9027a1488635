"""What the analyst says was said, held against what was said: a field whose quote does not stand in its turn is
dropped, and so is a value that cannot be what it claims to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from functions.outcome_analysis.answer import AnalysisAnswer
from functions.outcome_analysis.plain import plain
from functions.outcome_analysis.private_details import is_private
from shared.adapters.live_reader import WholeCall
from shared.domain.conversation import Who
from shared.domain.errors import InvalidInput
from shared.domain.outcome import FIELD_NAMES, Evidence, ExtractedField, FieldValue
from shared.domain.phone import e164


class Spoken:
    """The callee's words, turn by turn, for looking quotes up: whole words, whatever case and accents."""

    def __init__(self, whole: WholeCall) -> None:
        self._turns = {
            turn.n: plain(turn.said)
            for turn in whole.conversation.turns
            if turn.who is Who.CALLEE and turn.said
        }

    def holds(self, turn: int | None, quote: str | None) -> bool:
        """Whether `quote` stands in the callee's turn number `turn`."""
        if turn is None or quote is None or not plain(quote).strip():
            return False
        return plain(quote) in self._turns.get(turn, "")


def grounded(given: AnalysisAnswer, spoken: Spoken) -> dict[str, ExtractedField]:
    """The fields that stand."""
    fields: dict[str, ExtractedField] = {}
    for name in FIELD_NAMES:
        found: Any = getattr(given, name)
        if found is None or not spoken.holds(found.turn, found.quote):
            continue
        value = _value(name, found.value)
        if value is not None:
            fields[name] = ExtractedField(value, Evidence(found.turn, found.quote.strip()))
    return fields


def _value(name: str, given: Any) -> FieldValue | None:
    """`given` as the domain keeps it, None if it says nothing or cannot be."""
    if isinstance(given, list):
        return tuple(dict.fromkeys(str(one) for one in given)) or None
    if isinstance(given, bool | int):
        return given
    text = str(given).strip()
    check = _CHECKS.get(name)
    return (check(text) if check else text) or None


def moment(text: str) -> datetime | None:
    """An ISO 8601 time with its offset, None for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _moment_text(text: str) -> str | None:
    found = moment(text)
    return found.isoformat() if found else None


def _zone(text: str) -> str | None:
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _email(text: str) -> str | None:
    local, _, domain = text.partition("@")
    looks_right = local and "." in domain and "@" not in domain and " " not in text
    return text if looks_right else None


def _phone(text: str) -> str | None:
    try:
        return e164(text)
    except InvalidInput:
        return None


def _free_text(text: str) -> str | None:
    return None if is_private(text) else text


_CHECKS: Mapping[str, Callable[[str], str | None]] = MappingProxyType(
    {
        "callback_at": _moment_text,
        "callback_timezone": _zone,
        "email": _email,
        "whatsapp_number": _phone,
        "timing": _free_text,
        "budget_signal": _free_text,
        "best_time": _free_text,
    }
)
