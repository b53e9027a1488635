"""How long a call that cannot be dialled now stays in the queue: longer each time, never in step with others."""

from __future__ import annotations

import random

FIRST_S = 2
# A slot that frees up stands empty for half of this on average: short against a call of a minute and more.
LONGEST_S = 20
# Credentials are mended by people. Far below the time after which the reconciler takes a message for lost.
LOCKED_OUT_S = 300


def delay_s(received: int) -> int:
    """Whole seconds until the message is seen again, after it was received `received` times."""
    ceiling = min(LONGEST_S, FIRST_S * 2 ** min(received - 1, 10))
    return random.randint(max(1, ceiling // 2), ceiling)
