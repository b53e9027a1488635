"""What a terminal showed, as one SVG file that fetches nothing: fonts are the reader's own."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

WIDTH = 110
_FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace; font-size: {char_height}px;
line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def save(console: Console, path: Path, title: str) -> None:
    """`console` was made with `record=True`. The same session gives the same file."""
    path.write_text(
        console.export_svg(title=title, code_format=_FORMAT, unique_id="sofia"), encoding="utf-8"
    )
