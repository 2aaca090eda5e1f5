"""What a sweep came to: one tidy table, a member a row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.instance.faults import BadInput, Fault
from optimizer.instance.source import unwritable
from optimizer.sweeping.design import Point, number
from optimizer.sweeping.member import Row

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "solvency/sweep/1"
FORMATS = (".parquet", ".csv", ".json")
HEAD = (
    "status", "reason", "objective_usd", "bound_usd", "gap", "stopped", "begun", "gpus", "hbm_gb", "capex_usd", "mwh",
    "t_co2",
)  # fmt: skip
LISTS = ("funded", "full")
BETWEEN = "; "  # entries of a list in one cell: no name holds it, and some hold spaces
MAPS = {"served": "served", "mw": "peak_mw", "usd": "ledger"}  # prefix of columns: what of a row they are
TIMES = ("cpu_seconds", "solver_seconds")  # differ from run to run, as nothing else does


@dataclass(frozen=True)
class Sweep:
    """Members in the order of the design, the refined ones after it; `axes` are the paths that were varied."""

    name: str
    currency: str
    axes: tuple[str, ...]
    design: str
    points: tuple[Point, ...]
    rows: tuple[Row, ...]
    base: Row

    @property
    def finished(self) -> bool:
        """Whether every member has a row; a sweep that was interrupted lacks some."""
        return len(self.rows) == len(self.points)

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row per member; parameters are columns, numbers where every value of the path is one. `funded` and `full`
        list names with `; ` in between."""
        import pandas as pd  # noqa: PLC0415  most of a second, which a sweep written as JSON never pays

        frame = pd.DataFrame(list(self.lines()), columns=self.columns)
        for name in self.axes:
            numbers = [None if value is None else number(value) for value in frame[name]]
            if all(n is not None for n, value in zip(numbers, frame[name], strict=True) if value is not None):
                frame[name] = pd.Series(numbers, dtype="float64")
        return frame

    @property
    def columns(self) -> list[str]:
        """The names of the columns of the table."""
        spread = [f"{prefix}.{name}" for prefix, key in MAPS.items() for name in _keys(self.rows, key)]
        return ["member", *self.axes, *HEAD, *LISTS, *spread, *TIMES]

    def lines(self) -> Iterator[Row]:
        """The rows of the table, parameters as typed."""
        names = {prefix: _keys(self.rows, key) for prefix, key in MAPS.items()}
        for n, (point, row) in enumerate(zip(self.points, self.rows, strict=False)):
            line: Row = {"member": n, **{name: point.get(name) for name in self.axes}}
            line |= {name: row.get(name) for name in HEAD}
            line |= {name: BETWEEN.join(row.get(name, ())) for name in LISTS}
            for prefix, key in MAPS.items():
                line |= {f"{prefix}.{name}": row.get(key, {}).get(name) for name in names[prefix]}
            yield line | {name: row.get(name) for name in TIMES}

    @property
    def document(self) -> dict[str, Any]:
        """The sweep as plain JSON data."""
        lines = list(self.lines())
        head = {"schema": SCHEMA, "name": self.name, "currency": self.currency, "design": self.design}
        return {**head, "axes": self.axes, "finished": self.finished, "base": self.base, "members": lines}

    def write(self, path: str | Path) -> None:
        """Save the table as Parquet, CSV or JSON, by the ending of the name; BadInput for any other ending."""
        path = Path(path)
        writable(path)
        if path.suffix == ".parquet":
            self.table.to_parquet(path, index=False)
        elif path.suffix == ".csv":
            self.table.to_csv(path, index=False)
        else:
            path.write_text(json.dumps(self.document, indent=1, ensure_ascii=False), encoding="utf-8")


def writable(path: Path) -> None:
    """Refuse, before anything is solved, a table that could not be written."""
    message = unwritable(path) if path.parent.is_dir() else f"{path.parent} is no directory"
    if path.suffix not in FORMATS:
        message = f"a sweep is saved as {', '.join(FORMATS)}, not as '{path.suffix}'"
    elif path.suffix == ".parquet":
        try:
            import pyarrow  # noqa: F401, PLC0415  an extra
        except ImportError:
            message = "Parquet needs pyarrow: pip install 'solvency[sweep]'"
    if message:
        raise BadInput([Fault(str(path), None, None, "", message)])


def _keys(rows: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row.get(name, ())))
