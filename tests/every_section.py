"""One instance as text that says something in every section, for tests of what the small one leaves out."""

WHOLE = """\
schema: solvency/1
name: Whole
catalogue: none
horizon: {start: 2027Q1, periods: 4, discount_rate: 8%}
day_parts: {peak: 8h, night: 16h}
rack_classes: {air-40kw: {kw: 40, cooling: air}}
sites:
  ashburn:
    {jurisdiction: US-VA, power_mw: 1.2, pue: 1.25, usd_per_mwh: 89, g_co2_per_kwh: 322, usd_per_t_co2: 50,
     water_l_per_kwh: 1.8, racks: {air-40kw: 10}, storage_tb: 1 PB, usd_per_tb_month: 20,
     power_permits: {east: {power_mw: 500 kW, from: 2027Q2, late: 1}}, curtailment: {peak: 100 kW}}
  lulea: {jurisdiction: SE, pue: 1.1, usd_per_mwh: 30}
pools:
  h100: {site: ashburn, gpu: big, count: 64, rack: air-40kw, usd_per_gpu_hour: 0.6}
  hired: {site: lulea, gpu: big, count: 16, usd_per_gpu_hour: 0.4, lease_usd_per_gpu_hour: 2}
gpus:
  big:
    {hbm_gb: 80, usable_hbm_gb: 78, bandwidth_tb_s: 3, tflops: {bf16: 900}, idle_kw: 0.2, op_kw: 1,
     gpus_per_node: 8, scale_up_domain: 8, cooling: air}
deployments:
  chat: {model: llama, gpu: big, gpus: 2, hbm_gb: 150, tasks_per_hour: 900, resources: {net: 0.5},
         replicas: {constant: [[2027Q1, 2027Q2], [2027Q3, 2027Q4]]},
         work: {support: {tools: {rag+cache: {tasks_per_hour: 1200}}}}}
apis:
  frontier: {usd_per_mtok_in: 1.25, usd_per_mtok_out: 10, jurisdiction: US, vendor: acme, batch_discount: 50%,
             commitment_usd: 10k}
offers:
  buy: {kind: purchase, pool: h100, usd_per_lot: $260k, lead: 1, max_lots: 4, depreciation_per_year: 25%,
        needs: {hbm: 640}}
  rent: {kind: lease, pool: h100, usd_per_gpu_hour: 2.5, term: 2, lots: {2027Q1: 2, 2027Q3: 0}}
  sell: {kind: retire, pool: h100, resale_usd_per_lot: -10k}
  return: {kind: release, pool: hired, penalty_usd_per_lot: 5k, lead: 1}
  feed: {kind: upgrade, site: ashburn, power_mw: 0.5, racks: {air-40kw: 4}, storage_tb: 10, resources: {net: 100},
         usd_per_lot: 1M, charge: annuity, life_years: 10}
workflows:
  support:
    demand: 900k per period
    tokens_in: 2048
    tokens_out: 256
    value_usd: 0.9
    accepts: {models: [llama], apis: [frontier]}
    cached_in: {default: 50%, frontier: 80%}
    yield: {default: 90%, frontier: 95%}
    retries: 1
    bad_usd: 2
    review: {skill: lawyer, share: 10%, minutes: 4}
    launch_hours: {lawyer: 20}
    retraining: {gpu_hours: 500, per: year, speed: {big: 1}, usd: 100}
    storage_tb: {ashburn: 3}
    resources: {net: 3}
    task_resources: {net: 0.001}
    requires: [rag]
    pilot: {share: 10%, periods: 2}
    state: {proven: false, replicas: {h100/chat: 2}}
    resilience: {site: 60%}
  choice:
    bundles: {choose: exactly_one, options: {one: {value_usd: 5, resources: {net: 3}}, two: {value_usd: 6}}}
tools:
  rag: {usd_per_period: 3k, adopt_usd: 5k, staff: {lawyer: 10}, gpus: {h100: 1}, hbm_gb: {h100: 20},
        storage_tb: {ashburn: 1}, resources: {net: 1}, group: indexes,
        effects: [{workflows: support, cached_in: 40%, tokens_in_factor: 0.7}]}
  cache: {effects: [{models: llama, throughput_factor: 1.1}]}
  search: {group: indexes}
tool_sets: [{tools: [rag, cache], effects: [{apis: frontier, tokens_in_factor: 0.6}]}]
skills: {lawyer: {hours: 500, usd_per_hour: 90}}
resources: {net: {unit: Gbps, amount: 400}}
resilience:
  losses: [{each: site}, {id: outage, vendors: acme, sites: lulea}]
  shares: {support: 60%}
  recourse: none
limits:
  energy: {all: {mwh: 5 GWh, per: year}}
  carbon: {us: {jurisdiction: US, t_co2: 900, per: horizon}}
  water: {here: {sites: ashburn, m3: 5 ML}}
  supply: {hbm: {unit: GB, amount: 5000}}
  concentration: {acme: {vendors: acme, workflows: support, share: 30%}}
  exploration: 20%
previous: {replicas: {h100/chat: 2}, funded: support}
change: {usd_per_replica: 500, ramp: 4}
hold:
  pinned: [{workflow: support, periods: 2027Q1}, {endpoint: h100/chat, replicas: 3, periods: [2027Q1, 2027Q2]}]
  banned: [{workflow: choice, periods: [2027Q4]}]
scenarios:
  late: {set: {sites.ashburn.power_permits.east.late: "=2", offers.buy.usd_per_lot: "*1.1"}}
"""
