"""Who is who: tenants, API keys, agent versions. One table, no expiry."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from shared.adapters.codec import from_json, to_json
from shared.domain.agent import Agent
from shared.domain.errors import Conflict, NotFound
from shared.domain.tenant import ApiKey, Scope, Tenant, hashed, new_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")


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

    def key(self, text: str) -> ApiKey:
        """The key whose text this is; raises NotFound."""
        return self._get(ApiKey, f"KEY#{hashed(text)}", "KEY")

    def put_key(self, key: ApiKey) -> None:
        self._put(f"KEY#{key.key_hash}", "KEY", key)
        self._put(f"TENANT#{key.tenant_id}", f"KEY#{key.key_id}", key)

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
        answer = self._client.get_item(
            TableName=self._table,
            Key={"pk": {"S": pk}, "sk": {"S": sk}},
            ConsistentRead=True,
        )
        item = answer.get("Item")
        if item is None:
            raise NotFound(f"there is no such {kind.__name__.lower()}")
        return from_json(kind, item["body"]["S"])

    def _put(self, pk: str, sk: str, value: object, new: bool = False) -> None:
        item: Any = {
            "pk": {"S": pk},
            "sk": {"S": sk},
            "body": {"S": to_json(value)},
            "v": {"N": "1"},
        }
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
    directory: Directory, tenant_id: str, scopes: tuple[Scope, ...], now: datetime
) -> tuple[str, ApiKey]:
    """A fresh key: its text, which is shown once and never stored, and its record."""
    text = new_key()
    digest = hashed(text)
    key = ApiKey(f"key_{digest[:10]}", digest, tenant_id, scopes, now)
    directory.put_key(key)
    return text, key


def _agent_key(agent_id: str, version: int) -> str:
    return f"AGENT#{agent_id}#{version:06d}"
