"""Who is who: tenants, API keys, agent versions. One table, no expiry."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from shared.adapters.codec import from_json, to_json
from shared.domain.agent import Agent
from shared.domain.errors import Conflict, NotFound, Unavailable
from shared.domain.tenant import ApiKey, Scope, Tenant, hashed, new_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")
ADMINISTRATION = "sofia-administration"
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
        """The tenant as `change` makes it; two changes at once lose nothing. Raises NotFound, and what `change`
        raises."""
        pk = f"TENANT#{tenant_id}"
        for _ in range(TRIES):
            old = self._body("tenant", pk, "PROFILE")
            new = change(from_json(Tenant, old))
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=_item(pk, "PROFILE", new),
                    ConditionExpression="body = :old",
                    ExpressionAttributeValues={":old": {"S": old}},
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                continue
            return new
        raise Unavailable("this tenant is being changed by too many at once; try again")

    def key(self, text: str) -> ApiKey:
        """The key whose text this is; raises NotFound."""
        return self._get(ApiKey, f"KEY#{hashed(text)}", "KEY")

    def put_key(self, key: ApiKey) -> None:
        """Both under its hash, where it is looked up, and under its tenant, where it is listed and revoked: a key
        that works but is not listed could not be taken away."""
        items = (
            _item(f"KEY#{key.key_hash}", "KEY", key),
            _item(f"TENANT#{key.tenant_id}", f"KEY#{key.key_id}", key),
        )
        self._client.transact_write_items(
            TransactItems=[{"Put": {"TableName": self._table, "Item": item}} for item in items]
        )

    def keys_of(self, tenant_id: str) -> list[ApiKey]:
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :key)",
            ExpressionAttributeValues={
                ":pk": {"S": f"TENANT#{tenant_id}"},
                ":key": {"S": "KEY#"},
            },
        )
        return [from_json(ApiKey, item["body"]["S"]) for item in answer["Items"]]

    def agent(self, tenant_id: str, agent_id: str, version: int) -> Agent:
        """One version; kept, because versions never change but for the approval of their opening."""
        key = (tenant_id, agent_id, version)
        if key not in self._agents or self._agents[key].opening.approved_at is None:
            self._agents[key] = self._get(
                Agent, f"TENANT#{tenant_id}", _agent_key(agent_id, version)
            )
        return self._agents[key]

    def current_agent(self, tenant_id: str, agent_id: str) -> Agent:
        """The newest version; raises NotFound."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :agent)",
            ExpressionAttributeValues={
                ":pk": {"S": f"TENANT#{tenant_id}"},
                ":agent": {"S": f"AGENT#{agent_id}#"},
            },
            ScanIndexForward=False,
            Limit=1,
            ConsistentRead=True,
        )
        if not answer["Items"]:
            raise NotFound("this tenant has no such agent: put its facts first")
        return from_json(Agent, answer["Items"][0]["body"]["S"])

    def put_agent(self, agent: Agent, new: bool = True) -> None:
        """Publish a version; raises Conflict where `new` and it exists."""
        pk = f"TENANT#{agent.tenant_id}"
        self._put(pk, _agent_key(agent.agent_id, agent.version), agent, new)

    def _get(self, kind: type[T], pk: str, sk: str) -> T:
        return from_json(kind, self._body(kind.__name__.lower(), pk, sk))

    def _body(self, name: str, pk: str, sk: str) -> str:
        item = self._client.get_item(
            TableName=self._table,
            Key={"pk": {"S": pk}, "sk": {"S": sk}},
            ConsistentRead=True,
        ).get("Item")
        if item is None:
            raise NotFound(f"there is no such {name}")
        return item["body"]["S"]

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
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise Conflict(f"this {type(value).__name__.lower()} exists already") from error
            raise


def create_key(
    directory: Directory,
    tenant_id: str,
    scopes: tuple[Scope, ...],
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[str, ApiKey]:
    """A fresh key: its text, which is shown once and never stored, and its record."""
    text = new_key()
    digest = hashed(text)
    key = ApiKey(f"key_{digest[:10]}", digest, tenant_id, scopes, now, expires_at)
    directory.put_key(key)
    return text, key


def bootstrap_administrator(directory: Directory, now: datetime) -> str:
    """The first administrator's key of a fresh stack, which nobody could ask the API for; shown once. Asked again it
    gives another key."""
    with suppress(Conflict):
        directory.put_tenant(Tenant(ADMINISTRATION, "Administración", now), new=True)
    return create_key(directory, ADMINISTRATION, (Scope.ADMIN,), now)[0]


def _agent_key(agent_id: str, version: int) -> str:
    return f"AGENT#{agent_id}#{version:06d}"


def _item(pk: str, sk: str, value: object) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}, "body": {"S": to_json(value)}, "v": {"N": "1"}}
