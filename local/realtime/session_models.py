"""A `session.update` as the service reads it: every field optional, none unknown, each of its own kind."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from local.realtime.errors import WireModel

MAX_TOKENS = 4_096
VoiceName = Literal[
    "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"
]


class CustomVoice(WireModel):
    id: Annotated[str, Field(pattern="^voice_")]


VoiceChoice = VoiceName | CustomVoice


class Pcm(WireModel):
    type: Literal["audio/pcm"]
    rate: Literal[24_000]


class Pcmu(WireModel):
    type: Literal["audio/pcmu"]


class Pcma(WireModel):
    type: Literal["audio/pcma"]


Format = Annotated[Pcm | Pcmu | Pcma, Field(discriminator="type")]


class NoiseReduction(WireModel):
    type: Literal["near_field", "far_field"]
    strength: Annotated[float, Field(ge=0)] | None = None


class Transcription(WireModel):
    model: (
        Literal[
            "whisper-1",
            "gpt-transcribe",
            "gpt-live-transcribe",
            "gpt-4o-mini-transcribe",
            "gpt-4o-mini-transcribe-2025-12-15",
            "gpt-4o-transcribe",
            "gpt-4o-transcribe-diarize",
            "gpt-realtime-whisper",
        ]
        | None
    ) = None
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] | None = None
    languages: list[str] | None = None
    keywords: list[str] | None = None
    prompt: str | None = None
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None


class ServerVad(WireModel):
    type: Literal["server_vad"]
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    prefix_padding_ms: Annotated[int, Field(ge=0)] = 300
    silence_duration_ms: Annotated[int, Field(ge=0)] = 500
    idle_timeout_ms: Annotated[int, Field(ge=5_000, le=30_000)] | None = None
    create_response: bool = True
    interrupt_response: bool = True


class SemanticVad(WireModel):
    type: Literal["semantic_vad"]
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


class AudioInput(WireModel):
    format: Format = Pcmu(type="audio/pcmu")
    noise_reduction: NoiseReduction | None = None
    transcription: Transcription | None = None
    turn_detection: Annotated[ServerVad | SemanticVad, Field(discriminator="type")] | None = None


class AudioOutput(WireModel):
    format: Format = Pcmu(type="audio/pcmu")
    voice: VoiceChoice = "marin"
    speed: Annotated[float, Field(ge=0.25, le=1.5)] = 1.0


class Audio(WireModel):
    input: AudioInput = AudioInput()
    output: AudioOutput = AudioOutput()


class FunctionTool(WireModel):
    """Flat, unlike in Chat Completions. MCP tools are refused: the emulator has none."""

    type: Literal["function"]
    name: Annotated[str, Field(min_length=1)]
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)


class FunctionChoice(WireModel):
    type: Literal["function"]
    name: str


class McpChoice(WireModel):
    type: Literal["mcp"]
    server_label: str
    name: str | None = None


ToolChoice = (
    Literal["auto", "none", "required"]
    | Annotated[FunctionChoice | McpChoice, Field(discriminator="type")]
)


class Reasoning(WireModel):
    effort: Literal["minimal", "low", "medium", "high", "xhigh"] = "low"


class TokenLimits(WireModel):
    post_instructions: Annotated[int, Field(ge=0)] | None = None


class RetentionRatio(WireModel):
    type: Literal["retention_ratio"]
    retention_ratio: Annotated[float, Field(ge=0, le=1)]
    token_limits: TokenLimits | None = None


class Tracing(WireModel):
    workflow_name: str | None = None
    group_id: str | None = None
    metadata: dict[str, Any] | None = None


class Prompt(WireModel):
    id: str
    version: str | None = None
    variables: dict[str, Any] | None = None


TokenLimit = Annotated[int, Field(ge=1, le=MAX_TOKENS)] | Literal["inf"]
Modalities = Annotated[list[Literal["audio", "text"]], Field(min_length=1, max_length=1)]


class SessionUpdate(WireModel):
    """The defaults here are never read: only the fields that were sent count (`model_fields_set`)."""

    type: Literal["realtime"]
    model: str = ""
    output_modalities: Modalities = Field(default_factory=list)
    instructions: str = ""
    audio: Audio = Audio()
    include: list[Literal["item.input_audio_transcription.logprobs"]] | None = None
    tools: list[FunctionTool] = Field(default_factory=list)
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool = True
    reasoning: Reasoning | None = None
    max_output_tokens: TokenLimit = "inf"
    truncation: Literal["auto", "disabled"] | RetentionRatio = "auto"
    tracing: Literal["auto"] | Tracing | None = None
    prompt: Prompt | None = None
