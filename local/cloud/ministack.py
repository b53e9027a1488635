"""AWS on this machine: MiniStack as a subprocess, bound to loopback."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from local.cloud.ports import HeldPort
from local.cloud.process import Child
from local.cloud.state import last_lines
from local.errors import TwinError

ACCOUNT = "111122223333"
REGION = "eu-west-1"
READY_WITHIN_S = 20.0
_FIRST_REQUEST_S = 10.0
# By service, what lists something: a service is imported at its first request, DynamoDB takes half a second.
_LISTS = {
    "dynamodb": "DynamoDB_20120810.ListTables",
    "sqs": "AmazonSQS.ListQueues",
    "events": "AWSEvents.ListEventBuses",
    "secretsmanager": "secretsmanager.ListSecrets",
    "s3": "",
}


class MiniStackFailed(TwinError):
    """It did not start; the text ends with its last words."""


class MiniStack:
    """One server with no memory."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "ministack.log"
        self._folder = folder
        self._child: Child | None = None
        self._port: HeldPort | None = None
        self.endpoint_url = ""

    def start(self) -> None:
        """Raises MiniStackFailed."""
        self._port = HeldPort()
        self.endpoint_url = f"http://127.0.0.1:{self._port.number}"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "GATEWAY_PORT": str(self._port.number),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "LAMBDA_EXECUTOR": "local",
            "PERSIST_STATE": "0",
            "LOG_LEVEL": "WARNING",
            "XDG_RUNTIME_DIR": str(self._folder),
        }
        command = [sys.executable, "-m", "ministack"]
        self._child = Child(command, self._log, environment)
        until = time.monotonic() + READY_WITHIN_S
        while not self._answers():
            if not self._child.is_running or time.monotonic() > until:
                raise MiniStackFailed(f"MiniStack did not start:\n{last_lines(self._log)}")
            time.sleep(0.05)
        for service, operation in _LISTS.items():
            self._wake(service, operation)

    def environment(self) -> dict[str, str]:
        """What boto3 reads."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
        if self._port is not None:
            self._port.close()

    def _wake(self, service: str, operation: str) -> None:
        """Whatever it answers, it has been imported then."""
        scope = f"{ACCOUNT}/20260101/{REGION}/{service}/aws4_request"
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
            "Content-Type": "application/x-amz-json-1.0",
            **({"X-Amz-Target": operation} if operation else {}),
        }
        body = b"{}" if operation else None
        request = urllib.request.Request(self.endpoint_url, body, headers)
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(request, timeout=_FIRST_REQUEST_S),
        ):
            pass

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint_url}/_ministack/health", timeout=1):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
