"""One small instance as text, for tests of reading and changing; every line is about one thing."""

SMALL = """\
schema: solvency/1
name: Small
horizon: {start: 2027Q1, periods: 4, unit: quarter, discount_rate: 8%}
day_parts: {peak: 8h, night: 16h}
sites:
  ashburn: {jurisdiction: US-VA, power_mw: {2027Q1: 1.2, 2027Q3: 1.8}, pue: 1.25, usd_per_mwh: 89}
pools:
  h100: {site: ashburn, gpu: big, count: 64, usd_per_gpu_hour: 0.6,
         relief: {lot: 1 node, usd_per_lot: 260_000, max_lots: 8}}
  mig: {site: ashburn, gpu: {base: big, hbm_gb: 94}, count: 8, usd_per_gpu_hour: 0.5,
        sharing: partitioned, layouts: [halves]}
gpus:
  big:
    {hbm_gb: 80, usable_hbm_gb: 78, bandwidth_tb_s: 3, tflops: {bf16: 900}, idle_kw: 0.2, op_kw: 1,
     gpus_per_node: 8, scale_up_domain: 8, cooling: air,
     slices: {half: {hbm_gb: 40, compute_share: 50%, bandwidth_share: 50%}}, layouts: {halves: {half: 2}}}
deployments:
  chat-1: {model: llama-3.1-70b, gpu: big, gpus: 2, hbm_gb: 150, concurrency: 8, ttft_ms: 300, tpot_ms: 20, kw: 2,
           bytes_gb_per_task: 900, tflop_per_task: 300}
apis:
  frontier: {usd_per_mtok_in: 1.25, usd_per_mtok_out: 10, jurisdiction: US, quality: {mmlu: 0.8}}
workflows:
  support:
    unit: ticket
    demand: 900k per period
    tokens_in: 2048
    tokens_out: {default: 256, frontier: 200}
    value_usd: [{upto: 50%, usd: 0.99}, {upto: 100%, usd: 0.60}]
    accepts: {models: [llama-3.1-70b], apis: [frontier]}
    quality: {mmlu: ">= 0.70"}
    demand_share: {peak: 60%, night: 40%}
    launch_usd: 40_000
    min_service: 30%
  tuning:
    demand: 40 per horizon
    deadline: 2027Q3
    value_usd: 900
    gpu_hours: {per_task: 8, gpus: 8, speed: {big: 1}}
limits: {spend: {opex_usd: 2M, capex_usd: {amount: 1M, per: year}}, launches: 2}
scenarios:
  late-permit: {set: {sites.ashburn.power_mw: ">>2"}, drop: spend_limit}
  poor: {set: {"workflows.*.value_usd": "*0.8"}, drop: ["power_limit[ashburn,*]", spend_limit], probability: 20%}
catalogue: none
"""
