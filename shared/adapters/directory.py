"""Who is who: tenants, API keys, agent versions. One table, no expiry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from shared.adapters.codec import to_json
from shared.adapters.stored_items import VERSION_ATTRIBUTE, is_condition_failed, stored
from shared.domain.agent import Agent
from shared.domain.errors import Conflict, NotFound, Unavailable
from shared.domain.tenant import ADMINISTRATION, ApiKey, Scope, Tenant, hashed, new_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")
TRIES = 5


class Directory:
    """Reads and writes the `directory` table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self._agents: dict[tuple[str, str, int], Agent] = {}

    def tenant(self, tenant_id: str) -> Tenant:
        """Raises NotFound."""
        return self._get(Tenant, f"TENANT#{tenant_id}", "PROFILE")

    def put_tenant(self, tenant: Tenant, new: bool = False) -> None:
        """Raises Conflict where `new` and the id is taken."""
        self._put(f"TENANT#{tenant.tenant_id}", "PROFILE", tenant, new)

    def change_tenant(self, tenant_id: str, change: Callable[[Tenant], Tenant]) -> Tenant:
        """The tenant as `change` makes it. Raises NotFound, and what `change` raises."""
        return self._change(Tenant, f"TENANT#{tenant_id}", "PROFILE", change)

    def key(self, text: str) -> ApiKey:
        """The key whose text this is; raises NotFound."""
        return self._get(ApiKey, f"KEY#{hashed(text)}", "KEY")

    def put_key(self, key: ApiKey, new: bool = False) -> None:
        """Both under its hash, where it is looked up, and under its tenant, where it is listed and revoked: a key
        that works but is not listed could not be taken away. Raises Conflict where `new` and the tenant has a key of
        that id."""
        puts: list[Any] = [
            {"TableName": self._table, "Item": _item(f"KEY#{key.key_hash}", "KEY", key)},
            {"TableName": self._table, "Item": _item(*_key_place(key.tenant_id, key.key_id), key)},
        ]
        if new:
            puts[1]["ConditionExpression"] = "attribute_not_exists(pk)"
        try:
            self._client.transact_write_items(TransactItems=[{"Put": put} for put in puts])
        except self._client.exceptions.TransactionCanceledException as error:
            reasons: Any = error.response.get("CancellationReasons", [])
            if any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons):
                raise Conflict("this tenant has a key of this id") from error
            raise Unavailable("somebody else changes this key; try again") from error

    def key_of(self, tenant_id: str, key_id: str) -> ApiKey:
        """A tenant's key by its id; raises NotFound."""
        return self._get(ApiKey, *_key_place(tenant_id, key_id))

    def keys_of(self, tenant_id: str) -> list[ApiKey]:
        return list(self._all(ApiKey, tenant_id, "KEY#"))

    def agent(self, tenant_id: str, agent_id: str, version: int) -> Agent:
        """One version; kept, because versions never change but for the approval of their opening."""
        key = (tenant_id, agent_id, version)
        if key not in self._agents or self._agents[key].opening.approved_at is None:
            self._agents[key] = self._get(
                Agent, f"TENANT#{tenant_id}", _agent_key(agent_id, version)
            )
        return self._agents[key]

    def newest_agent(self, tenant_id: str, agent_id: str) -> Agent:
        """Approved or not; raises NotFound."""
        for agent in self._versions(tenant_id, agent_id):
            return agent
        raise NotFound("this tenant has no such agent: put its facts first")

    def agent_for_new_calls(self, tenant_id: str, agent_id: str) -> Agent:
        """The newest approved version: a newer one waits for its approval. Where none is approved the newest, which
        the gate will not let call. Raises NotFound."""
        for agent in self._versions(tenant_id, agent_id):
            if agent.opening.approved_at is not None:
                return agent
        return self.newest_agent(tenant_id, agent_id)

    def put_agent(self, agent: Agent, new: bool = True) -> None:
        """Keep a version; raises Conflict where `new` and it exists."""
        pk = f"TENANT#{agent.tenant_id}"
        self._put(pk, _agent_key(agent.agent_id, agent.version), agent, new)

    def publish(self, agent: Agent) -> tuple[Agent, bool]:
        """The agent as its next version, whatever version it says; where the newest one says the same, that one. Gives
        what is published now, and whether it is new."""
        for _ in range(TRIES):
            newest = next(self._versions(agent.tenant_id, agent.agent_id), None)
            if newest is not None:
                opening = replace(agent.opening, approved_at=newest.opening.approved_at)
                if replace(agent, version=newest.version, opening=opening) == newest:
                    return newest, False
                agent = replace(agent, version=newest.version + 1)
            with suppress(Conflict):
                self.put_agent(agent)
                return agent, True
        raise Unavailable("this agent is being published by too many at once; try again")

    def change_agent(
        self, tenant_id: str, agent_id: str, version: int, change: Callable[[Agent], Agent]
    ) -> Agent:
        """The version as `change` makes it; only approvals change one. Raises NotFound."""
        return self._change(Agent, f"TENANT#{tenant_id}", _agent_key(agent_id, version), change)

    def _versions(self, tenant_id: str, agent_id: str) -> Iterator[Agent]:
        return self._all(Agent, tenant_id, f"AGENT#{agent_id}#", newest_first=True)

    def _all(
        self, kind: type[T], tenant_id: str, prefix: str, newest_first: bool = False
    ) -> Iterator[T]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={
                ":pk": {"S": f"TENANT#{tenant_id}"},
                ":prefix": {"S": prefix},
            },
            ScanIndexForward=not newest_first,
            ConsistentRead=True,
        )
        for page in pages:
            for item in page["Items"]:
                yield stored(kind, item)

    def _get(self, kind: type[T], pk: str, sk: str) -> T:
        return stored(kind, self._item(kind.__name__.lower(), pk, sk))

    def _item(self, name: str, pk: str, sk: str) -> Any:
        item = self._client.get_item(
            TableName=self._table,
            Key={"pk": {"S": pk}, "sk": {"S": sk}},
            ConsistentRead=True,
        ).get("Item")
        if item is None:
            raise NotFound(f"there is no such {name}")
        return item

    def _change(self, kind: type[T], pk: str, sk: str, change: Callable[[T], T]) -> T:
        """Two changes at once lose nothing, and what changes nothing is not written."""
        for _ in range(TRIES):
            item = self._item(kind.__name__.lower(), pk, sk)
            old = stored(kind, item)
            new = change(old)
            if new == old:
                return old
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=_item(pk, sk, new),
                    ConditionExpression="body = :old",
                    ExpressionAttributeValues={":old": item["body"]},
                )
            except ClientError as error:
                if not is_condition_failed(error):
                    raise
                continue
            return new
        raise Unavailable("this is being changed by too many at once; try again")

    def _put(self, pk: str, sk: str, value: object, new: bool = False) -> None:
        item = _item(pk, sk, value)
        try:
            if new:
                self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk)",
                )
            else:
                self._client.put_item(TableName=self._table, Item=item)
        except ClientError as error:
            if is_condition_failed(error):
                raise Conflict(f"this {type(value).__name__.lower()} exists already") from error
            raise


