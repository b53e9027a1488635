"""Who may pass: the API's Lambda authorizers with simple responses, their answers kept by identity.

AuthorizerFailed   the authorizer raised, or answered what is no simple response; the caller gets 500
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.cloud.declarations import Authorizer, Route
from local.cloud.http_event import HttpRequest, authorizer_event, identity_of
from local.cloud.invoke import InvocationFailed, Invoker

# More identities than any test uses; the one that was asked for longest ago goes first.
KEPT_ANSWERS = 10_000


class AuthorizerFailed(Exception):
    """The authorizer gave no usable answer."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`context` is what the function finds as its authorizer's."""

    allowed: bool
    context: Mapping[str, Any]


class Gatekeeper:
    """Asks one authorizer. A kept answer holds for every route alike, as in the service."""

    def __init__(self, authorizer: Authorizer, invoker: Invoker) -> None:
        self._authorizer = authorizer
        self._invoker = invoker
        self._kept: OrderedDict[tuple[str, ...], tuple[float, Verdict]] = OrderedDict()

    async def ask(
        self, request: HttpRequest, route: Route, parameters: Mapping[str, str], now_s: float
    ) -> Verdict | None:
        """The verdict; None where the request does not say who it is. Raises AuthorizerFailed."""
        sources = identity_of(request, self._authorizer)
        if sources is None:
            return None
        identity = tuple(sources)
        kept = self._kept.get(identity)
        if kept is not None and now_s < kept[0]:
            return kept[1]
        event = authorizer_event(request, route, parameters, self._authorizer)
        try:
            answer = await self._invoker.invoke(self._authorizer.function, event)
        except InvocationFailed as error:
            raise AuthorizerFailed from error
        verdict = _verdict(answer)
        # Without identity sources there is nothing to keep answers by.
        if self._authorizer.ttl_s > 0 and identity:
            self._kept[identity] = (now_s + self._authorizer.ttl_s, verdict)
            self._kept.move_to_end(identity)
            if len(self._kept) > KEPT_ANSWERS:
                self._kept.popitem(last=False)
        return verdict


def _verdict(answer: Any) -> Verdict:
    if not isinstance(answer, dict) or not isinstance(answer.get("isAuthorized"), bool):
        raise AuthorizerFailed("the authorizer's answer has no isAuthorized")
    context = answer.get("context") or {}
    if not isinstance(context, dict):
        raise AuthorizerFailed("the authorizer's context is no object")
    return Verdict(answer["isAuthorized"], context)
