"""From file to program, stage by stage: `python -m benchmarks.solving.build m.yaml [--mps m.mps]`, figures as JSON.

The program is the whole one, before domain presolve. The MPS holds it with rows and columns brought to one
magnitude, as our own engine passes it on, so that no solver suffers from units.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, process_time
from typing import Any, TypeVar

import highspy
import numpy as np

from optimizer import load
from optimizer.engine.compile import compile_model
from optimizer.engine.program import Program
from optimizer.engine.scale import scale
from optimizer.formulation.build import state
from optimizer.resolve import resolve

T = TypeVar("T")
FEASIBLE = 1e-6
NO_CEILING = 1e6


def main() -> None:
    """Print seconds and memory of each stage, the size of the program, and what doing nothing is worth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instance", type=Path)
    parser.add_argument("--mps", type=Path)
    args = parser.parse_args()
    stages: dict[str, Any] = {}
    instance = _staged(stages, "parse", lambda: load(args.instance))
    data = _staged(stages, "resolve", lambda: resolve(instance, reduce=False).data)
    model = _staged(stages, "state", lambda: state(data).model)
    program = _staged(stages, "compile", lambda: compile_model(model, periods=data.calendar.periods))
    money = 1.0
    if args.mps:
        scaled = _staged(stages, "scale", lambda: scale(program))
        money = scaled.money
        _staged(stages, "write", lambda: write_mps(scaled.program, args.mps))
    json.dump({"stages": stages, "money": money, "idle_usd": _idle_usd(program), **_sizes(program)}, sys.stdout)


def write_mps(program: Program, path: Path) -> None:
    """The program in the format that every solver reads."""
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.passModel(highs_lp(program))
    if h.writeModel(str(path)) == highspy.HighsStatus.kError:
        raise OSError(f"{path} cannot be written")


def highs_lp(program: Program) -> Any:
    """The program as HiGHS takes it; whole numbers without a ceiling get one that no plan reaches."""
    lp, kind = highspy.HighsLp(), highspy.HighsVarType
    lp.num_col_, lp.num_row_ = program.cost.size, program.row_lower.size
    lp.sense_ = highspy.ObjSense.kMaximize if program.maximise else highspy.ObjSense.kMinimize
    lp.col_cost_, lp.offset_ = program.cost, program.offset
    lp.col_lower_ = program.col_lower
    lp.col_upper_ = np.where(program.integer, np.minimum(program.col_upper, NO_CEILING), program.col_upper)
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    lp.integrality_ = [kind.kInteger if whole else kind.kContinuous for whole in program.integer]
    matrix = lp.a_matrix_
    matrix.format_, matrix.num_col_, matrix.num_row_ = highspy.MatrixFormat.kRowwise, lp.num_col_, lp.num_row_
    matrix.start_, matrix.index_, matrix.value_ = program.start, program.index, program.value
    return lp


def _staged(stages: dict[str, Any], name: str, step: Callable[[], T]) -> T:
    began, worked = monotonic(), process_time()
    result = step()
    seconds = {"seconds": round(monotonic() - began, 3), "cpu_seconds": round(process_time() - worked, 3)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    stages[name] = {**seconds, "peak_gib": round(peak, 3)}
    return result


def _sizes(program: Program) -> dict[str, int]:
    return {
        "columns": program.cost.size,
        "rows": program.row_lower.size,
        "nonzeros": program.value.size,
        "integers": int(program.integer.sum()),
    }


def _idle_usd(program: Program) -> float | None:
    """What the empty plan is worth, None where there is work that must be done."""
    nothing = np.clip(np.zeros(program.cost.size), program.col_lower, program.col_upper)
    return program.objective(nothing) if program.violation(nothing) <= FEASIBLE else None


if __name__ == "__main__":
    main()
