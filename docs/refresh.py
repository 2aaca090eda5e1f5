"""Real output in the documentation: `python -m docs.refresh` writes it, a test holds it.

A block is a comment `<!-- output of: COMMAND -->` with a fenced block below it. Commands run from the top of the
project at 100 columns; seconds are masked before two outputs are compared. ` | head -n N` keeps the first N lines, so
that a block may show standard output alone. A sweep keeps its members in a place that is thrown away.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).parent.parent
BLOCK = re.compile(r"(<!-- output of: (?P<command>.+?) -->\n```text\n)(?P<output>.*?)(```)", re.S)


def pages() -> list[Path]:
    """Every page of the documentation that may hold output."""
    return [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]


def blocks() -> Iterator[tuple[Path, str, str]]:
    """(page, command, output it shows) of every block."""
    for page in pages():
        for found in BLOCK.finditer(page.read_text()):
            yield page, found["command"], found["output"]


def run(command: str) -> str:
    """What a command prints, standard error after standard output."""
    command, _, most = command.partition(" | head -n ")
    program, *arguments = shlex.split(command)
    if program != "solvency":
        raise ValueError(f"only solvency is run, not {program}")
    with tempfile.TemporaryDirectory() as store:
        kept = ["--store", store] if arguments[0] == "sweep" else []
        call = [sys.executable, "-m", "optimizer.cli.main", *arguments, *kept]
        done = subprocess.run(call, cwd=TOP, capture_output=True, text=True, env=_terminal(), check=False)
    lines = (done.stdout + done.stderr).splitlines()
    return "".join(line.rstrip() + "\n" for line in lines[: int(most) if most else None])


def masked(output: str) -> str:
    """The output without what differs from run to run."""
    return re.sub(r"\d+(\.\d+)? s\b", "N s", output)


def main() -> None:
    """Write every block anew."""
    for page in pages():
        text = page.read_text()
        page.write_text(BLOCK.sub(lambda found: found[1] + run(found["command"]) + found[4], text))


def _terminal() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONPATH": str(TOP)}


if __name__ == "__main__":
    main()