def create_key(
    directory: Directory,
    tenant_id: str,
    scopes: tuple[Scope, ...],
    now: datetime,
    expires_at: datetime | None = None,
    key_id: str | None = None,
) -> tuple[str, ApiKey]:
    """A fresh key: its text, which is shown once and never stored, and its record. Raises Conflict where the tenant has
    a key of that id."""
    text = new_key()
    digest = hashed(text)
    key = ApiKey(key_id or f"key_{digest[:10]}", digest, tenant_id, scopes, now, expires_at)
    directory.put_key(key, new=True)
    return text, key


def bootstrap_administrator(directory: Directory, now: datetime) -> str:
    """The first administrator's key of a fresh stack, which nobody could ask the API for; shown once. Asked again it
    gives another key."""
    with suppress(Conflict):
        directory.put_tenant(Tenant(ADMINISTRATION, "Administración", now), new=True)
    return create_key(directory, ADMINISTRATION, (Scope.ADMIN,), now)[0]


def _agent_key(agent_id: str, version: int) -> str:
    return f"AGENT#{agent_id}#{version:06d}"


def _key_place(tenant_id: str, key_id: str) -> tuple[str, str]:
    return f"TENANT#{tenant_id}", f"KEY#{key_id}"


def _item(pk: str, sk: str, value: object) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}, "body": {"S": to_json(value)}, **VERSION_ATTRIBUTE}
