"""How numbers and limits are written for people: three digits that matter, and the unit in sight."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

UNDECIDED = "not decided"
SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}
STEPS = ((1e9, "B"), (1e6, "M"), (1e3, "K"))
WORDS = {
    "gpu_capacity": "GPUs of",
    "hbm_capacity": "HBM of",
    "bandwidth_capacity": "HBM bandwidth of",
    "compute_capacity": "compute of",
    "power_limit": "power at",
    "spend_limit": "budget",
    "api_limit": "quota of",
    "launch_limit": "launches",
    "portfolio_limit": "workflows at once",
    "rack_capacity": "racks at",
    "storage_capacity": "storage at",
    "energy_limit": "energy of",
    "carbon_limit": "carbon of",
    "water_limit": "water of",
    "review_limit": "hours of",
    "supply_limit": "supply of",
    "concentration_limit": "share of",
    "exploration_limit": "exploration",
    "resource_capacity": "resource",
}
MANY_PERIODS = 8  # columns that fit a terminal beside the rest


def verdict(low: float | None, high: float | None, *, taken: bool, possible: bool) -> str:
    """Whether something pays of which the gain lies between two ends, None where one is not known; `possible` is
    whether any plan does the opposite of what this one does."""
    if not possible:
        return "needed" if taken else "impossible"
    if low is not None and low > 0:
        return "pays"
    return "does not pay" if high is not None and high < 0 else UNDECIDED


def money(amount: float | None, currency: str = "USD", digits: int = 3) -> str:
    """An amount such as `$12.4M`, `-$40K` or `$0.052`; `-` where there is none."""
    if amount is None:
        return "-"
    sign = SIGNS.get(currency, f"{currency} ")
    shown = number(abs(amount), digits)
    return f"{'-' if amount < 0 and shown != '0' else ''}{sign}{shown}"


def number(value: float | None, digits: int = 3) -> str:
    """A number to so many digits: `12.4M`, `1,230`, `0.052`."""
    if value is None:
        return "-"
    value += 0.0  # no minus zero
    size = abs(value)
    for step, letter in STEPS:
        if size >= (step if step > 1e3 else 10 * step) * 0.9995:
            return f"{_digits(value / step, digits)}{letter}"
    return f"{value:,.0f}" if size >= 999.5 else _digits(value, digits)


def percent(share: float | None) -> str:
    """A share as `62 %`; never rounded to 0, nor to 100 below 99.95."""
    if share is None:
        return "-"
    shown = f"{100 * share:.0f}"
    if shown == "0" and share > 0:
        return f"{_digits(100 * share, 2)} %"
    return "99.9 %" if shown == "100" and share < 0.9995 else f"{shown} %"


def short(period: str) -> str:
    """A period as a column heading: `27Q1` for `2027Q1`."""
    return re.sub(r"^20(\d\d(?:Q\d|-\d\d))$", r"\1", period)


def few(periods: Sequence[str]) -> list[str]:
    """Periods that become columns: all, or every n-th where there are too many."""
    step = max(1, -(-len(periods) // MANY_PERIODS))
    return list(periods[::step])


def spans(periods: Sequence[str], order: Sequence[str]) -> str:
    """Periods in words: `2027Q1-2027Q3, 2028Q1`, or `all periods`."""
    at = sorted({order.index(t) for t in periods if t in order})
    if len(at) == len(order) > 1:
        return "all periods"
    runs: list[list[int]] = []
    for i in at:
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    named = (order[r[0]] if len(r) == 1 else f"{order[r[0]]}-{order[r[-1]]}" for r in runs)
    return ", ".join(named) or ", ".join(periods)


def listed(names: Sequence[str]) -> str:
    """Names as `a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def counted(many: int, thing: str) -> str:
    """How many of a thing: `1 site`, `2,000 sites`."""
    return f"{many:,} {thing}{'' if many == 1 else 's'}"


def named(row: Mapping[str, str]) -> str:
    """A limit as a planner would say it: `power at ashburn`."""
    return f"{WORDS.get(row['family'], row['family'])} {row['row'].split(' ')[0]}".strip()


def _digits(value: float, digits: int) -> str:
    return f"{Decimal(f'{value:.{digits}g}'):f}"
