"""File to instance and back; every fault of a file at its line and column, all in one run."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from locating import assert_stands_at_mark, faults_of
from small import SMALL

from optimizer.instance import BadInput, Instance, load, parse
from optimizer.instance.by_period import ByPeriod
from optimizer.instance.document import compose
from optimizer.instance.json_schema import json_schema
from optimizer.instance.schema import Pool, Site


def edited(old: str, new: str) -> str:
    assert SMALL.count(old) == 1, old
    return SMALL.replace(old, new)


def test_a_file_becomes_an_instance_that_knows_where_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    instance = load(file)
    assert instance.sites["ashburn"].power_mw == ByPeriod({"2027Q1": 1.2, "2027Q3": 1.8})
    assert instance.workflows["support"].tokens_out == {"default": 256.0, "frontier": 200.0}
    assert instance.workflows["support"].quality == {"mmlu": 0.7}
    assert instance.workflows["tuning"].value_usd[0].usd == ByPeriod(900.0)
    assert instance.limits.spend["opex_usd"].amount == ByPeriod(2e6)
    assert instance.locate("sites", "ashburn", "power_mw") == (6, 44)
    assert instance.source == str(file)
    assert instance.sha256 is not None
    assert len(instance.sha256) == 64


def test_dump_parses_back_to_an_equal_instance(tmp_path: Path) -> None:
    instance = parse(compose(SMALL).data)
    file = tmp_path / "small.json"
    file.write_text(json.dumps(instance.dump()))
    assert load(file) == instance == Instance(**instance.dump()) == pickle.loads(pickle.dumps(instance))
    assert parse(instance.dump()).dump() == instance.dump()
    assert "note" not in instance.dump()


def test_sections_may_be_lists_with_ids() -> None:
    data = compose(SMALL).data
    listed = {**data, "workflows": [{"id": name, **entry} for name, entry in data["workflows"].items()]}
    assert parse(listed) == parse(data) == Instance(**listed)


# What is changed, into what (the fault stands at the mark §), and how the message begins.
CASES: dict[str, tuple[str, str, str]] = {
    "unknown key": ("pue: 1.25", "pue: 1.25, §powr_mw: 3", "unknown key 'powr_mw' in sites.ashburn. Maybe power_mw?"),
    "unknown section": ("name: Small", "name: Small\n§sitees: {}", "unknown key 'sitees'. Maybe sites?"),
    "missing key": ("h100: {site: ashburn, ", "§h100: {", "missing key 'site' in pools.h100. Maybe add site: ..."),
    "wrong unit": ("usd_per_mwh: 89", "usd_per_mwh: §89 GB",
                   "sites.ashburn.usd_per_mwh is '89 GB', expected a number in USD/MWh."),
    "wrong type": ("  ashburn: {", "  york: §3\n  ashburn: {",
                   "sites.york is 3, expected a mapping of keys to values."),
    "out of range": ("pue: 1.25", "pue: §0.9", "sites.ashburn.pue is 0.9, expected at least 1."),
    "negative capacity": ("count: 64", "count: §-64", "pools.h100.count is -64, expected at least 0 GPU."),
    "fraction of a GPU": ("count: 64", "count: §6.5", "pools.h100.count is 6.5, expected a whole number in GPU."),
    "wrong choice": ("unit: quarter", "unit: §quartr",
                     "horizon.unit is 'quartr', expected 'quarter', 'month' or 'year'. Maybe quarter?"),
    "wrong entry by period": ("2027Q3: 1.8", "2027Q3: §8 h",
                              "sites.ashburn.power_mw.2027Q3 is '8 h', expected a number in MW."),
    "wrong id": ("  h100: {", "  §h 100: {", "name 'h 100' in pools, expected letters, digits, '-', '_' and '.'."),
    "duplicate key": ("unit: ticket", "unit: ticket\n    §unit: call",
                      "duplicate key 'unit' in workflows.support, first on line 24."),
    "start": ("start: 2027Q1", "start: §2027", "horizon.start starts at '2027', expected a quarter such as 2027Q1."),
    "no start": ("start: 2027Q1, periods: 4", "periods: 4", "horizon lacks its start, expected a quarter such as"),
    "period beyond": ("2027Q3: 1.8", "2028Q3: §1.8",
                      "sites.ashburn.power_mw.2028Q3 names period '2028Q3', which the horizon 2027Q1 to 2027Q4 has"),
    "map starts late": ("{2027Q1: 1.2, 2027Q3: 1.8}", "§{2027Q3: 1.8}",
                        "sites.ashburn.power_mw says nothing before 2027Q3. Maybe add 2027Q1: 0"),
    "list length": ("{2027Q1: 1.2, 2027Q3: 1.8}", "§[1, 2]", "sites.ashburn.power_mw lists 2 values, expected 4"),
    "day parts": ("{peak: 8h, night: 16h}", "§{peak: 8h, night: 15h}", "day_parts sum to 23 h, expected 24 h."),
    "unknown site": ("h100: {site: ashburn", "h100: {site: §ashbrn",
                     "pools.h100.site names an unknown site 'ashbrn'. Maybe ashburn?"),
    "unknown GPU": ("gpu: big, count", "gpu: §bigg, count",
                    "pools.h100.gpu names an unknown GPU model 'bigg'. Maybe big?"),
    "unknown base": ("base: big", "base: §bug", "pools.mig.gpu.base names an unknown GPU model 'bug'. Maybe big?"),
    "unknown layout": ("layouts: [halves]", "layouts: [§halvs]",
                       "pools.mig.layouts[0] names an unknown layout 'halvs'. Maybe halves?"),
    "unknown model": ("models: [llama-3.1-70b]", "models: [§lama-3.1-70b]",
                      "workflows.support.accepts.models[0] names an unknown AI model 'lama-3.1-70b'."
                      " Maybe llama-3.1-70b?"),
    "unknown API": ("apis: [frontier]", "apis: [§fronter]",
                    "workflows.support.accepts.apis[0] names an unknown API 'fronter'. Maybe frontier?"),
    "unknown source of tokens": ("frontier: 200", "frontyer: §200",
                                 "workflows.support.tokens_out.frontyer names an unknown model or API 'frontyer'."),
    "unknown benchmark": ('{mmlu: ">= 0.70"}', '{mmlv: §">= 0.70"}',
                          "workflows.support.quality.mmlv names an unknown benchmark 'mmlv'. Maybe mmlu?"),
    "unknown day part": ("night: 40%}", "nigt: §40%}",
                         "workflows.support.demand_share.nigt names an unknown day part 'nigt'. Maybe night?"),
    "unknown deadline": ("deadline: 2027Q3", "deadline: §2027q3",
                         "workflows.tuning.deadline names an unknown period '2027q3'. Maybe 2027Q3?"),
    "unknown deployment GPU": ("gpu: big, gpus: 2", "gpu: §bag, gpus: 2",
                               "deployments.chat-1.gpu names an unknown GPU model 'bag'. Maybe big?"),
    "unknown scenario path": ('sites.ashburn.power_mw: ">>2"', 'sites.ashburn.powr_mw: §">>2"',
                              "scenarios.late-permit.set.sites.ashburn.powr_mw matches nothing. Maybe"
                              " sites.ashburn.power_mw?"),
    "shares": ("{peak: 60%, night: 40%}", "§{peak: 60%, night: 50%}",
               "workflows.support.demand_share sums to 1.1, expected 1 (100%)."),
    "rising tranches": ("usd: 0.60", "usd: §1.60", "workflows.support.value_usd[1].usd is above the tranche before it"),
    "tranches that stop short": ("upto: 100%", "upto: §90%",
                                 "workflows.support.value_usd[1].upto is 0.9 in the last tranche, expected 100%."),
    "tranches out of order": ("upto: 100%", "upto: §40%",
                              "workflows.support.value_usd[1].upto is 0.4, expected more than 0.5."),
    "job without deadline": ("  tuning:\n    demand: 40 per horizon\n    deadline: 2027Q3\n",
                             "  §tuning:\n    demand: 40 per horizon\n",
                             "workflows.tuning is a job (demand per horizon) without a deadline."),
    "deadline without job": ("40 per horizon\n    deadline: ", "40 per day\n    deadline: §",
                             "workflows.tuning.deadline stands at a workflow that is no job."),
    "one kind of token": ("  support:\n    unit: ticket\n    demand: 900k per period\n    tokens_in: 2048\n",
                          "  §support:\n    demand: 900k per period\n",
                          "workflows.support states only one of tokens_in and tokens_out, expected both."),
    "tokens and GPU-hours": ("gpu_hours: {", "tokens_in: 1\n    tokens_out: 1\n    gpu_hours: §{",
                             "workflows.tuning.gpu_hours stands beside tokens"),
    "no work": ("    gpu_hours: {per_task: 8, gpus: 8, speed: {big: 1}}\n", "",
                "workflows.tuning states no work per task."),
    "gpus and slice": ("chat-1: {model: llama-3.1-70b, gpu: big, gpus: 2", "chat-1: §{model: llama-3.1-70b, gpu: big",
                       "deployments.chat-1 states neither or both of gpus and slice"),
    "no speed": ("chat-1: {model: llama-3.1-70b, gpu: big, gpus: 2, hbm_gb: 150, concurrency: 8, ttft_ms: 300, ",
                 "chat-1: §{model: llama-3.1-70b, gpu: big, gpus: 2, hbm_gb: 150, concurrency: 8, ",
                 "deployments.chat-1 states no speed."),
    "two powers": ("kw: 2,", "op_kw: 3, kw: §2,", "deployments.chat-1.kw stands beside idle_kw or op_kw"),
    "no price": ("frontier: {usd_per_mtok_in: 1.25, usd_per_mtok_out: 10", "frontier: §{model: gpt",
                 "apis.frontier states no price. Maybe add usd_per_mtok_in and usd_per_mtok_out, usd_per_task,"),
    "half a price": ("frontier: {usd_per_mtok_in: 1.25, ", "frontier: §{",
                     "apis.frontier states one of usd_per_mtok_in and usd_per_mtok_out"),
    "shared without residents": ("h100: {", "h100: §{sharing: shared, ",
                                 "pools.h100 is shared but has no max_residents."),
    "layouts on whole GPUs": ("sharing: partitioned, layouts: [", "layouts: §[",
                              "pools.mig.layouts has no meaning on a pool whose sharing is whole."),
    "node": ("count: 64", "count: 64, node: §72", "pools.h100.node is 72 GPUs, more than the 64 there ever are."),
    "lot": ("lot: 1 node", "lot: §node", "pools.h100.relief.lot is 'node', expected a number and a thing."),
    "lot of something else": ("lot: 1 node", "lot: §3 racks",
                              "pools.h100.relief.lot is '3 racks', expected a number of node or GPU."),
    "blank number": ("pue: 1.25", "pue: 1.25, storage_tb:§ ", "sites.ashburn.storage_tb is nothing, expected a number"
                     " in TB. Maybe leave the key out"),
    "blank names": ("name: Small", "name: Small\nnote: §~", "note is nothing, expected a value (Remark)."),
    "blank limit": ("name: Small", "name: Small\noptions: {headroom:§ }", "options.headroom is nothing, expected"),
    "no headroom": ("name: Small", "name: Small\noptions: {headroom: §0}", "options.headroom is 0, expected more than"),
    "never up": ("name: Small", "name: Small\noptions: {availability: §0%}", "options.availability is '0%', expected"),
    "beyond all years": ("periods: 4", "periods: §100_000", "horizon.periods is 100000 quarters from 2027Q1, expected"),
    "no such year": ("start: 2027Q1", "start: §0000Q1", "horizon.start starts at '0000Q1', expected years from 1000"),
    "base of its own": ("name: Small", "name: Small\nmodels: {a: {base: §a}}", "models.a.base leads back to itself: a"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_fault_stands_at_its_line_and_column(name: str) -> None:
    old, new, expected = CASES[name]
    assert_stands_at_mark(edited(old, new), expected)


def test_all_faults_are_named_in_one_run() -> None:
    text = edited("pue: 1.25", "powr_mw: 3, pue: 1.25").replace("usd_per_mwh: 89", "usd_per_mwh: 89 GB")
    text = text.replace("count: 64", "count: -64").replace("[llama-3.1-70b]", "[lama-3.1-70b]")
    text = text.replace("  tuning:\n", "  support: {}\n  tuning:\n")
    said = [
        "unknown key",
        "expected a number in USD/MWh",
        "expected at least 0 GPU",
        "unknown AI model",
        "duplicate key",
    ]
    found = faults_of(text)
    assert len(found) == len(said)
    assert all(words in fault for words, fault in zip(said, found, strict=True))


def test_stated_deployments_on_shared_pools_need_their_traffic() -> None:
    text = edited("h100: {", "h100: {sharing: shared, max_residents: 2, ").replace("bytes_gb_per_task: 900, ", "")
    (found,) = faults_of(text)
    assert "deployments.chat-1 may run on a shared pool but does not state bytes_gb_per_task" in found


def test_duplicate_and_missing_ids_in_lists_are_located() -> None:
    text = SMALL[: SMALL.index("sites:")] + (
        "sites:\n  - {id: a, jurisdiction: US, pue: 1, usd_per_mwh: 1}\n  - {jurisdiction: US}\n"
        "  - {id: a, jurisdiction: US, pue: 1, usd_per_mwh: x}\npools: {}\nworkflows: {}\n"
    )
    assert faults_of(text) == [
        "f.yaml:7:5: sites[1] has no id. Maybe add id: ... to each of sites.".rstrip("."),
        "f.yaml:8:10: duplicate id 'a' in sites, first on line 6.",
    ]


def test_faults_inside_listed_sections_keep_their_place() -> None:
    text = SMALL[: SMALL.index("sites:")] + (
        "sites:\n  - {id: a, jurisdiction: US, pue: 1, usd_per_mwh: x}\npools: {}\nworkflows: {}\n"
    )
    assert faults_of(text) == ["f.yaml:6:52: sites.a.usd_per_mwh is 'x', expected a number in USD/MWh."]


def test_models_that_are_based_on_each_other_are_named() -> None:
    bases = "gpus: {x: {base: y}, y: {base: x}, h100-sxm: {base: h100-sxm}, z: {base: x}}\nmodels: {a: {base: a}}\n"
    rest = "name: n\nhorizon: {start: 2027, periods: 1, unit: year}\nsites: {}\npools: {}\nworkflows: {}\n"
    wrong = ["gpus.x.base", "gpus.y.base", "models.a.base"]
    assert [fault.partition(": ")[2].partition(" leads back")[0] for fault in faults_of(rest + bases)] == wrong


def test_a_scenario_may_take_back_what_is_stated(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL.partition("scenarios:")[0] + "scenarios: {free: {set: {sites.ashburn.power_mw: null}}}\n")
    instance = load(file)
    assert instance.vary(scenario="free").sites["ashburn"].power_mw is None
    assert instance.vary("sites.ashburn.power_mw=null").sites["ashburn"].power_mw is None


def test_what_follows_from_a_fault_is_not_another() -> None:
    without_site = edited("jurisdiction: US-VA, ", "")
    assert len(faults_of(without_site)) == 1
    assert len(faults_of(edited("{peak: 60%, night: 40%}", "{peak: 60%, night: 4 GB}"))) == 1


@pytest.mark.parametrize("data", [[], "text", 3, None])
def test_an_instance_is_a_mapping(data: object) -> None:
    with pytest.raises(BadInput, match="an instance is a mapping"):
        parse(data)


def test_objects_are_checked_as_files_are() -> None:
    data = parse(compose(SMALL).data).dump()
    site = Site(jurisdiction="US", pue=1.2, usd_per_mwh=50)
    pools = {"p": Pool(site="b", gpu="big", count=8, usd_per_gpu_hour=1)}
    with pytest.raises(BadInput) as raised:
        Instance(**{**data, "sites": {"a": site}, "pools": pools, "scenarios": {}})
    assert [str(f) for f in raised.value.faults] == ["pools.p.site names an unknown site 'b'. Maybe one of a"]
    with pytest.raises(BadInput) as raised:
        Site(jurisdiction="US", pue=0.5, usd_per_mwh=50, powr_mw=1)
    assert [f.where for f in raised.value.faults] == ["pue", "powr_mw"]


def test_catalogue_names_are_known_unless_the_instance_does_without() -> None:
    text = edited("gpu: big, count: 64", "gpu: h100-sxm, count: 64")
    assert "unknown GPU model 'h100-sxm'" in faults_of(text)[0]
    document = compose(text.replace("catalogue: none", "catalogue: builtin"))
    assert parse(document.data).pools["h100"].gpu == "h100-sxm"


def test_the_json_schema_describes_every_key() -> None:
    schema = json_schema()
    for part in (schema, *schema["$defs"].values()):
        for name, key in part.get("properties", {}).items():
            assert key.get("description"), name
    assert schema["properties"]["sites"]["oneOf"][1]["items"]["required"] == ["id"]
    assert json.loads(json.dumps(schema)) == schema


def test_importing_is_light() -> None:
    heavy = ("pandas", "pyomo", "pint", "numpy", "genai_prices", "optimizer.catalogue")
    code = f"import sys, optimizer.instance; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
