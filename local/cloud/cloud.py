"""The whole in-process cloud: the template's resources in MiniStack, its functions in this process, its API on a port.

MiniStack runs already, and the process's environment points at it (`AWS_ENDPOINT_URL` and the rest).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from local.cloud.declarations import Route
from local.cloud.function_log import FunctionLogs
from local.cloud.gateway import Gateway
from local.cloud.invoke import Invoker
from local.cloud.ports import HeldPort
from local.cloud.provision import provision
from local.cloud.pump import Pump
from local.cloud.template import Template
from shared.adapters.clock import SystemClock
from shared.domain.clock import Clock


class Cloud:
    """One template, running. `secrets` fills secrets by logical id; `environment_overrides` sets variables of every
    function; `log_folder` takes what functions print and log (None: dropped)."""

    def __init__(
        self,
        template_path: Path,
        endpoint_url: str,
        parameters: Mapping[str, str],
        environment_overrides: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        log_folder: Path | None = None,
        *,
        secrets: Mapping[str, Mapping[str, str]] | None = None,
        port: int = 0,
        duplicate: bool = False,
        crash: bool = False,
    ) -> None:
        self.template = Template(template_path, parameters, environment_overrides)
        self._endpoint_url = endpoint_url
        self._clock = clock or SystemClock()
        self._logs = FunctionLogs(log_folder)
        self._secrets = secrets or {}
        self._port = port
        self._faults = {"duplicate": duplicate, "crash": crash}
        self._stack = AsyncExitStack()
        self._pump: Pump | None = None
        self._invoker: Invoker | None = None
        self.gateway_url = ""

    @property
    def resources(self) -> Mapping[str, str]:
        """Logical id to what `Ref` gives: table names, queue URLs, bucket names, secret ARNs."""
        names = self.template.resource_names
        return {name: self.template.physical[name] for name in names}

    @property
    def failures(self) -> Counter[str]:
        """Failed invocations by function."""
        assert self._invoker is not None, "start the cloud first"
        return self._invoker.failures

    async def start(self) -> None:
        """Everything up, or an exception and everything down. Raises TemplateError, OSError, ClientError."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """At once; what functions are doing is not waited for."""
        await self._stack.aclose()

    async def settle(self, within_s: float = 20.0) -> None:
        """Returns when nothing is under way; raises NotSettled."""
        assert self._pump is not None, "start the cloud first"
        await self._pump.settle(within_s)

    async def _start(self) -> None:
        template = self.template
        await asyncio.to_thread(provision, template, self._secrets, endpoint_url=self._endpoint_url)
        port = HeldPort(self._port)
        self._stack.callback(port.close)
        # Functions may name the API's address in their environment.
        template.name_api(f"http://127.0.0.1:{port.number}")
        self._logs.open()
        self._stack.callback(self._logs.close)
        self._invoker = Invoker(template.functions(), self._logs)
        self._stack.callback(self._invoker.stop)
        self._invoker.warm_up()
        sources = template.events()
        routes = [source for source in sources if isinstance(source, Route)]
        gateway = Gateway(
            routes, template.authorizer(), self._invoker, port.number, stage=template.stage()
        )
        await gateway.start()
        self._stack.push_async_callback(gateway.stop)
        self.gateway_url = gateway.url
        self._pump = Pump(
            template,
            sources,
            self._invoker,
            clock=self._clock,
            endpoint_url=self._endpoint_url,
            **self._faults,
        )
        self._pump.start()
        self._stack.push_async_callback(self._pump.stop)
