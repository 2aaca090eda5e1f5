"""A sweep against as many cold solves: CPU per member, value lost, and what is spent outside the solver.

    python -m benchmarks.sweep [--members 200] [--workers 2] [--gap 1e-3] [--seed 0] [FILE]

Both sides have one thread, the same gap and the same seed. A cold solve is one call of `solve` (its process of the
solver included, judging of alternatives left out); a member is one row of the sweep, its share of the base included.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from optimizer import Instance, Plan, Sweep, load, solve, sweep
from optimizer.sweeping.course import Advance

FILE = Path(__file__).parents[1] / "instances" / "enterprise.yaml"
AXES = (
    "sites.*.power_mw=*0.9:1.15:5",
    "workflows.*.value_usd=*0.85:1.2:5",
    "workflows.*.demand=*0.9:1.1:5",
    "sites.*.usd_per_mwh=*0.8:1.5:5",
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One member, warm and cold; seconds are CPU."""

    warm: dict[str, Any]
    cold: Plan
    cold_seconds: float

    @property
    def ratio(self) -> float:
        """CPU of the cold solve over that of the member."""
        return self.cold_seconds / float(self.warm["cpu_seconds"])

    @property
    def loss(self) -> float:
        """Value of the cold plan over the member's, relative; negative where the member's is better."""
        return (self.cold.objective_usd - float(self.warm["objective_usd"])) / abs(self.cold.objective_usd)


def main() -> None:
    """Run both and print the comparison."""
    asked = _arguments()
    instance = load(asked.file)
    options = {"gap": asked.gap, "seed": asked.seed, "time_limit": asked.time_limit}
    before = _cpu(resource.RUSAGE_CHILDREN) + _cpu(resource.RUSAGE_SELF)
    swept = sweep(instance, AXES, design="sobol", samples=asked.members, workers=asked.workers, store=asked.store,
                  told_of=_told, **options)  # fmt: skip
    whole = _cpu(resource.RUSAGE_CHILDREN) + _cpu(resource.RUSAGE_SELF) - before
    pairs = [_pair(instance, swept, n, options) for n in range(len(swept.rows))]
    print("\n".join(_report(pairs, whole, asked.gap)))


def _pair(instance: Instance, swept: Sweep, n: int, options: dict[str, Any]) -> Pair:
    changes = [f"{path}={value}" for path, value in swept.points[n].items()]
    plan, seconds = _measured(lambda: solve(instance, set=changes, threads=1, judge=False, **options))
    pair = Pair(swept.rows[n], plan, seconds)
    print(f"{n}: warm {pair.warm['cpu_seconds']:.1f} s {pair.warm['status']}, cold {seconds:.1f} s {plan.status}, "
          f"{pair.ratio:.1f}x, loss {pair.loss:+.2e}", flush=True)  # fmt: skip
    return pair


def _report(pairs: list[Pair], whole: float, gap: float) -> list[str]:
    warm = sum(float(p.warm["cpu_seconds"]) for p in pairs)
    solver, cold = sum(float(p.warm["solver_seconds"]) for p in pairs), sum(p.cold_seconds for p in pairs)
    proved = sum(p.warm["status"] == "optimal" for p in pairs), sum(p.cold.status == "optimal" for p in pairs)
    ratios = sorted(p.ratio for p in pairs)
    return [
        f"members {len(pairs)}, gap {gap:g}; proved warm {proved[0]}, cold {proved[1]}",
        f"CPU per member: warm {warm / len(pairs):.2f} s, cold {cold / len(pairs):.2f} s, {cold / warm:.1f}x in all, "
        f"median {median(ratios):.1f}x, from {ratios[0]:.1f}x to {ratios[-1]:.1f}x",
        f"with base, start of processes and everything else: {whole / len(pairs):.2f} s per member, "
        f"{cold / whole:.1f}x (only where all members were solved in this run)",
        f"outside the solver: {(warm - solver) / len(pairs):.2f} s per member, {(warm - solver) / warm:.0%}",
        f"worst loss against the cold plan {max(p.loss for p in pairs):+.2e} (gap {gap:g}); "
        f"members worse beyond the gap: {sum(p.loss > gap for p in pairs)}",
    ]


def _measured(run: Callable[[], Plan]) -> tuple[Plan, float]:
    before = _cpu(resource.RUSAGE_CHILDREN) + _cpu(resource.RUSAGE_SELF)
    plan = run()
    return plan, _cpu(resource.RUSAGE_CHILDREN) + _cpu(resource.RUSAGE_SELF) - before


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def _told(at: Advance) -> None:
    left = "" if at.left is None else f", about {at.left:.0f} s to go"
    print(f"{at.done} of {at.members} members{left}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=FILE)
    for name, default in (("members", 200), ("workers", 2), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--gap", type=float, default=1e-3)
    parser.add_argument("--time-limit", type=float, default=300.0)
    parser.add_argument("--store", type=Path, default=None, help="keep members, to go on after an interruption")
    return parser.parse_args()


if __name__ == "__main__":
    main()
