"""Objections on record. The key is an HMAC of the number, so the list outlives the lead and names nobody."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.adapters.codec import to_json
from shared.adapters.stored_items import VERSION_ATTRIBUTE, is_condition_failed, stored
from shared.domain.conversation import Suppression
from shared.domain.outcome import OptOutScope

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Without letters and digits that sound or look alike.
_ALPHABET = "2345679ACDEFHJKLMNPRTUVWXYZ"
REFERENCE_LENGTH = 5


class Suppressions:
    """SUPP items of the `leads` table, one for each scope's owner and number."""

    def __init__(self, client: DynamoDBClient, table: str, secret: bytes) -> None:
        self._client = client
        self._table = table
        self._secret = secret

    def number_key(self, number: str) -> str:
        return hmac.new(self._secret, number.encode(), hashlib.sha256).hexdigest()

    def reference(self, tenant_id: str, number: str) -> str:
        """What the person is told: derived, so that a repetition gives the same."""
        digest = hmac.new(self._secret, f"{tenant_id}:{number}".encode(), hashlib.sha256).digest()
        value = int.from_bytes(digest[:8])
        letters = ""
        for _ in range(REFERENCE_LENGTH):
            value, index = divmod(value, len(_ALPHABET))
            letters += _ALPHABET[index]
        return f"OP-{letters}"

    def add(self, suppression: Suppression) -> Suppression:
        """Put an objection on record, effective at once. The first one stays; gives the one that counts."""
        item: Any = {
            **self._key(suppression.tenant_id, suppression.scope, suppression.number_key),
            "body": {"S": to_json(suppression)},
            **VERSION_ATTRIBUTE,
        }
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as error:
            if not is_condition_failed(error):
                raise
            return self._get(
                suppression.tenant_id, suppression.scope, suppression.number_key
            ) or replace(suppression)
        return suppression

    def find(self, tenant_id: str, number: str) -> Suppression | None:
        """The objection that stands against calling this number for this tenant."""
        key = self.number_key(number)
        scopes = (OptOutScope.PLATFORM, OptOutScope.TENANT)
        found = (self._get(tenant_id, scope, key) for scope in scopes)
        return next((suppression for suppression in found if suppression is not None), None)

    def _get(self, tenant_id: str, scope: OptOutScope, number_key: str) -> Suppression | None:
        answer = self._client.get_item(
            TableName=self._table,
            Key=self._key(tenant_id, scope, number_key),
            ConsistentRead=True,
        )
        item = answer.get("Item")
        return stored(Suppression, item) if item else None

    def _key(self, tenant_id: str, scope: OptOutScope, number_key: str) -> dict[str, Any]:
        of_tenant = scope == OptOutScope.TENANT
        owner = f"TENANT#{tenant_id}" if of_tenant else OptOutScope.PLATFORM.value
        return {"pk": {"S": f"SUPP#{owner}"}, "sk": {"S": number_key}}
