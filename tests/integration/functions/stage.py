"""A tenant that may call, on the emulated AWS, with a clock that stands where a test puts it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ulid import ULID

from local.cloud.template import Template
from shared.adapters import aws_clients
from shared.adapters.carrier import Account, Carrier
from shared.adapters.dial_queue import DialQueue
from shared.adapters.directory import Directory
from shared.adapters.gatekeeper import Gatekeeper
from shared.adapters.leases import Leases
from shared.adapters.live_calls import LiveCalls
from shared.adapters.suppressions import Suppressions
from shared.agents.opening import opening_for
from shared.domain.agent import Agent, TenantFacts
from shared.domain.call import Call, Fact, FactKind
from shared.domain.gate import Decision, Stage
from shared.domain.lead import Consent, ConsentBasis, Lead
from shared.domain.tenant import CallerId, Tenant

# A Tuesday, 10:40 in Madrid and 9:40 on the Canary Islands.
NOW = datetime(2026, 11, 24, 9, 40, tzinfo=UTC)
NUMBER, OWN_NUMBER = "+34600000001", "+34400000012"
ALLOWED = Decision(True, None, None, Stage.QUEUED, "test", "hash", NOW, ())
FACTS = TenantFacts(
    "Nubelia", "agenda", "Laura", "9 a 19", "nueve uno cero", "n.example", "p@n.example", ()
)


class SetClock:
    """Wall time that moves when a test says so."""

    def __init__(self, moment: datetime = NOW) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def monotonic_ms(self) -> float:
        return 0.0

    def forward(self, seconds: float) -> datetime:
        self.moment += timedelta(seconds=seconds)
        return self.moment


@dataclass
class TestStage:
    """One tenant of its own for each test."""

    __test__ = False

    template: Template
    clock: SetClock

    def __post_init__(self) -> None:
        physical, dynamodb = self.template.physical, aws_clients.dynamodb()
        self.tenant_id = f"t-{str(ULID()).lower()}"
        self.live = LiveCalls(dynamodb, physical["LiveTable"])
        self.leases = Leases(dynamodb, physical["LiveTable"])
        self.directory = Directory(dynamodb, physical["DirectoryTable"])
        self.suppressions = Suppressions(dynamodb, physical["LeadsTable"], b"h" * 32)
        self.queue = DialQueue(aws_clients.sqs(), physical["DialQueue"])
        self.gatekeeper = Gatekeeper(self.directory, self.live, self.suppressions, self.clock)
        opening = replace(opening_for(FACTS, "Sofía"), approved_at=NOW)
        agent = Agent(self.tenant_id, "sofia", 1, "Sofía", FACTS, opening)
        self.directory.put_agent(agent)
        self.directory.put_tenant(
            Tenant(
                self.tenant_id,
                "Nubelia",
                NOW,
                concurrency=2,
                caller_ids=(CallerId(OWN_NUMBER),),
                current_agent="sofia",
            )
        )

    def queued(self, to_number: str = NUMBER) -> Call:
        """A call that waits to be dialled."""
        consent = Consent(ConsentBasis.CONSENT_AUTOMATED, "formulario web", NOW - timedelta(days=9))
        lead = Lead(to_number, timezone="Europe/Madrid", consent=consent)
        call = Call(
            str(ULID()), self.tenant_id, "sofia", 1, to_number, OWN_NUMBER, lead, NOW, "trace"
        )
        call = call.with_fact(Fact(self.clock.now(), FactKind.QUEUED, 0, "test"))
        assert self.live.create(call, ALLOWED)
        return call

    def dialling(self, *kinds: FactKind, sid: str = "") -> Call:
        """A call whose first attempt was begun, and what else is known of it."""
        call, now = self.queued(), self.clock.now()
        intent = Fact(now, FactKind.DIAL_INTENT, 1, "test")
        self.live.begin_dial(call.call_id, intent, replace(ALLOWED, stage=Stage.DIAL), 2)
        facts = [
            Fact(now, k, 1, "test", "1" if k is FactKind.STREAM_STARTED else sid) for k in kinds
        ]
        return self.live.record(call.call_id, facts)

    def carrier(self, url: str) -> Carrier:
        account = Account("AC" + "0" * 32, "token")
        return Carrier(lambda _fresh: account, url)
