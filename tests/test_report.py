"""What a planner reads: the answer first, tables that fit, CSV, and the mathematics."""

from __future__ import annotations

import csv
import io
import re

import pytest
import quick
from rich.console import Console

from optimizer import FAMILIES, TERMS, Plan, parse, solve
from optimizer.formulation.build import state
from optimizer.plan import TABLES
from optimizer.report import delimited, mathematics
from optimizer.report.grids import LINES, grids
from optimizer.report.text import WIDEST, show
from optimizer.resolve import resolve


def printed(plan: Plan) -> str:
    out = io.StringIO()
    show(plan, Console(file=out, width=WIDEST, highlight=False, markup=False, emoji=False))
    return out.getvalue()


def altered(**keys) -> Plan:
    return Plan({**quick.plan().document, **keys})


GOLDEN = """\
Two pools, three workflows
Net value $429.7K (present value, 2027Q1-2027Q2), proved within 0.0001 %: no plan earns more than
$429.7K.
Served in full (2): support and code.
Served in part (1):
  - invoices: 50 % of its demand; what is left (2027Q1) does not pay for whole replicas and nodes,
    or has no room for one.
No room left in: GPUs of h100 (2027Q2), GPUs of l40s (2027Q2).

Workflows: % of demand served, and cash over the horizon
              27   27
workflow      Q1   Q2  API   value    cost      net  per Mtok
─────────────────────────────────────────────────────────────
support      100  100   17   $439K  $48.3K    $390K     $9.04
code         100  100    0  $69.5K  $22.2K   $47.3K     $45.6
invoices       .  100    0  $10.5K  $9,368   $1,115     $4.47
unallocated                     $0  $9,072  -$9,072         -
total                        $519K  $88.9K    $430K         -
"""


def test_the_answer_comes_first_and_in_plain_words():
    text = "\n".join(line.rstrip() for line in printed(quick.plan()).splitlines())
    assert text.startswith(GOLDEN)
    assert "rows hold, and every replica has its GPUs" in text


@pytest.mark.parametrize(("funded", "title"), [(1, "Funded, yet nothing of it is served (1):"), (0, "Not funded (1):")])
def test_what_is_funded_and_serves_nothing_is_not_called_unfunded(funded, title):
    plan = quick.plan().document
    flows = [row | ({"funded": funded} if row["workflow"] == "invoices" else {}) for row in plan["workflows"]]
    said = [row | ({"verdict": "none"} if row["workflow"] == "invoices" else {}) for row in plan["verdicts"]]
    assert title in printed(altered(workflows=flows, verdicts=said))


def test_it_fits_the_page_and_is_plain_when_piped():
    text = printed(quick.plan())
    assert max(map(len, text.splitlines())) <= WIDEST
    assert "\x1b" not in text
    assert all(len(grid.rows) <= LINES for grid in grids(quick.plan()))


def test_the_ledger_shows_no_line_without_cash_and_ends_in_the_net_value():
    (ledger,) = [grid for grid in grids(quick.plan()) if grid.title == "Ledger"]
    assert [row[0] for row in ledger.rows] == ["value", "api_tokens", "energy", "gpu_running", "launches", "net value"]
    assert ledger.rows[-1] == ("net value", "$430K", "$430K")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"status": "feasible", "gap": 0.031, "bound_usd": 443_000.0}, "best found in 300 s; proved within 3 %"),
        ({"status": "feasible", "gap": None, "bound_usd": None}, "best found in 300 s; nothing is proved yet"),
        ({"status": "interrupted", "gap": 0.031}, "interrupted; proved within 3 %"),
        ({"status": "no_plan", "objective_usd": None}, "No plan was found in 300 s. Maybe a longer --time-limit"),
        ({"status": "unbounded", "objective_usd": None}, "The value has no limit"),
        ({"executable": False}, "Not executable"),
    ],
)
def test_every_ending_is_said(keys, said):
    assert said in " ".join(printed(altered(**keys)).split())


def test_infeasible_says_what_clashes():
    text = " ".join(printed(quick.infeasible()).split())
    assert "No plan exists" in text
    assert "1 workflow must be funded in 2027Q1, 0 may be." in text
    assert "Families in conflict: portfolio_limit and service_floor." in text
    assert list(grids(quick.infeasible())) == []


def test_a_portfolio_that_only_buys_needs_no_fleet():
    data = quick.instance().dump()
    support = {**data["workflows"]["support"], "accepts": {"models": [], "apis": ["frontier"]}}
    plan = solve(parse({**data, "pools": {}, "deployments": {}, "workflows": {"support": support}}))
    text = printed(plan)
    assert "Served in full (1): support." in text
    assert "Fleet" not in text


def test_a_long_table_is_cut_and_says_so():
    row = quick.plan().document["endpoints"][0]
    many = [{**row, "endpoint": str(i)} for i in range(LINES + 4)]  # one line names the pool
    text = " ".join(printed(altered(endpoints=many)).split())
    assert "5 more lines are in the plan" in text


@pytest.mark.parametrize("table", TABLES)
def test_csv_is_one_table_in_full_precision(table):
    out = io.StringIO()
    delimited.write(quick.plan(), table, out)
    header, *lines = csv.reader(io.StringIO(out.getvalue()))
    assert tuple(header) == TABLES[table].columns
    assert len(lines) == len(quick.plan().document[table])
    if table == "ledger":
        assert sum(float(line[1]) for line in lines) == pytest.approx(quick.plan().objective_usd, abs=1e-6)


def test_the_mathematics_names_every_family_and_term_once():
    text, document = "\n".join(mathematics.text()), "\n".join(mathematics.latex())
    for each in (*FAMILIES, *TERMS):
        assert len(re.findall(rf"^(?:family|term) {each.name} ", text, re.M)) == 1
        assert rf"\paragraph{{{each.name.replace('_', chr(92) + '_')}}}" in document
    assert document.startswith(r"\documentclass")
    assert document.rstrip().endswith(r"\end{document}")


def test_rows_are_counted_as_on_off_or_absent():
    data = resolve(quick.instance()).data
    states = {row[0]: row[1:] for row in mathematics.counts(state(data, ["power_limit"])).rows}
    assert states["power_limit"] == ("off", "kW", "0")
    assert states["portfolio_limit"] == ("absent", "workflow", "0")
    assert states["launch_link"] == ("on", "launch", "15")  # 3 workflows x (2 quarters x starts, funded, and once)
