"""The plan: its document, its tables, where the money goes, and what is refused."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import quick

import optimizer
from optimizer import BadInput, InternalError, Plan, Row, family, formulate, load, parse, solve
from optimizer.cli import inputs
from optimizer.plan import TABLES
from optimizer.plan.figures import few, money, number, percent, short, spans
from optimizer.plan.plan import jsonable
from optimizer.verify import Verification

PROMISED = {  # design of the plan document: columns may be added, never renamed or removed
    "ledger": "term usd cash_usd",
    "workflows": "workflow period funded launched demand served api unit value_usd cost_usd net_usd usd_per_mtok",
    "endpoints": "endpoint pool site model gpu period replicas gpus hbm_gb kw utilisation bound_by grade",
    "serving": "workflow source period day_part served",
    "resources": "family row period unit capacity used slack",
    "decisions": "kind name period amount usd",
    "candidates": "workflow pool deployment stage reason value limit",
}
HEADER = (
    "schema status objective_usd bound_usd gap seconds versions options scenario executable instance conflict "
    "verification"
)
Q1, Q2 = 2160, 2184  # hours


def total(rows, column, **where):
    return math.fsum(r[column] for r in rows if all(r[k] == v for k, v in where.items()))


def test_quickstart_is_worth_what_the_hand_arithmetic_says():
    assert quick.plan().status == "optimal"
    assert quick.plan().objective_usd == pytest.approx(quick.NET_VALUE, abs=1e-3)
    assert quick.plan().bound_usd >= quick.plan().objective_usd
    assert quick.plan().gap <= 1e-6
    assert quick.plan().document["verification"]["passed"] is True
    assert quick.plan().document["executable"] is True


def test_the_document_has_every_promised_key_and_column():
    document = quick.plan().document
    assert set(HEADER.split()) <= document.keys()
    for table, columns in PROMISED.items():
        assert set(columns.split()) <= set(TABLES[table].columns)
        for row in document[table]:
            assert row.keys() == set(TABLES[table].columns), table


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_a_fresh_frame(table):
    frame = getattr(quick.plan(), table)
    assert list(frame.columns) == list(TABLES[table].columns)
    assert len(frame) == len(quick.plan().document[table])
    if len(frame):
        frame.iloc[0, 0] = None
    assert not len(frame) or getattr(quick.plan(), table).iloc[0, 0] is not None


def test_a_saved_plan_reads_back_equal(tmp_path):
    (tmp_path / "plan.json").write_text(quick.plan().to_json())
    assert Plan.read(tmp_path / "plan.json").document == quick.plan().document


@pytest.mark.parametrize("text", ["", "[]", '{"schema": "solvency/1"}', '{"schema": "solvency/plan/1"}'])
def test_what_is_no_plan_is_refused(tmp_path, text):
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(BadInput, match=r"plan\.json"):
        Plan.read(tmp_path / "plan.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["workflows"][0].pop("served"), "workflows[0] lacks served"),
        (lambda d: d["workflows"][0].update(served="many"), "workflows[0].served is 'many', expected a number"),
        (lambda d: d["workflows"][0].update(served=math.nan), "it holds NaN, which is no number"),
        (lambda d: d.update(ledger=[5]), "ledger[0] is 5, expected a mapping"),
        (lambda d: d.update(changes="x"), "changes is 'x', expected a list of rows"),
        (lambda d: d.pop("candidates"), "candidates is missing"),
        (lambda d: d["options"].pop("drop"), "options.drop is missing"),
        (lambda d: d["instance"].update(resolved=None), "instance.resolved is nothing, expected a mapping"),
        (lambda d: d.update(status="great"), "status is 'great', expected one of optimal"),
        (lambda d: d.update(schema="solvency/plan/2"), "its schema is 'solvency/plan/2', expected 'solvency/plan/1'"),
    ],
)
def test_a_damaged_plan_says_what_is_wrong_with_it(tmp_path, change, said):
    document = json.loads(quick.plan().to_json())
    change(document)
    (tmp_path / "plan.json").write_text(json.dumps(document))
    with pytest.raises(BadInput, match=r"plan\.json: ") as raised:
        Plan.read(tmp_path / "plan.json")
    assert said in str(raised.value)
    assert inputs.is_plan(tmp_path / "plan.json")


def test_all_that_a_plan_lacks_is_said_at_once(tmp_path):
    (tmp_path / "plan.json").write_text('{"schema": "solvency/plan/1", "status": "optimal"}')
    with pytest.raises(BadInput) as raised:
        Plan.read(tmp_path / "plan.json")
    assert {"objective_usd is missing", "instance is missing", "ledger is missing"} <= {
        f.message.partition("whole plan: ")[2] for f in raised.value.faults
    }


def test_a_plan_is_one_wherever_its_schema_stands(tmp_path):
    file = tmp_path / "plan.json"
    document = json.loads(quick.plan().to_json())
    file.write_text(json.dumps(document, sort_keys=True))
    assert inputs.is_plan(file)
    document["instance"]["resolved"]["sites"]["ashburn"]["pue"] = -5
    file.write_text(json.dumps(document))
    with pytest.raises(BadInput, match=r"plan\.json: in its instance, sites\.ashburn\.pue is -5"):
        inputs.read_instance(file)
    (tmp_path / "instance.yaml").write_text("name: 'made from solvency/plan/1'")
    assert not inputs.is_plan(tmp_path / "instance.yaml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes there")
def test_an_instance_or_a_plan_may_come_through_a_pipe(tmp_path):
    for name, text in (("a", quick.FILE.read_text()), ("b", quick.plan().to_json())):
        os.mkfifo(tmp_path / name)
        writer = threading.Thread(target=(tmp_path / name).write_text, args=[text])
        writer.start()
        assert inputs.read_instance(tmp_path / name)[0].name == quick.instance().name
        writer.join()


def test_nothing_is_left_of_a_plan_that_could_not_be_written(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "chmod", full)
    with pytest.raises(OSError, match="No space"):
        inputs.save(quick.plan(), tmp_path / "plan.json")
    assert list(tmp_path.iterdir()) == []


def test_numbers_that_are_not_finite_become_null():
    assert jsonable({"a": math.nan, "b": (1, -math.inf)}) == {"a": None, "b": [1, None]}


def test_the_resolved_instance_inside_solves_to_the_same_value():
    again = solve(parse(quick.plan().document["instance"]["resolved"]), gap=1e-6)
    assert again.objective_usd == pytest.approx(quick.plan().objective_usd, rel=1e-9)


def test_ledger_sums_to_the_objective_and_allocation_to_the_ledger():
    document = quick.plan().document
    assert total(document["ledger"], "usd") == pytest.approx(document["objective_usd"], abs=1e-6)
    for line in document["ledger"]:
        assert total(document["allocation"], "cash_usd", term=line["term"]) == pytest.approx(line["cash_usd"], abs=1e-6)


def test_workflow_lines_and_unallocated_sum_to_the_cash():
    document = quick.plan().document
    rest = total(document["allocation"], "cash_usd", workflow="unallocated")
    assert rest < 0
    assert total(document["workflows"], "net_usd") + rest == pytest.approx(total(document["ledger"], "cash_usd"))


def test_shared_costs_go_by_the_replica_hours_kept():
    """2027Q1: of 6 replicas of 2 GPUs, 4 are kept for support and 2 for code; nobody keeps 4 H100 and 8 L40S."""
    allocation = quick.plan().document["allocation"]
    running = {
        w: -total(allocation, "cash_usd", workflow=w, period="2027Q1", term="gpu_running")
        for w in ("support", "code", "unallocated")
    }
    assert running["support"] == pytest.approx(4 * 2 * 0.60 * Q1)
    assert running["code"] == pytest.approx(2 * 2 * 0.60 * Q1)
    assert running["unallocated"] == pytest.approx((4 * 0.60 + 8 * 0.20) * Q1)
    bought = -total(allocation, "cash_usd", workflow="support", period="2027Q2", term="api_tokens")
    assert bought == pytest.approx(1600 * 0.00512 * Q2)


def test_endpoints_say_how_busy_they_are():
    (large,) = [
        r for r in quick.plan().document["endpoints"] if r["model"] == "llama-3.1-70b" and r["period"] == "2027Q1"
    ]
    assert (large["replicas"], large["gpus"]) == (6, 12)
    assert large["utilisation"] == pytest.approx((3200 / 1250 + 4000 / 2500) / 6)
    tokens = 3200 * 256 + 4000 * 28
    assert large["tokens_per_s"] == pytest.approx(tokens / (3200 / 1250 + 4000 / 2500) / 3600)
    assert large["kw"] == pytest.approx(1.25 * 12)


def test_full_limits_and_decisions_are_listed():
    full = {(r["row"], r["period"]) for r in quick.plan().document["resources"] if r["full"]}
    assert {("h100", "2027Q2"), ("l40s", "2027Q2")} <= full
    assert ("h100", "2027Q1") not in full
    starts = {(r["kind"], r["name"], r["amount"], r["usd"]) for r in quick.plan().document["decisions"]}
    assert starts == {("launch", "code", 1, 10_000), ("launch", "invoices", 1, 5_000)}


def test_verdicts_tell_full_from_partly_from_none():
    shares = {r["workflow"]: (r["verdict"], r["served_share"]) for r in quick.plan().document["verdicts"]}
    assert shares["support"] == ("full", pytest.approx(1))
    assert shares["invoices"] == ("partly", pytest.approx(Q2 / (Q1 + Q2)))
    changes = {"accepts.gpus": "l40s", "accepts.models": "llama-3.1-405b", "value_usd": "*0.1"}  # too large for 8 L40S
    poor = solve(quick.instance(), set={f"workflows.support.{path}": what for path, what in changes.items()})
    (support,) = [r for r in poor.document["verdicts"] if r["workflow"] == "support"]
    assert support["verdict"] == "none"
    assert support["why"] == "a ticket is worth $0.003 and costs at least $0.00512"
    launch = solve(quick.instance(), set=["workflows.code.launch_usd=10M"]).document["verdicts"]
    assert "no more than its launch costs ($10M)" in next(r["why"] for r in launch if r["workflow"] == "code")


def test_nothing_can_serve_it_names_what_was_dropped():
    plan = solve(quick.instance(), set=["workflows.code.residency=CH"])
    why = next(r["why"] for r in plan.document["verdicts"] if r["workflow"] == "code")
    assert why.startswith("nothing can serve it: candidates fell")
    assert "residency" in why


def test_infeasible_names_the_conflict_and_invents_no_table():
    plan = quick.infeasible()
    assert plan.status == "infeasible"
    assert not plan.answered
    assert math.isnan(plan.objective_usd)
    assert all(not plan.document[table] for table in TABLES if table != "candidates")
    assert plan.conflict["smallest"] is True
    assert set(plan.conflict["families"]) == {"portfolio_limit", "service_floor"}
    assert plan.conflict["reasons"][0] == "1 workflow must be funded in 2027Q1, 0 may be"
    assert json.loads(plan.to_json())["conflict"] == plan.conflict


def test_a_budget_below_what_owned_gpus_cost_is_named():
    plan = solve(parse({**quick.instance().dump(), "limits": {"spend": {"opex_usd": 1000}}}))
    assert plan.status == "infeasible"
    assert plan.conflict["families"] == ["spend_limit"]
    assert "owned GPUs alone cost 24,192" in plan.conflict["reasons"][0]


def test_dropped_families_are_recorded_and_links_cost_executability():
    free = solve(quick.instance(), drop=["power_limit"])
    assert free.document["options"]["drop"] == ["power_limit"]
    assert free.objective_usd > quick.NET_VALUE
    assert free.document["executable"] is True
    assert {r["limit"] for r in free.document["power"]} == {None}
    assert solve(quick.instance(), drop=["powered_link"]).document["executable"] is False


def test_scenarios_and_changes_are_part_of_the_plan():
    early = solve(quick.instance(), scenario="early-permit")
    assert early.document["scenario"] == "early-permit"
    assert early.objective_usd > quick.NET_VALUE
    same = solve(quick.instance(), set={"sites.ashburn.power_mw": 0.040})
    assert same.objective_usd == pytest.approx(early.objective_usd, rel=1e-3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"drop": ["powr_limit"]}, "Maybe power_limit"),
        ({"gap": math.nan}, "gap is nan"),
        ({"time_limit": -1}, "time_limit is -1"),
        ({"scenario": "late"}, "no scenario 'late'"),
        ({"set": ["sites.ashburn.powr_mw=1"]}, "Maybe sites.ashburn.power_mw"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, said):
    with pytest.raises(BadInput, match=said):
        solve(quick.instance(), **options)


@family(index="workflow period", unit="ticket", price="$/ticket")
def api_ban(m, d):
    r"""No ticket goes out of the house.

    $$ \mathrm{api} \\le 0 $$

    Price: what one ticket outside would earn.
    """
    for t in d.calendar.periods:
        sold = sum(m.api[w, a, u, b] for w, a, u, b in m.api if u == t)
        yield Row(("support", t), sold, "<=", 0.0)


def test_a_family_of_ones_own_binds_is_listed_checked_and_dropped():
    plan = solve(quick.instance(), extra=[api_ban])
    assert plan.objective_usd < quick.NET_VALUE
    assert total(plan.document["workflows"], "api") == 0
    assert [r["row"] for r in plan.document["resources"] if r["family"] == "api_ban"] == ["support", "support"]
    assert plan.document["verification"]["rows_by_family"]["api_ban"] == 2
    assert solve(quick.instance(), extra=[api_ban], drop=["api_ban"], gap=1e-6).objective_usd == pytest.approx(
        quick.NET_VALUE
    )


def test_formulate_gives_the_model_with_a_component_per_family():
    model = formulate(quick.instance(), drop=["power_limit"])
    assert len(model.gpu_capacity) > 0
    assert len(model.power_limit) == 0


def test_a_plan_that_fails_the_check_is_withheld(monkeypatch):
    def failing(*_):
        return replace(Verification(1, 1.0, True, (), {}, {}), passed=False)

    monkeypatch.setattr("optimizer.solving.verify", failing)
    with pytest.raises(InternalError, match="withheld"):
        solve(quick.instance())


def test_no_time_and_a_cancelled_solve_end_without_a_plan():
    assert solve(quick.instance(), time_limit=0).status == "no_plan"
    cancel = threading.Event()
    cancel.set()
    assert solve(quick.instance(), cancel=cancel).status == "interrupted"


def test_two_solves_in_two_threads_agree():
    with ThreadPoolExecutor(2) as pool:
        values = [f.result().objective_usd for f in [pool.submit(solve, quick.instance(), gap=1e-6) for _ in range(2)]]
    assert values == pytest.approx([quick.NET_VALUE] * 2, abs=1e-3)


def test_importing_is_quick_silent_and_lazy():
    code = (
        "import time, sys; t = time.perf_counter(); import optimizer; s = time.perf_counter() - t\n"
        "assert s < 0.5, s\n"
        "assert not {'pandas', 'pyomo', 'pydantic', 'highspy'} & sys.modules.keys()\n"
        "from optimizer import load, solve, Plan"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_public_name_exists():
    for name in optimizer.__all__:
        assert getattr(optimizer, name) is not None
    assert optimizer.load is load
    with pytest.raises(AttributeError, match="no attribute 'slove'"):
        optimizer.slove  # noqa: B018


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "$0"), (12_440_000, "$12.4M"), (-40_000, "-$40K"), (0.052, "$0.052"), (0.00002, "$0.00002"),
        (1_234, "$1,234"), (999.6, "$1,000"), (999_960, "$1M"), (2.5e9, "$2.5B"), (None, "-"),
    ],
)  # fmt: skip
def test_money_in_words(amount, words):
    assert money(amount) == words


def test_figures_in_words():
    assert money(1e6, "CHF") == "CHF 1M"
    assert number(1234.4) == "1,234"
    assert [percent(x) for x in (0, 1, 0.9994, 1e-3, 1e-6, 0.62, None)] == [
        "0 %", "100 %", "99.9 %", "0.1 %", "0.0001 %", "62 %", "-",
    ]  # fmt: skip
    assert [short(t) for t in ("2027Q1", "2027-03", "T1")] == ["27Q1", "27-03", "T1"]
    assert few([str(i) for i in range(20)]) == ["0", "3", "6", "9", "12", "15", "18"]
    order = ["a", "b", "c", "d"]
    assert [spans(x, order) for x in (order, ["a", "b", "d"], ["c"])] == ["all periods", "a-b, d", "c"]
