"""`solvency new`: an example of the project becomes a file of one's own."""

from __future__ import annotations

from pathlib import Path

from optimizer.catalogue.load import shared_directory
from optimizer.cli.ends import Exit, say
from optimizer.cli.inputs import refusal
from optimizer.instance.faults import closest


def start(file: Path, template: str) -> Exit:
    """Copy a template; an existing file is never overwritten."""
    known = {path.stem: path for path in sorted(shared_directory("instances").glob("*.yaml"))}
    if template not in known:
        near = closest(template, known).rstrip("?")
        raise refusal(None, f"no template is called '{template}'; there are {', '.join(known)}", near)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(known[template].read_text(encoding="utf-8"))
    except FileExistsError:
        raise refusal(file, "exists already and is not overwritten") from None
    except OSError as error:
        raise refusal(file, f"cannot be written: {error.strerror}") from error
    say(f"{file} written from the template '{template}'. Next: solvency check {file}; solvency solve {file}")
    return Exit.SOLVED
