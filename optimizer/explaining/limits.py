"""What limits the plan: its rows and their classes, and the questions about lots of those who own them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Literal

from optimizer.asking.asker import BOUND_SECONDS, Asker, Question
from optimizer.asking.changes import roomier
from optimizer.asking.interval import Evidence, Interval
from optimizer.engine.program import Floats
from optimizer.engine.revalue import CLOSED
from optimizer.explaining.lot import Lot
from optimizer.explaining.study import Study, Used
from optimizer.formulation.data import Period

Class = Literal["slack", "tight", "scarce", "jointly scarce", "unresolved"]
Row = dict[str, Any]


@dataclass(frozen=True)
class Limits:
    """The rows of a plan and the prices of its linear relaxation, by which questions are ranked."""

    study: Study
    rows: Sequence[Used]
    prices: Floats
    short: frozenset[int] = frozenset()  # rows that are not full, without room for one more whole step

    @cached_property
    def owner(self) -> dict[int, Lot | None]:
        """The lot of each row, by its place in the program."""
        return {row.at: self.study.lot_of(row) for row in self.rows}

    @cached_property
    def fed(self) -> dict[Lot, list[Used]]:
        """Rows that each owner feeds."""
        found: dict[Lot, list[Used]] = {}
        for row in self.rows:
            lot = self.owner[row.at]
            if lot is not None:
                found.setdefault(lot, []).append(row)
        return found

    def lots(self) -> list[Lot]:
        """Owners that have a row where a lot could earn, the dearest first; promises after everything that is there."""
        owners = [lot for lot, rows in self.fed.items() if any(self.telling(row) for row in rows)]
        return sorted(owners, key=lambda lot: (lot.promise, -self.rank(lot)))

    def near(self) -> list[Lot]:
        """Owners of rows with room left, but not for one more whole step, that are asked about after all others."""
        told = {lot.owner for lot in self.lots()}
        return [lot for lot, rows in self.fed.items()
                if lot.owner not in told and any(row.at in self.short for row in rows)]  # fmt: skip

    def could_earn(self, row: Used) -> bool:
        """Whether lots there are asked about at all."""
        return self.telling(row) or row.at in self.short

    def telling(self, row: Used) -> bool:
        """Whether a lot there could earn: the row is full, or the relaxation prices it for want of a whole step."""
        return row.full or abs(float(self.prices[row.at])) > 0.0

    def of(self, lot: Lot) -> list[Used]:
        """Rows that an owner feeds."""
        return self.fed[lot]

    def rank(self, lot: Lot, period: str = "") -> float:
        """What the relaxation says that one lot would earn: no more than an order in which to ask."""
        return sum(
            abs(float(self.prices[row.at])) * lot.families[row.family.name]
            for row in self.of(lot)
            if not period or row.period == period
        )

    def more(self, asker: Asker) -> Iterator[Question]:
        """One lot more, in all periods: of what is there, and one smaller promise.

        Where one seems to earn less than the gap all that there are are asked about at once: that bounds one as well.
        """
        yield from self._mores(self.lots(), asker)

    def more_of_near(self, asker: Asker) -> Iterator[Question]:
        """The same where room is left; of a small program each number of lots, for a step may take several."""
        if not asker.exact:
            yield from self._mores(self.near(), asker)
        else:
            yield from (self._more(lot, n, -n) for lot in self.near() for n in range(1, lot.max_lots + 1))

    def _mores(self, lots: Iterable[Lot], asker: Asker) -> Iterator[Question]:
        for lot in lots:
            rank, costless = self.rank(lot), not lot.owner.startswith("pools.")
            if asker.exact or lot.max_lots == 1 or not costless or rank > asker.worth.width:
                yield self._more(lot, 1, rank)
            else:
                yield replace(self._more(lot, lot.max_lots, rank), within=(self._more(lot, 1, rank),))

    def several(self, asker: Asker) -> Iterator[Question]:
        """As many lots as there are, where one seems to earn less than the gap and so many may earn more."""
        for lot in self.lots():
            gain, estimate, gap = asker.gain(more(lot)), asker.estimate(more(lot)), asker.worth.width
            open_yet = gain is not None and not gain.positive and gain.high > 0
            if open_yet and lot.max_lots > 1 and estimate <= gap < lot.max_lots * estimate:
                yield self._more(lot, lot.max_lots, estimate)

    def earning(self, asker: Asker, questions: Iterable[Question]) -> Iterator[Question]:
        """Those whose lots may earn something: a node that surely costs more than it brings needs no better plan."""
        return (q for q in questions if (gain := asker.gain(q.name)) is not None and gain.high > 0)

    def _more(self, lot: Lot, n: int, rank: float) -> Question:
        """A node costs its keep, so that one more may be worth less than nothing."""
        return Question(more(lot, n), partial(self.study.with_lots, lot, n), loosens=not lot.owner.startswith("pools."),
                        rank=rank)  # fmt: skip

    def less(self) -> Iterator[Question]:
        """One lot fewer, in all periods."""
        for lot in self.lots():
            tightens = not lot.owner.startswith("pools.")
            yield Question(more(lot, -1), partial(self.study.with_lots, lot, -1), tightens=tightens,
                           rank=self.rank(lot), least=BOUND_SECONDS)  # fmt: skip

    def rows_only(self) -> Iterator[Question]:
        """The rows of one family of an owner relaxed by what a lot would bring, at no cost and with nothing else."""
        for lot in (lot for lot in self.lots() if not lot.estimated):
            for family in dict.fromkeys(row.family.name for row in self.of(lot) if row.full):
                at = [row.at for row in self.of(lot) if row.family.name == family]
                program = partial(roomier, self.study.program, at, lot.families[family])
                yield Question(row_only(lot, family), program, loosens=True, rank=self.rank(lot))

    def by_period(self) -> Iterator[Question]:
        """One lot more in one period alone, where a row is full there; rows that nobody owns are relaxed by 5 %."""
        yield from self._in_periods([row for row in self.rows if self.telling(row)])

    def by_period_of_near(self) -> Iterator[Question]:
        """The same where room is left."""
        yield from self._in_periods([row for row in self.rows if row.at in self.short and not self.telling(row)])

    def _in_periods(self, rows: Iterable[Used]) -> Iterator[Question]:
        for row in rows:
            lot = self.owner[row.at]
            if lot is None:
                by = 0.05 * abs(row.capacity) or 1.0
                program = partial(roomier, self.study.program, [row.at], by)
                yield Question(in_period(row, lot), program, loosens=True, rank=abs(float(self.prices[row.at])) * by)
            elif not lot.lasting:
                at = self._periods(row)
                program = partial(self.study.with_lots, lot, 1, tuple(at))
                yield Question(in_period(row, lot), program, loosens=not lot.owner.startswith("pools."),
                               rank=self.rank(lot, row.period))  # fmt: skip

    def curve(self, lot: Lot) -> Iterator[Question]:
        """Several lots more and fewer."""
        most = min(lot.max_lots, 8)
        for n in (*range(2, most + 1), -2):
            yield Question(more(lot, n), partial(self.study.with_lots, lot, n), rank=self.rank(lot) / abs(n))

    def _periods(self, row: Used) -> list[Period]:
        first, _, last = row.period.partition("..")
        periods = self.study.data.calendar.periods
        if first not in periods:
            return list(periods)
        end = periods.index(Period(last)) if last else periods.index(Period(first))
        return list(periods[periods.index(Period(first)) : end + 1])


def constraints(limits: Limits, asker: Asker, joint: Sequence[str]) -> Iterator[Row]:
    """One line per named row and period: what there is, what is used, and what its class is."""
    for row in limits.rows:
        lot = limits.owner[row.at]
        name, gain, lots = _best_answer(row, lot, asker) if limits.could_earn(row) else ("", None, 1)
        yield {
            "family": row.family.name,
            "row": row.family.label(row.key),
            "period": row.period,
            "unit": row.family.unit,
            "capacity": row.capacity,
            "used": row.used,
            "slack": row.slack,
            "slack_share": row.slack / abs(row.capacity) if row.capacity else None,
            "full": row.full,
            "class": class_of(row, gain, asker, lot is not None and lot.owner in joint),
            "owner": lot.owner if lot else None,
            "lot": lot.text if lot else "5 % of the row",
            "lots": lots,
            "one_more_usd": gain.json() if gain else None,
            **(asker.evidence(name) if gain or row.full else Evidence("room is left", 0, 0.0)).json(),
        }  # fmt: skip


def _best_answer(row: Used, lot: Lot | None, asker: Asker) -> tuple[str, Interval | None, int]:
    """A lot in that period alone if it surely earns there, else lots that stay over the horizon, the fewest that do."""
    several = [(more(lot, n), n) for n in range(1, lot.max_lots + 1)] if lot else []
    names = [(in_period(row, lot), 1), *several]
    answers = [(name, gain, n) for name, n in names if (gain := asker.gain(name)) is not None]
    sure = next((each for each in answers if each[1].positive), None)
    one = [each for each in answers if each[2] == 1]
    return sure or (one[-1] if one else (names[0][0], None, 1))


def class_of(row: Used, gain: Interval | None, asker: Asker, joint: bool) -> Class:
    """What the re-solve proves; `unresolved` where the gap is wider than the effect."""
    if gain is not None and gain.positive:
        return "scarce"
    if not row.full:
        return "slack"
    if gain is not None and gain.high <= CLOSED * max(1.0, abs(asker.worth.low)):
        return "jointly scarce" if joint else "tight"
    return "unresolved"


def more(lot: Lot, n: int = 1) -> str:
    """Name of the question about n lots in all periods."""
    return f"{lot.owner} {n:+d}"


def row_only(lot: Lot, family: str) -> str:
    """Name of the question about the rows of one family alone."""
    return f"{lot.owner} {family} only"


def in_period(row: Used, lot: Lot | None) -> str:
    """Name of the question about one period; rows of one owner there share it."""
    if lot is None:
        return row.name
    return more(lot) if lot.lasting else f"{lot.owner} +1 in {row.period}"
