"""Questions of `explain` against cold solves: one lot more, one fewer, a workflow forced in, at sizes M and L.

    python -m benchmarks.questions [M L ...] [--seeds 101] [--limit 60] [--each 2]

The base is solved for `--limit` seconds. A question then has a tenth of the CPU that a cold solve of the same changed
program takes to the base's gap, or to the limit where it does not get there. Seconds are CPU; a gap is between the plan
and the bound of the changed program.
"""

from __future__ import annotations

import argparse
import resource
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeVar

import numpy as np

from benchmarks.generator.sizes import SIZES
from benchmarks.solve import LIMITS, instances
from optimizer import load
from optimizer.asking.asker import Asker, Question
from optimizer.engine.duality import relaxed_prices
from optimizer.engine.highs import solve_program
from optimizer.engine.progress import Progress, relative_gap
from optimizer.engine.revalue import bettered, revalue, settle
from optimizer.engine.solver import Control
from optimizer.engine.worth import Base, Worth
from optimizer.explaining.limits import Limits
from optimizer.explaining.lots import lots
from optimizer.explaining.relief import reliefs
from optimizer.explaining.study import Study, study
from optimizer.explaining.workflows import Reasons
from optimizer.resolve import resolve

SHARE = 0.1  # of a cold solve
T = TypeVar("T")


class Posed(NamedTuple):
    """A base and the questions about it, the most valuable of each kind first."""

    base: Base
    gap: float
    setup: float
    questions: list[Question]


class Answer(NamedTuple):
    """One question, warm and cold: CPU seconds, and gaps of the changed program."""

    name: str
    seconds: float
    gap: float | None
    method: str
    cold_seconds: float
    cold_gap: float | None
    cold_until: float | None  # CPU seconds until the cold solve had the gap of the warm one

    @property
    def ratio(self) -> float:
        """CPU of the cold solve to the gap of the warm one, or all of it where it never had that, over the warm one's;
        none where the warm one has no plan."""
        return 0.0 if self.gap is None else (self.cold_until or self.cold_seconds) / self.seconds


def main() -> None:
    """Print a table for each instance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", default=["M", "L"], help=f"of {', '.join(SIZES)}, or instance files")
    parser.add_argument("--seeds", type=int, nargs="+", default=[101])
    parser.add_argument("--limit", type=float, help="seconds of the base and of every cold solve; default by size")
    parser.add_argument("--each", type=int, default=2, help="questions of each kind")
    asked = parser.parse_args()
    for name in asked.sizes:
        for title, file in instances(name, asked.seeds):
            for line in _table(title, file, asked.limit or LIMITS.get(name, 60.0), asked.each):
                print(line, flush=True)


def _table(title: str, file: Path, limit: float, each: int) -> Iterator[str]:
    posed = _posed(file, limit, each)
    yield f"\n## {title}: base {posed.gap:.3%} after {limit:g} s, {posed.setup:.1f} s to prepare for questions\n"
    yield "| question | CPU s | gap | by | cold: CPU s | gap | CPU s to the gap of the first |"
    yield "|---|---|---|---|---|---|---|"
    answers = list[Answer]()
    for question in posed.questions:
        answers.append(found := _answer(posed, question, limit))
        gap, cold_gap = _percent(found.gap), _percent(found.cold_gap)
        until = "-" if found.cold_until is None else f"{found.cold_until:.0f}"
        warm, cold = f"{found.seconds:.1f} | {gap} | {found.method}", f"{found.cold_seconds:.1f} | {cold_gap} | {until}"
        yield f"| {found.name} | {warm} | {cold} |"
    without = sum(a.gap is None for a in answers)
    never = sum(a.gap is not None and a.cold_until is None for a in answers)
    ratio = median(a.ratio for a in answers)
    yield f"\nTo the same gap {ratio:.1f} times less in the median; {without} have no plan in time, and {never} cold"
    yield "solves never had the gap."


def _posed(file: Path, limit: float, each: int) -> Posed:
    about = _studied(file)
    outcome = solve_program(about.program, gap=1e-6, time_limit=limit, threads=2)
    x = np.array([outcome.values[name][key] for name, key in about.program.cols], float)
    began, control = time.process_time(), _control(600.0)
    relaxed = relaxed_prices(about.program, control)
    base = settle(about.program, x, control, outcome.bound, outcome.seconds, None if relaxed is None else relaxed[1])
    setup = time.process_time() - began
    limits = Limits(about, about.used(x), np.zeros(about.program.row_lower.size) if relaxed is None else relaxed[1])
    why = Reasons(about, x, limits.rows)
    with ThreadPoolExecutor(1) as pool:
        asker = Asker(base, control, pool)
        kinds = [limits.more(asker), limits.less(), why.forcing(why.short())]
        questions = [q for kind in kinds for q in islice(sorted(kind, key=lambda q: -q.rank), each)]
    assert outcome.gap is not None
    return Posed(base, outcome.gap, setup, questions)


def _studied(file: Path) -> Study:
    instance = load(file)
    data = resolve(instance).data
    return study(data, (), (), lots(data, reliefs(instance)))


def _answer(posed: Posed, question: Question, limit: float) -> Answer:
    program, told = question.program(), list[Progress]()
    cold, cold_seconds = _measured(
        lambda: solve_program(program, gap=posed.gap, time_limit=limit, threads=2, progress=told.append)
    )
    warm, seconds = _measured(lambda: _warm(posed.base, question, SHARE * cold_seconds))
    gap = None if warm.x is None else relative_gap(warm.low, warm.high)
    until = next((at.seconds for at in told if gap is not None and at.gap is not None and at.gap <= gap), None)
    share = None if until is None else until / cold.seconds * cold_seconds
    return Answer(question.name, seconds, gap, warm.method, cold_seconds, cold.gap, share)


def _warm(base: Base, question: Question, seconds: float) -> Worth:
    """As `explain` asks: the bound and a plan, then better ones in what is left."""
    control, program = _control(seconds), question.program()
    worth = revalue(base, program, control)
    return worth if control.over else bettered(base, program, worth, control)


def _control(seconds: float) -> Control:
    return Control(time.monotonic() + seconds, threading.Event(), lambda _: None)


def _measured(run: Callable[[], T]) -> tuple[T, float]:
    before = _cpu()
    found = run()
    return found, _cpu() - before


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _percent(gap: float | None) -> str:
    return "no plan" if gap is None else f"{gap:.3%}"


if __name__ == "__main__":
    main()
