"""./sofia, with programs in the place of Python and uv: nothing is installed and nothing is fetched."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# The Python that is found: it makes environments in which a command says that it ran, and runs `local` without any
# installed package.
FOUND = f"""#!/bin/sh
case "$1 $2" in
"-c import sys; print(sys.executable)") echo "$0" ;;
"-m venv")
    for folder; do :; done
    echo "$0" >>"$MADE"
    mkdir -p "$folder/bin"
    cp "$INSIDE" "$folder/bin/python" ;;
"-m local") exec {sys.executable} -S "$@" ;;
*) exec {sys.executable} "$@" ;;
esac
"""
INSIDE = f"""#!/bin/sh
case "$1 $2" in
"-m uv" | "-m pip") exit 0 ;;
"-m local") shift 2; echo "ran $*" ;;
*) exec {sys.executable} "$@" ;;
esac
"""


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@dataclass(frozen=True)
class Copy:
    """A copy of the project with nothing installed. `path` is where its Pythons are looked for."""

    folder: Path
    project: Path

    def start(self, *arguments: str, path: str = "first") -> subprocess.CompletedProcess[str]:
        program(self.folder / path / "python3.13", FOUND)
        # The watcher of the installation may live on for a second: a pipe would be waited for.
        with (self.folder / "told").open("w") as told:
            return subprocess.run(
                [self.project / "sofia", *arguments],
                env={
                    "PATH": f"{self.folder / path}:/usr/bin:/bin",
                    "HOME": str(self.folder),
                    "MADE": str(self.folder / "made"),
                    "INSIDE": str(self.folder / "inside"),
                },
                stdout=subprocess.PIPE,
                stderr=told,
                text=True,
                check=False,
                timeout=60,
            )

    @property
    def told(self) -> str:
        return (self.folder / "told").read_text()

    @property
    def made(self) -> int:
        """How many environments were made so far, the installer's included."""
        made = self.folder / "made"
        return len(made.read_text().splitlines()) if made.exists() else 0


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    project = tmp_path / "project"
    (project / "requirements").mkdir(parents=True)
    for name in ("local", "dev"):
        (project / "requirements" / f"{name}.txt").write_text(f"{name}==1\n")
    for name in ("local", "shared"):
        (project / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "sofia", project / "sofia")
    program(tmp_path / "inside", INSIDE)
    yield Copy(tmp_path, project)


def test_the_first_start_installs_and_the_next_only_runs(copy: Copy) -> None:
    assert copy.start("demo", "--json").stdout == "ran demo --json\n"
    assert copy.made == 2
    assert copy.start("demo").stdout == "ran demo\n"
    assert copy.made == 2


def test_another_python_on_the_path_changes_nothing(copy: Copy) -> None:
    copy.start("demo")
    environment = (copy.project / ".venv-local").stat().st_ino
    assert copy.start("demo", path="second").stdout == "ran demo\n"
    assert copy.made == 2
    assert (copy.project / ".venv-local").stat().st_ino == environment


def test_other_requirements_are_installed_anew(copy: Copy) -> None:
    copy.start("demo")
    (copy.project / "requirements" / "local.txt").write_text("local==2\n")
    assert copy.start("demo").stdout == "ran demo\n"
    assert copy.made == 3
    assert not list((copy.project / ".sofia").glob("install.*/"))


def test_an_environment_whose_python_is_gone_is_made_anew(copy: Copy) -> None:
    copy.start("demo")
    inside = copy.project / ".venv-local" / "bin" / "python"
    inside.unlink()
    inside.symlink_to("/nonexistent/python")
    assert copy.start("demo").stdout == "ran demo\n"
    assert copy.made == 3


def test_the_larger_environment_serves_every_command_while_it_is_current(copy: Copy) -> None:
    copy.start("lock")
    assert copy.start("demo").stdout == "ran demo\n"
    assert not (copy.project / ".venv-local").exists()
    (copy.project / "requirements" / "dev.txt").write_text("dev==2\n")
    assert copy.start("demo").stdout == "ran demo\n"
    assert (copy.project / ".venv-local").exists()


def test_help_needs_nothing_installed(copy: Copy) -> None:
    shown = copy.start("--help", "demo")
    assert (shown.returncode, copy.made) == (0, 0)
    assert "ring one simulated salon owner" in shown.stdout
    assert not (copy.project / ".sofia").exists()


@pytest.mark.parametrize("words", [(), ("dmeo",), ("__init__",), ("dmeo", "demo"), ("../session",)])
def test_a_command_that_does_not_exist_is_told_before_anything_is_installed(
    copy: Copy, words: tuple[str, ...]
) -> None:
    assert (copy.start(*words).returncode, copy.made) == (2, 0)
    assert "usage: sofia" in copy.told
    assert not (copy.project / ".sofia").exists()
