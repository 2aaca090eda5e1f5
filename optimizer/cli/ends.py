"""How a command ends: its exit code, and what stderr says when something is wrong."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum
from functools import wraps
from typing import ParamSpec

import typer

from optimizer.instance.faults import BadInput

P = ParamSpec("P")
DEBUG = "SOLVENCY_DEBUG"


class Exit(IntEnum):
    """Exit codes, part of the interface."""

    SOLVED = 0
    INTERNAL = 1
    BAD_INPUT = 2
    INFEASIBLE = 3
    UNBOUNDED = 4
    LIMIT_WITH_PLAN = 5
    LIMIT_WITHOUT_PLAN = 6
    INTERRUPTED = 130


STATUS = {
    "optimal": Exit.SOLVED,
    "feasible": Exit.LIMIT_WITH_PLAN,
    "infeasible": Exit.INFEASIBLE,
    "unbounded": Exit.UNBOUNDED,
    "interrupted": Exit.INTERRUPTED,
    "no_plan": Exit.LIMIT_WITHOUT_PLAN,
}


def ending(command: Callable[P, Exit]) -> Callable[P, None]:
    """Run a command and leave with its exit code, whatever happens in it."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
        except BadInput as error:
            for fault in error.faults:
                say(str(fault))
            code = Exit.BAD_INPUT
        except KeyboardInterrupt:
            say("interrupted")
            code = Exit.INTERRUPTED
        except BrokenPipeError:
            code = Exit.SOLVED  # the reader had enough
        except Exception as error:
            code = _internal(error)
        raise typer.Exit(_flushed(code))

    return run


def say(text: str) -> None:
    """One line on stderr."""
    print(text, file=sys.stderr, flush=True)


def _internal(error: Exception) -> Exit:
    if os.environ.get(DEBUG):
        traceback.print_exc()
    what = " ".join(str(error).split())
    say(
        f"solvency: internal error: {type(error).__name__}: {what}. "
        f"This is a defect of solvency: please report it with the instance; {DEBUG}=1 shows where it happened."
    )
    return Exit.INTERNAL


def _flushed(code: Exit) -> Exit:
    """Output that nobody reads any more is thrown away here, or Python complains of it while it exits."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
