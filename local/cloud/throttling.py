"""Token buckets, as the API's stage and routes have them."""

from __future__ import annotations

from local.cloud.declarations import Throttle


class TokenBucket:
    """Full at the start. Times are monotonic seconds, given by the caller."""

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle
        self._tokens = float(throttle.burst)
        self._filled_s: float | None = None

    def take(self, now_s: float) -> bool:
        """Whether one more request may pass."""
        if self._filled_s is not None:
            back = (now_s - self._filled_s) * self._throttle.rate_per_s
            self._tokens = min(float(self._throttle.burst), self._tokens + back)
        self._filled_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
