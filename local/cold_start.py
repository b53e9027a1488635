"""How long each function takes to import, held against boto3 with a DynamoDB client in the same run."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local.cloud.cloudformation_yaml import read_template
from local.cloud.state import PROJECT

ROUNDS = 7
_FUNCTION = "AWS::Serverless::Function"
_CLIENT = "import boto3; boto3.client('dynamodb', region_name='eu-west-1')"


@dataclass(frozen=True, slots=True)
class ColdStarts:
    """Medians over the rounds; a ratio is a round's own, so that a busy moment slows both of its sides."""

    baseline_ms: float
    functions_ms: Mapping[str, float]
    ratios: Mapping[str, float]


def function_names() -> tuple[str, ...]:
    """Of every function in template.yaml, the package below `functions` that holds its handler."""
    resources = read_template(PROJECT / "template.yaml")["Resources"]
    return tuple(
        resource["Properties"]["Handler"].split(".")[1]
        for resource in resources.values()
        if resource["Type"] == _FUNCTION
    )


def measure(names: Sequence[str], rounds: int = ROUNDS) -> ColdStarts:
    """Fresh processes: in each round the baseline, then every function. Blocking: about a second each."""
    baseline: list[float] = []
    taken: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        baseline.append(_import_ms(_CLIENT))
        for name, samples in taken.items():
            samples.append(_import_ms(f"import functions.{name}.handler; {_CLIENT}"))
    return ColdStarts(
        statistics.median(baseline),
        {name: statistics.median(samples) for name, samples in taken.items()},
        {
            name: statistics.median(
                sample / base for sample, base in zip(samples, baseline, strict=True)
            )
            for name, samples in taken.items()
        },
    )


def _import_ms(code: str) -> float:
    """Interpreter start excluded."""
    timed = f"import time; t = time.perf_counter(); {code}; print((time.perf_counter() - t) * 1000)"
    output = subprocess.run(
        [sys.executable, "-c", timed], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    return float(output.stdout)
