"""Child processes that never outlive their parent.

Each child runs under a small guardian that holds a pipe from the parent: when the pipe closes, whatever the reason
(even a SIGKILL of the parent), the guardian ends the child's whole process group and leaves.

    python -m local.cloud.process COMMAND [ARGUMENT ...]
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

STOP_WITHIN_S = 8.0


class Child:
    """A guarded child process. `log` takes its output; None: it goes where the parent's goes."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path | None,
        environment: Mapping[str, str] | None = None,
        user_id: int | None = None,
    ) -> None:
        read_end, self._write_end = os.pipe()
        guarded = [sys.executable, "-m", "local.cloud.process", str(read_end)]
        guarded += [str(user_id) if user_id is not None else "-", *command]
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(log.open("ab")) if log is not None else None
            self._guardian = subprocess.Popen(
                guarded,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output is not None else None,
                env=dict(environment) if environment is not None else None,
                cwd=Path(__file__).parents[2],
                pass_fds=(read_end,),
                start_new_session=True,
            )
        os.close(read_end)

    @property
    def is_running(self) -> bool:
        return self._guardian.poll() is None

    @property
    def pid(self) -> int:
        """The guardian's."""
        return self._guardian.pid

    def wait(self) -> int:
        """Until the child ends by itself; gives its exit status, negative for the signal that ended it."""
        return self._guardian.wait()

    def kill(self) -> None:
        """SIGKILL to the child, as a crash would end it. Linux only."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)

    def end(self) -> int | None:
        """As `stop`; gives its exit status, None if it would not go."""
        self.stop()
        return self._guardian.poll()

    def stop(self) -> None:
        """End the child and wait until it is gone. Idempotent."""
        if self._write_end >= 0:
            os.close(self._write_end)
            self._write_end = -1
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._guardian.wait(STOP_WITHIN_S + 2)


def _guard(pipe: int, user_id: int | None, command: list[str]) -> int:
    """Run `command` until it ends or the parent's pipe closes."""
    identity = {} if user_id is None else {"user": user_id, "group": user_id, "extra_groups": []}
    child = subprocess.Popen(command, start_new_session=True, **identity)  # type: ignore[call-overload]
    # Ctrl-C reaches the parent, which decides; the guardian listens to its pipe alone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while child.poll() is None:
        readable, _, _ = select.select([pipe], [], [], 0.2)
        if readable:
            _end(child)
    return int(child.returncode)


def _end(child: subprocess.Popen[bytes]) -> None:
    for signal_number, patience_s in (
        (signal.SIGTERM, STOP_WITHIN_S),
        (signal.SIGKILL, 2.0),
    ):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal_number)
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            if child.poll() is not None:
                return
            time.sleep(0.02)


if __name__ == "__main__":
    uid = None if sys.argv[2] == "-" else int(sys.argv[2])
    sys.exit(_guard(int(sys.argv[1]), uid, sys.argv[3:]))
