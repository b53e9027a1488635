"""What can go wrong in the twin's speech.

SpeechError
├── QueueFull          more requests wait for a worker than it was given room for
├── WorkerLost         the worker process ended in the middle of a request
├── WorkerTimedOut     the worker did not answer in time and was ended
├── WorkerRefused      the worker answered with an error; the message says which
└── WeightsUnusable    the packages with the recogniser's weights are missing or not the expected
ones
"""

from __future__ import annotations

from local.errors import TwinError


class SpeechError(TwinError):
    """Root of all errors of `local.speech`."""


class QueueFull(SpeechError):
    """Too many requests wait already; try again later or lower the load."""


class WorkerLost(SpeechError):
    """The worker process ended in the middle of a request. The next request starts a new one."""


class WorkerTimedOut(SpeechError):
    """The worker did not answer in time and was ended. The next request starts a new one."""


class WorkerRefused(SpeechError):
    """The worker could not serve the request; it goes on with the next one."""


class WeightsUnusable(SpeechError):
    """The recogniser's weights are missing or differ from the ones this was measured with."""
