"""One object for each call in S3, for as long as the law or the tenant wants it: the report as canonical JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.domain.call import Call
from shared.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Archive:
    """Writes; who reads has a person's reason and the console."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, call: Call, report: Mapping[str, Any]) -> None:
        """Idempotent: the same report is the same object. Raises Unavailable."""
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=object_key(call),
                Body=canonical(report),
                ContentType="application/json",
            )
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("the archive is away") from error


def object_key(call: Call) -> str:
    """`calls/<tenant>/<yyyy>/<mm>/<dd>/<call_id>.json`, by the day (UTC) on which the call was created."""
    return f"calls/{call.tenant_id}/{call.created_at:%Y/%m/%d}/{call.call_id}.json"


def canonical(report: Mapping[str, Any]) -> bytes:
    """Sorted names, no blanks, UTF-8: equal content is equal bytes."""
    text = json.dumps(report, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()
