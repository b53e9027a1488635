"""How a call lies in the `live` table: its items, their keys, and what each attribute is for.

`version` is the optimistic lock, `counted` says that the call holds one of its tenant's slots, `put_back` names the
dial attempt that the carrier did not process. `gsi1` holds the calls that are not settled, by the moment of their
last change; `gsi2` the calls of a tenant, by age.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.adapters.codec import to_json
from shared.adapters.stored_items import VERSION_ATTRIBUTE, stored
from shared.domain.call import Call, CallStatus, FactKind
from shared.domain.gate import Decision

KEEP = timedelta(days=30)
SHARDS = 8


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A call with what only the store knows of it. `looked_at` is when somebody last changed or waited for it."""

    call: Call
    version: int
    counted: bool
    put_back: int
    looked_at: datetime | None

    @property
    def is_put_back(self) -> bool:
        """Whether the carrier did not process the latest attempt, so that another one is no second call."""
        call = self.call
        return (
            self.put_back == call.attempt > 0
            and call.status is CallStatus.DIALING
            and not call.has(FactKind.CANCEL_REQUESTED)
        )

    @property
    def may_dial(self) -> bool:
        """Waiting, or put back."""
        return self.call.may_dial() or self.is_put_back

    def stopping(self) -> FactKind:
        """The fact by which the call is stopped now; raises CommandRefused once it is over. Nobody has to be told
        about a call that was put back."""
        return FactKind.CANCELED if self.is_put_back else self.call.cancellation()


def stored_call(item: Any) -> StoredCall:
    """What a META item says; raises CorruptRecord."""
    looked_at = item.get("gsi1sk")
    return StoredCall(
        call=stored(Call, item),
        version=int(item["version"]["N"]),
        counted=item["counted"]["BOOL"],
        put_back=int(item.get("put_back", {"N": "0"})["N"]),
        looked_at=_moment(looked_at["S"]) if looked_at else None,
    )


def call_item(call: Call, version: int, counted: bool, put_back: int) -> dict[str, Any]:
    """The META item."""
    item: dict[str, Any] = {
        **meta_key(call.call_id),
        "version": {"N": str(version)},
        "tenant_id": {"S": call.tenant_id},
        "status": {"S": call.status.value},
        "settled": {"BOOL": call.is_settled},
        "counted": {"BOOL": counted},
        "created_at": {"S": call.created_at.isoformat()},
        "body": {"S": to_json(call)},
        "trace_id": {"S": call.trace_id},
        **VERSION_ATTRIBUTE,
        "gsi2pk": {"S": f"TENANT#{call.tenant_id}"},
        "gsi2sk": {"S": f"{call.created_at.isoformat()}#{call.call_id}"},
        "ttl": _ttl(call),
    }
    if put_back:
        item["put_back"] = {"N": str(put_back)}
    if not call.is_settled:
        latest = max((fact.at for fact in call.facts.values()), default=call.created_at)
        item["gsi1pk"] = {"S": active_key(shard_of(call.call_id))}
        item["gsi1sk"] = {"S": sortable(latest)}
    return item


def decision_item(call: Call, decision: Decision) -> dict[str, Any]:
    """The DECISION item: the proof that a call was allowed, or why it was not."""
    return {
        "pk": {"S": f"CALL#{call.call_id}"},
        "sk": {"S": f"DECISION#{decision.stage.value}#{decision.decided_at.isoformat()}"},
        "body": {"S": to_json(decision)},
        **VERSION_ATTRIBUTE,
        "trace_id": {"S": call.trace_id},
        "ttl": _ttl(call),
    }


def meta_key(call_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"CALL#{call_id}"}, "sk": {"S": "META"}}


def counter_key(tenant_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"TENANT#{tenant_id}"}, "sk": {"S": "CONC"}}


def active_key(shard: int) -> str:
    return f"ACTIVE#{shard}"


def shard_of(call_id: str) -> int:
    """A stable shard for an id (Python's own hash differs between processes)."""
    return sum(call_id.encode()) % SHARDS


def sortable(moment: datetime) -> str:
    """Milliseconds since the epoch, padded so that text sorts as time."""
    return f"{int(moment.timestamp() * 1_000):015d}"


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(int(text) / 1_000, UTC)


def _ttl(call: Call) -> dict[str, str]:
    return {"N": str(int((call.created_at + KEEP).timestamp()))}
