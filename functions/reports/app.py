"""Reading calls: those that live from DynamoDB, those that are over from Aurora as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.adapters.call_report import report_of
from shared.adapters.history import DueFollowUp, FollowUpQuery, History
from shared.adapters.live_reader import LiveReader
from shared.domain.errors import NotFound
from shared.domain.listing import CallQuery, CallRow, merged


@dataclass(frozen=True, slots=True)
class Reports:
    """What a tenant may read. Another tenant's call is not there."""

    reader: LiveReader
    history: History

    def call(self, tenant_id: str, call_id: str) -> dict[str, Any]:
        """A call's whole report. Live first: a call that lives is read without the database. Raises NotFound."""
        try:
            whole = self.reader.read(call_id)
        except NotFound:
            return self.history.get(tenant_id, call_id)
        if whole.call.tenant_id != tenant_id:
            raise NotFound("there is no such call")
        return report_of(whole)

    def calls(self, tenant_id: str, query: CallQuery) -> list[CallRow]:
        """One page of both stores: a call is in the list from the moment it is created."""
        live = self.reader.rows(tenant_id, query)
        return merged(live, self.history.rows(tenant_id, query), query.limit)

    def follow_ups(self, tenant_id: str, query: FollowUpQuery) -> list[DueFollowUp]:
        """Promises of calls that are over."""
        return self.history.follow_ups(tenant_id, query)
