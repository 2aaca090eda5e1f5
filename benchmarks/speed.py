"""How well the speed model predicts what it was not shown; with `--fit` it also rewrites models/speed.json."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.speed_cv import SPLITS, TIMES, Chosen, Split, Table, coverage, rate, roofline, table_of
from benchmarks.speed_file import fitted, write
from benchmarks.speed_rows import Floats, Row, believable, measured_rows

KINDS = ("dense", "moe")
TARGET = {("calibrated", "dense"): 0.08, ("calibrated", "moe"): 0.10,
          ("architecture known", "dense"): 0.12, ("architecture known", "moe"): 0.20}  # fmt: skip
APART: Mapping[str, Callable[[Row], str]] = {
    "GPU": lambda row: row.group.gpu,
    "AI model": lambda row: row.group.network,
    "engine": lambda row: row.group.stack.engine,
}
Predicted = Mapping[str, Floats]
HEAD = f"{'':46}{'rows':>6}   {'TPOT':^13}{'TTFT':^13}{'tokens/s':^13}"


def main() -> None:
    """Prints every split, or rewrites the committed fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", action="store_true", help="rewrite models/speed.json")
    every = measured_rows()
    table = table_of([row for row in every if believable(row)])
    print(f"{len(every)} rows; {len(every) - len(table.rows)} cannot have run as stated and are left out; "
          f"{int((~table.fitted).sum())} of disturbed runs are tested, never fitted")  # fmt: skip
    left_out = {split.ground: table.left_out(split) for split in SPLITS}
    if parser.parse_args().fit:
        write(fitted(table, left_out))
    report(table, left_out)


def report(table: Table, left_out: Mapping[str, Predicted]) -> None:
    """Errors by split and kind; by GPU, AI model and engine; and how honest the intervals are."""
    kinds = {kind: table.labels(lambda row: row.group.kind) == kind for kind in KINDS}
    print(f"\nError |predicted / measured - 1|, median and 90th percentile\n{HEAD}")
    for split in SPLITS:
        for kind, chosen in kinds.items():
            print(
                line(table, left_out[split.ground], chosen, f"{split.says}, {kind}", TARGET.get((split.ground, kind)))
            )
            if split.ground == "architecture known":
                known = chosen & measured_elsewhere(table)
                says = f"  AI model known from another GPU, {kind}"
                print(line(table, left_out[split.ground], known, says, TARGET[split.ground, kind]))
    plain = np.array([roofline(row) for row in table.rows]) / table.times["tpot"]
    for kind, chosen in kinds.items():
        median, p90 = errors(plain, chosen)
        print(f"{'plain roofline, ' + kind:46}{int(chosen.sum()):6d}   {median:5.1%} {p90:6.1%}")
    for ground, says in (("calibrated", "curves left out"), ("architecture known", "GPUs left out")):
        for name, key in APART.items():
            print(f"\n{says}, by {name}\n{HEAD}")
            labels = table.labels(key)
            for label in sorted(set(labels)):
                print(line(table, left_out[ground], labels == label, f"  {label}"))
    print("\nIntervals from the other folds alone: nine truths in ten wanted; width each way, median")
    for split in SPLITS:
        for kind, chosen in kinds.items():
            print(f"{split.says + ', ' + kind:46}{intervals(table, left_out[split.ground], split, chosen)}")


def measured_elsewhere(table: Table) -> Chosen:
    """Rows whose AI model is measured on another GPU too, by at least 20 rows."""
    counts = Counter((row.group.network, row.group.gpu) for row in table.rows)
    ample = [pair for pair, rows in counts.items() if rows >= 20]
    return np.array([any(n == r.group.network and gpu != r.group.gpu for n, gpu in ample) for r in table.rows])


def errors(ratio: Floats, chosen: Chosen) -> tuple[float, float]:
    """Median and 90th percentile of |ratio - 1|."""
    median, p90 = np.quantile(np.abs(ratio[chosen] - 1), (0.5, 0.9))
    return float(median), float(p90)


def line(table: Table, predicted: Predicted, chosen: Chosen, says: str, target: float | None = None) -> str:
    """Errors of the three figures on the chosen rows, and by how much TPOT and tokens/s miss their target."""
    ratios = [predicted[time] / table.times[time] for time in TIMES]
    ratios.append(rate(table.rows, predicted) / rate(table.rows, table.times))
    found = [errors(ratio, chosen) for ratio in ratios]
    cells = "".join(f"{median:5.1%} {p90:6.1%} " for median, p90 in found)
    worst = max(found[0][0], found[2][0])
    verdict = "met" if target is None or worst <= target else f"missed by {worst - target:.1%}"
    return f"{says:46}{int(chosen.sum()):6d}   {cells}" + (f" target {target:.0%} {verdict}" if target else "")


def intervals(table: Table, predicted: Predicted, split: Split, chosen: Chosen) -> str:
    """Coverage and width of the three figures' intervals."""
    fold = table.labels(split.test)[chosen]
    logs = [np.log(table.times[time] / predicted[time]) for time in TIMES]
    logs.append(np.log(rate(table.rows, table.times) / rate(table.rows, predicted)))
    cells = (coverage(log[chosen], fold) for log in logs)
    names = ("TPOT", "TTFT", "tokens/s")
    return "  ".join(f"{name} {share:4.0%} +-{width:4.0%}" for name, (share, width) in zip(names, cells, strict=True))


if __name__ == "__main__":
    main()
