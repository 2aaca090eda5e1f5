"""How well the speed model predicts what it was not shown: `python -m benchmarks.speed`; `--fit` rewrites models/speed.json."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.speed_cv import SPLITS, TIMES, Split, Table, coverage, rate, roofline, table_of
from benchmarks.speed_file import bands_of, fitted, write
from benchmarks.speed_rows import Floats, Row, believable, measured_rows

KINDS = ("dense", "moe")
TARGET = {("calibrated", "dense"): 0.08, ("calibrated", "moe"): 0.10,
          ("architecture known", "dense"): 0.12, ("architecture known", "moe"): 0.20}  # fmt: skip
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
        write(fitted(table, bands_of(table, left_out)))
    report(table, left_out)


def report(table: Table, left_out: Mapping[str, Mapping[str, Floats]]) -> None:
    """Errors apart by split and kind; for curves also by GPU, AI model and engine; and the roofline on the same rows."""
    print(f"\nError |predicted / measured - 1|, median and 90th percentile\n{HEAD}")
    kinds = table.labels(lambda row: row.group.kind)
    elsewhere = measured_elsewhere(table)
    for split in SPLITS:
        for kind in KINDS:
            chosen = kinds == kind
            print(
                line(table, left_out[split.ground], chosen, f"{split.says}, {kind}")
                + verdict(table, left_out, split, chosen, kind)
            )
            if split.ground == "architecture known":
                says = f"  whose AI model another GPU measures, {kind}"
                known = chosen & elsewhere
                print(line(table, left_out[split.ground], known, says) + verdict(table, left_out, split, known, kind))
    plain = {"tpot": np.array([roofline(row) for row in table.rows]), "ttft": left_out["calibrated"]["ttft"]}
    for kind in KINDS:
        median, p90 = errors(plain["tpot"] / table.times["tpot"], kinds == kind)
        print(f"{'plain roofline, ' + kind:46}{(kinds == kind).sum():6d}   {median:5.1%} {p90:6.1%}")
    keys: tuple[tuple[str, Callable[[Row], str]], ...] = (
        ("GPU", lambda row: row.group.gpu), ("AI model", lambda row: row.group.network), ("engine", lambda row: row.group.stack.engine)
    )  # fmt: skip
    for ground, says in (("calibrated", "curves left out"), ("architecture known", "GPUs left out")):
        for name, key in keys:
            print(f"\n{says}, by {name}\n{HEAD}")
            labels = table.labels(key)
            for label in sorted(set(labels)):
                print(line(table, left_out[ground], labels == label, f"  {label}"))
    print("\nIntervals from the other folds alone: nine truths in ten wanted; width each way, median")
    for split in SPLITS:
        for kind in KINDS:
            print(f"{split.says + ', ' + kind:46}{intervals(table, left_out[split.ground], split, kinds == kind)}")


def measured_elsewhere(table: Table) -> np.ndarray:
    """Rows whose AI model is measured on another GPU too, with more than a handful of rows."""
    pairs, counts = np.unique(table.labels(lambda row: f"{row.group.network}|{row.group.gpu}"), return_counts=True)
    ample = {pair for pair, count in zip(pairs, counts, strict=True) if count >= 20}
    return np.array(
        [
            any(p.startswith(f"{r.group.network}|") and p != f"{r.group.network}|{r.group.gpu}" for p in ample)
            for r in table.rows
        ]
    )


def errors(ratio: Floats, chosen: np.ndarray) -> tuple[float, float]:
    """Median and 90th percentile of |ratio - 1|."""
    median, p90 = np.quantile(np.abs(ratio[chosen] - 1), (0.5, 0.9))
    return float(median), float(p90)


def line(table: Table, predicted: Mapping[str, Floats], chosen: np.ndarray, says: str) -> str:
    """Errors of the three figures on the chosen rows."""
    ratios = [predicted[time] / table.times[time] for time in TIMES]
    ratios.append(rate(table.rows, predicted) / rate(table.rows, table.times))
    cells = (errors(ratio, chosen) for ratio in ratios)
    return f"{says:46}{int(chosen.sum()):6d}   " + "".join(f"{median:5.1%} {p90:6.1%} " for median, p90 in cells)


def verdict(
    table: Table, left_out: Mapping[str, Mapping[str, Floats]], split: Split, chosen: np.ndarray, kind: str
) -> str:
    """Whether TPOT and tokens/s meet the target of their split, and by how much they miss it."""
    target = TARGET.get((split.ground, kind))
    if target is None:
        return ""
    predicted = left_out[split.ground]
    worst = max(
        errors(predicted["tpot"] / table.times["tpot"], chosen)[0],
        errors(rate(table.rows, predicted) / rate(table.rows, table.times), chosen)[0],
    )
    return f" target {target:.0%} " + ("met" if worst <= target else f"missed by {worst - target:.1%}")


def intervals(table: Table, predicted: Mapping[str, Floats], split: Split, chosen: np.ndarray) -> str:
    """Coverage and width of the three figures' intervals."""
    fold = table.labels(split.test)[chosen]
    logs = [np.log(table.times[time] / predicted[time]) for time in TIMES]
    logs.append(np.log(rate(table.rows, table.times) / rate(table.rows, predicted)))
    cells = (coverage(log[chosen], fold) for log in logs)
    names = ("TPOT", "TTFT", "tokens/s")
    return "  ".join(f"{name} {share:4.0%} +-{width:4.0%}" for name, (share, width) in zip(names, cells, strict=True))


if __name__ == "__main__":
    main()
