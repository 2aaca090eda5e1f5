"""Files that come in and go out: an instance, a plan to solve again, and where the plan is to be saved."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from optimizer.catalogue.load import shared_directory
from optimizer.cli.ends import say
from optimizer.instance import BadInput, Fault, Instance, load, parse
from optimizer.instance.source import unwritable
from optimizer.plan.plan import Plan
from optimizer.plan.reading import VERSIONS, schema_of


def read_instance(path: Path, scenario: str | None = None) -> tuple[Instance, tuple[str, ...]]:
    """The instance in a file; in a saved plan the one it was solved for, and the families it left out.

    A plan has no scenarios: one that is asked for is refused.
    """
    if not is_plan(path):
        return load(_shipped(path)), ()
    if scenario:
        raise refusal(path, f"is a saved plan, which has no scenario '{scenario}': take the instance it was solved for")
    document = Plan.read(path).document
    try:
        return parse(document["instance"]["resolved"]), tuple(document["options"]["drop"])
    except BadInput as error:  # what is resolved has no lines of its own
        located = [replace(f, path=str(path), message=f"in its instance, {f.message}") for f in error.faults]
        raise BadInput(located) from error


def read_plan_or_instance(path: Path) -> Plan | Instance:
    """What a file holds."""
    return Plan.read(path) if is_plan(path) else load(path)


def writable(output: Path, source: Path) -> None:
    """Refuse, before anything is solved, a place where the plan cannot be saved."""
    if output.suffix not in ("", ".json"):
        raise refusal(output, f"a plan is saved as JSON, not as '{output.suffix}'", output.with_suffix(".json").name)
    refuse_overwriting(output, source)
    if output.is_dir():
        raise refusal(output, "is a directory", str(output / "plan.json"))
    if output.is_fifo():
        raise refusal(output, "is a pipe", "--format json | ...")  # opening it would wait for a reader
    if why := unwritable(output):
        raise refusal(output, why)


def refuse_overwriting(output: Path, source: Path) -> None:
    """Refuse to save over what was read."""
    if output.exists() and source.exists() and output.samefile(source):
        raise refusal(output, "would overwrite the input")


def save(plan: Plan, output: Path) -> None:
    """Write the plan whole or not at all; into a device as it comes."""
    text = plan.to_json() + "\n"
    if output.exists() and not output.is_file():
        output.write_text(text, encoding="utf-8")
        return
    handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(output)
    finally:
        Path(name).unlink(missing_ok=True)  # where it could not be written to its end


def refusal(path: Path | None, message: str, maybe: str = "") -> BadInput:
    """Bad input that is about a file as a whole, or about the command line."""
    return BadInput([Fault(str(path) if path else None, None, None, "", message, f"{maybe}?" if maybe else "")])


def _shipped(path: Path) -> Path:
    """`instances/...` where there is none means the example of that name which comes with the program."""
    if path.exists() or path.parts[:1] != ("instances",):
        return path
    example = shared_directory("instances").joinpath(*path.parts[1:])
    if not example.is_file():
        return path
    say(f"{path} is not here: taking the example that comes with solvency")
    return example


def is_plan(path: Path) -> bool:
    """Whether a file is a saved plan, of whichever version."""
    try:
        return (schema_of(path) or "").startswith(VERSIONS)
    except OSError:
        return False  # `load` says what is wrong with it
