"""What operators read: one JSON line for each thing they may have to look into, never personal data.

Messages are constant; what varies stands in fields (`call_id`, `tenant_id`). Lines go to stderr, which Lambda collects
like stdout: stdout belongs to the commands that run functions in their own process and print a result.
"""

from __future__ import annotations

import sys
from functools import cache

from aws_lambda_powertools import Logger

from shared.config import optional


def operator_log() -> Logger:
    """The logger of the running function."""
    service = optional("POWERTOOLS_SERVICE_NAME", "sofia")
    return _logger(service, optional("POWERTOOLS_LOG_LEVEL", "INFO"))


@cache
def _logger(service: str, level: str) -> Logger:
    return Logger(service=service, level=level, stream=sys.stderr)
