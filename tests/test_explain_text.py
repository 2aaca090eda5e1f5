"""The first screen and the tables of an explanation: who is next in line, what was not asked, what is left out."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from small_questions import knapsack
from test_explain_questions import explained, fleet, row
from test_repairs import promised
from tiny import calendar, data, pair, workflow

from optimizer import solve
from optimizer.asking import changes
from optimizer.engine.highs import solve_program
from optimizer.explaining.study import study
from optimizer.formulation.data import Data, Tool
from optimizer.instance import parse
from optimizer.report.explained import sentences
from optimizer.report.explained_grids import explained_grids
from optimizer.report.grids import LINES, grid_of

CAL = calendar()
LINE = "Who is next in line, and at what price:"


def crowd(many: int) -> Data:
    """Workflows of one GPU each, each worth a little more than the one before, and four GPUs."""
    flows = {f"w{i:02}": workflow(CAL, f"w{i:02}", 200, 1 + i / 100, min_service=1.0) for i in range(many)}
    return data(CAL, workflows=flows, pairs={(w, "e"): pair() for w in flows})


@cache
def crowded() -> dict[str, Any]:
    return explained(crowd(34), seconds=30)


def impossible() -> Data:
    """All of 1,000 tasks or nothing, where four GPUs do 800."""
    return data(CAL, workflows={"w": workflow(CAL, min_service=1.0)})


def lines(document: dict[str, Any]) -> list[str]:
    return [text for _, text in sentences(document)]


def grid(document: dict[str, Any], title: str) -> Any:
    return next(each for each in explained_grids(document) if each.title.startswith(title))


def test_who_is_served_in_part_is_next_in_line_too():
    """Four GPUs serve 800 of 1,000 tasks of one workflow, whose rest would displace a dearer one."""
    flows = {"dear": workflow(CAL, "dear", 400, 2.0), "cheap": workflow(CAL, "cheap", 600, 1.0)}
    document = explained(data(CAL, workflows=flows, pairs={(w, "e"): pair() for w in flows}), seconds=10)
    said = lines(document)
    assert said[said.index(LINE) + 1] == "cheap, 67 % served: all of its demand costs $200."


def test_what_cannot_be_forced_in_has_a_heading_and_a_cause():
    said = lines(explained(impossible(), seconds=30))
    at = said.index(LINE) + 1
    assert said[at].startswith("w: cannot be forced in at 100 % of its demand: alone on the whole fleet it fits only")
    assert "gpu_capacity" in said[at]


def test_a_solve_says_why_a_workflow_does_not_fit_as_its_funnel_does():
    flow = {**promised(900)["workflows"]["w1"], "must_fund": False}
    plan = solve(parse(promised(workflows={"w": flow})))
    (verdict,) = plan.document["verdicts"]
    assert verdict["why"] == plan.document["funnel_exits"][0]["reason"]
    assert verdict["why"].startswith("alone on the whole fleet it fits only without")


def test_every_unfunded_workflow_has_a_break_even_value_without_further_questions():
    """Thirty wait for four GPUs; three are searched for, of the others the plan with them in it proves an end."""
    document = crowded()
    waiting = [each for each in document["workflows"] if each["verdict"] == "none"]
    assert len(waiting) == 30
    assert all(each["break_even_usd"] is not None for each in waiting)
    program = study(crowd(34), (), (), ()).program
    for w in ("w00", "w20"):
        high = row(document, "workflows", workflow=w)["break_even_factor"][1]
        outcome = solve_program(changes.revalued(program, w, high * 1.001), gap=0.0)
        assert outcome.values["fund"][w, "T1"] == 1.0
    first = lines(document)[lines(document).index(LINE) + 1]
    assert first.startswith("w29: funded once")


def test_a_table_that_is_cut_says_so_and_where_the_rest_is():
    flows = grid(crowded(), "Workflows")
    assert len(flows.rows) == LINES
    assert flows.note.endswith(" 4 more lines are in --format json.")


def test_a_cut_keeps_the_sums_and_the_punctuation():
    rows = [(f"w{i}",) for i in range(LINES + 1)] + [("unallocated",), ("total",)]
    cut = grid_of("t", ("a",), rows, note="One sentence.", sums=2)
    assert (cut.rows[-2:], len(cut.rows)) == ((("unallocated",), ("total",)), LINES + 2)
    assert cut.note == "One sentence. 1 more line is in the plan."
    assert grid_of("t", ("a",), rows, note="a clause").note == "a clause; 3 more lines are in the plan."
    assert grid_of("t", ("a",), rows[:3], note="a").note == "a"


def test_what_was_not_asked_is_told_from_what_does_not_apply_and_what_cannot_be():
    document = explained(knapsack(), seconds=10)
    cells = {cell[0]: cell[2:4] for cell in grid(document, "Workflows").rows}
    assert cells["b"] == ("-", "-")
    assert cells["a"][0] == "$4"
    row(document, "workflows", workflow="a").update(cost_usd=None, break_even_usd=None)
    assert {cell[0]: cell[2:4] for cell in grid(document, "Workflows").rows}["a"] == ("not asked", "not asked")
    (flow,) = grid(explained(impossible(), seconds=10), "Workflows").rows
    assert flow[2:4] == ("cannot", "cannot")


def test_a_tool_left_out_is_adopted_when_that_costs_least():
    """It costs 50 in the first period and 20 in the second, as a plan judges it: 20, and not both."""
    cal = calendar(2)
    first, second = cal.periods
    tool = Tool("t", {first: 50.0, second: 20.0}, 0.0)
    document = explained(data(cal, tools={"t": tool}), seconds=10)
    assert row(document, "tools", tool="t")["net_usd"] == pytest.approx([-20.0, -20.0])


def test_names_are_not_split_within_a_word(capsys):
    from optimizer.report.text import Page, table  # noqa: PLC0415

    long = "workflows.legal.pilot.periods"
    table(grid_of("t", ("limit", "lot", *"abc"), [(long, "word " * 12, *["x" * 15] * 3)], left=2, folds=2), Page())
    assert long in capsys.readouterr().out


def test_no_minus_zero():
    document = explained(fleet(), seconds=10)
    document["appendix"][0].update(one_more_price=-0.0)
    assert not any(cell == "-0" for cells in grid(document, "Appendix").rows for cell in cells)
