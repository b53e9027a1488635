"""Remembers calls: reads the whole call from the live table, projects it into Aurora, keeps an archive object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from shared.adapters import aws_clients
from shared.adapters.call_report import report_of
from shared.adapters.history import History, connector
from shared.adapters.live_reader import LiveReader
from shared.config import environment, required

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Historian:
    reader: LiveReader
    history: History
    s3: S3Client
    bucket: str

    def remember(self, call_id: str) -> None:
        """Idempotent: the same facts write the same rows and the same object."""
        whole = self.reader.read(call_id)
        report = report_of(whole)
        version = len(whole.call.facts) * 10 + (1 if whole.analysis is not None else 0)
        self.history.put(report, version)
        day = whole.call.created_at.strftime("%Y/%m/%d")
        self.s3.put_object(
            Bucket=self.bucket,
            Key=f"calls/{whole.call.tenant_id}/{day}/{call_id}.json",
            Body=json.dumps(report, ensure_ascii=False, sort_keys=True).encode(),
            ContentType="application/json",
        )


@cache
def compose() -> Historian:
    return Historian(
        reader=LiveReader(aws_clients.dynamodb(), required("LIVE_TABLE")),
        history=History(connector(dict(environment()))),
        s3=aws_clients.s3(),
        bucket=required("ARCHIVE_BUCKET"),
    )


def _remember(record: SQSRecord) -> None:
    compose().remember(json.loads(record.body)["detail"]["data"]["call_id"])


def handler(event: Mapping[str, Any], context: Any) -> Any:
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(
        event=dict(event),
        record_handler=_remember,
        processor=processor,
        context=context,
    )
