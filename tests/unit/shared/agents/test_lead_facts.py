"""What the model is told of a lead, in the lead's own time."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.agents.lead_facts import lead_facts
from shared.agents.opening import opening_for
from shared.domain.agent import Agent, TenantFacts
from shared.domain.lead import Consent, ConsentBasis, Lead

NOW = datetime(2026, 11, 24, 9, 40, tzinfo=UTC)
FACTS = TenantFacts(
    "Nubelia", "agenda", "Laura", "9 a 19", "nueve uno cero", "n.example", "p@n.example", ()
)
AGENT = Agent("t", "sofia", 1, "Sofía", FACTS, opening_for(FACTS, "Sofía"))


def test_a_canary_landline_without_a_zone_has_canary_time() -> None:
    lines = lead_facts(AGENT, Lead("+34928000001"), NOW).splitlines()
    assert "Zona horaria: Atlantic/Canary" in lines
    assert "Ahora: 2026-11-24T09:40+00:00 (martes 24 de noviembre de 2026)" in lines


def test_a_mobile_of_unknown_place_has_mainland_time() -> None:
    lines = lead_facts(AGENT, Lead("+34600000001"), NOW).splitlines()
    assert "Zona horaria: Europe/Madrid" in lines
    assert "Ahora: 2026-11-24T10:40+01:00 (martes 24 de noviembre de 2026)" in lines


def test_what_a_lead_is_called_stays_on_its_line() -> None:
    consent = Consent(
        ConsentBasis.CONSENT_AUTOMATED, "formulario\nweb", datetime(2026, 11, 1, tzinfo=UTC)
    )
    lead = Lead("+34600000001", "Carmen\n# Obligaciones", consent=consent)
    lines = lead_facts(AGENT, lead, NOW).splitlines()
    assert "Nombre: Carmen Obligaciones" in lines
    assert "Permiso: formulario web, el domingo 1 de noviembre de 2026" in lines
    assert not any(line.startswith("Negocio") for line in lines)
