"""What can go wrong in the twin and its commands, as its user meets it: the text says what to do.

TwinError
├── PortTaken           a port that was asked for is in use
├── NoTwin              a command needs a running twin, and none answers
├── MiniStackFailed, PostgresFailed, MediaFailed   a part did not start; the text ends with its last words
├── TemplateError       template.yaml says something that the twin cannot run
├── PersonaFileUnusable, UnknownPersona
├── CallTimedOut        a call did not come to its end in time
├── RunsLost            a process that played personas ended without a result
├── TextEarsNotUsed     text ears were asked for with the real model
├── ApiError            the API refused
└── SpeechError         ears or voice (local/speech/errors.py)
"""

from __future__ import annotations

from shared.domain.errors import SofiaError


class TwinError(SofiaError):
    """Root of what the twin raises on purpose; `./sofia` prints the text and ends with 1."""


class PortTaken(TwinError):
    """Somebody else listens on the port."""


class NoTwin(TwinError):
    """No twin runs, or it does not answer."""
