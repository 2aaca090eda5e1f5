"""How a command ends: its exit code, and what stderr says when something is wrong."""

from __future__ import annotations

import codecs
import errno
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import typer

from optimizer.instance.faults import BadInput

P = ParamSpec("P")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
ESCAPED = "solvency.escaped"  # how a stream writes what its encoding lacks
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
        except OSError as error:
            code = unwritten(error) if error.errno in FULL else _internal(error)
        except Exception as error:
            code = _internal(error)
        raise typer.Exit(_flushed(code))

    return run


def say(text: str) -> None:
    """One line on stderr."""
    print(text, file=sys.stderr, flush=True)


def steady() -> None:
    """Have streams that take every character, in whatever encoding, and streams at all where they were closed.

    SIGTERM ends a command as Ctrl-C does.
    """
    codecs.register_error(ESCAPED, _escaped)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  open until the end
        getattr(sys, name).reconfigure(errors=ESCAPED)
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """What an encoding lacks as JSON spells it, so that JSON stays JSON."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def unwritten(error: OSError) -> Exit:
    """Stdout takes nothing: a full disk, say, which is no defect of the program."""
    say(f"solvency: cannot write the output: {error.strerror}")
    _discarded()
    return Exit.INTERNAL


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
        _discarded()
    except OSError as error:
        return unwritten(error)
    return code


def _discarded() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
