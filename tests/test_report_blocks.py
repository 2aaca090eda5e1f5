"""Blocks of the report that appear only where there is something to say: the quickstart with everything added."""

from __future__ import annotations

import csv
import io
from functools import cache
from pathlib import Path

import pytest
import quick
import whole
from rich.console import Console

from optimizer import load, solve
from optimizer.engine import highs
from optimizer.plan import TABLES, Plan
from optimizer.report import delimited
from optimizer.report.blocks import blocks
from optimizer.report.explained_grids import interval
from optimizer.report.text import WIDEST, show


def block(title: str, plan: Plan):
    (found,) = [grid for grid in blocks(plan) if grid.title.startswith(title)]
    return found


@cache
def capped() -> Plan:
    return solve(load(Path(__file__).parents[1] / "instances" / "stories" / "exploration.yaml"), gap=1e-6)


def printed(plan: Plan) -> list[str]:
    out = io.StringIO()
    show(plan, Console(file=out, width=WIDEST, highlight=False, markup=False, emoji=False))
    return out.getvalue().splitlines()


def test_a_plan_without_them_has_no_such_blocks():
    assert [grid.title for grid in blocks(quick.plan())] == [
        "Income statement, cash over the horizon", "Owning against the API",
    ]  # fmt: skip
    assert list(blocks(quick.infeasible())) == []


def test_every_block_fits_the_page_and_follows_the_answer():
    lines = printed(whole.plan())
    assert max(map(len, lines)) <= WIDEST
    assert not any("…" in line for line in lines)
    assert "To order: buy 1 x more-h100 (2027Q2, $2,000)." in lines[:14]
    titles = ["Funnel", "Income", "Owning", "To order", "Does it pay?", "On the books", "Tools", "Exploration",
              "Footprint", "Still served", "Changes"]  # fmt: skip
    assert [grid.title.split(",")[0][: len(t)] for grid, t in zip(blocks(whole.plan()), titles, strict=True)] == titles


def test_the_checked_plan_holds_all_of_it():
    document = whole.plan().document
    assert document["verification"]["passed"] is True
    used = {"decisions", "tools", "rescue", "changes", "footprint", "statement", "funnel", "investments"}
    assert all(document[name] for name in used)


def test_the_funnel_names_who_left_before_each_stage():
    rows = {row[0]: row[1:] for row in block("Funnel", whole.plan()).rows}
    assert rows["worth its cost"] == ("legal", "3", "$529K")
    assert rows["asked for"][0] == ""


def test_the_statement_has_the_same_net_as_the_table_of_workflows():
    statement = {row[0]: row for row in block("Income", whole.plan()).rows}
    net = sum(r["net_usd"] for r in whole.plan().document["workflows"] if r["workflow"] == "support")
    assert statement["support"][-2] == f"${net / 1e3:.0f}K"
    assert statement["unallocated"][-1] == "-"


def test_investments_say_who_uses_them_and_those_left_out_say_so():
    taken, left = block("Does it pay?", whole.plan()).rows
    assert taken[:5] == ("more-h100", "support 80 %, code 20 %", "pays", "1", "$8,000")
    assert left[1:4] == ("not taken", "does not pay", "0")
    assert left[5].startswith("-$")


def test_what_is_bought_is_on_the_books_at_the_end():
    (row,) = block("On the books", whole.plan()).rows
    assert row == ("more-h100", "2027Q2", "straight to its residual value", "$2,000", "$6,000")
    unstated = [
        {**each, "method": "none stated", "usd": None, "book_usd": None}
        for each in whole.plan().document["depreciation"]
    ]
    (row,) = block("On the books", Plan({**whole.plan().document, "depreciation": unstated})).rows
    assert row[2:] == ("none stated", "-", "-")


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (None, 5e3, ("not decided", "-", "at most $5,000")),
        (2e3, None, ("pays", "-", "at least $2,000")),
        (None, -2e3, ("does not pay", "-", "at most -$2,000")),
        (None, None, ("not decided", "-", "-")),
    ],
)
def test_an_answer_that_is_only_bounded_says_what_it_is(low, high, said):
    line = {**whole.plan().document["investments"][0], "gain_usd": None, "gain_low": low, "gain_high": high}
    (row,) = block("Does it pay?", Plan({**whole.plan().document, "investments": [line]})).rows
    assert (row[2], row[5], row[6]) == said


@pytest.mark.parametrize(("lots", "said"), [(1, "needed"), (0, "impossible")])
def test_what_no_plan_can_do_otherwise_is_needed_or_impossible(lots, said):
    """Bought, and no plan holds without it; left out, and none holds with it."""
    line = {**whole.plan().document["investments"][0], "lots": lots, "method": "no plan holds", "gain_low": None}
    (row,) = block("Does it pay?", Plan({**whole.plan().document, "investments": [line]})).rows
    assert row[2] == said


def test_tools_exploration_and_losses_in_words():
    (tool,) = block("Tools", whole.plan()).rows
    assert tool[:4] == ("cache", "adopted", "pays", "$3,000")
    (explored,) = block("Exploration", whole.plan()).rows
    assert explored[0] == "code"
    (cap,) = block("The limit on exploration", capped()).rows
    assert cap == ("20 %", "$60K", "$100K", "$40K", "$40K to $40K", "solved again")
    assert block("Still served", whole.plan()).rows[0][1] == "support"


@pytest.mark.parametrize("table", TABLES)
def test_csv_has_one_cell_for_each_figure(table):
    out = io.StringIO()
    delimited.write(whole.plan(), table, out)
    _, *lines = csv.reader(io.StringIO(out.getvalue()))
    assert len(lines) == len(whole.plan().document[table])
    assert not any("{" in cell or "[" in cell for line in lines for cell in line if table != "candidates")


def test_an_instance_without_offers_and_tools_is_solved_once(monkeypatch):
    asked = []
    real = highs.solve_program
    for module in ("optimizer.plan.alone", "optimizer.solving"):
        monkeypatch.setattr(f"{module}.solve_program", lambda *a, **k: asked.append(1) or real(*a, **k))
    monkeypatch.setattr("optimizer.asking.asker.revalue", lambda *_: pytest.fail("something was asked"))
    solve(quick.instance())
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        (None, "-"),
        ([41_000.0, 41_000.0], "$41K"),
        ([41_000.0, 44_000.0], "$41K to $44K"),
        ([None, 44_000.0], "at most $44K"),
        ([41_000.0, None], "at least $41K"),
        ([0.0, None], "not resolved"),  # that something loses nothing by being fewer says nothing
        ([None, None], "not resolved"),
    ],
)
def test_an_interval_says_what_is_known_of_it(ends, said):
    assert interval(ends, "USD") == said
