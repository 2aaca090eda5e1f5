"""Every constraint family, in the order in which the rows are written."""

from optimizer.formulation.families.choices import bundle_link, change_link, tool_link
from optimizer.formulation.families.fleet import (
    bandwidth_capacity,
    compute_capacity,
    gpu_capacity,
    hbm_capacity,
    powered_link,
)
from optimizer.formulation.families.market import (
    api_limit,
    commitment_floor,
    concentration_limit,
    parting_link,
    supply_limit,
)
from optimizer.formulation.families.money import resource_capacity, retraining_link, review_limit, spend_limit
from optimizer.formulation.families.portfolio import exploration_limit, launch_limit, portfolio_limit, proof_floor
from optimizer.formulation.families.resilience import resilience_floor
from optimizer.formulation.families.serving import (
    balance_link,
    endpoint_capacity,
    funding_link,
    launch_link,
    replica_floor,
    service_floor,
)
from optimizer.formulation.families.site import (
    carbon_limit,
    energy_limit,
    hosting_link,
    power_limit,
    rack_capacity,
    storage_capacity,
    water_limit,
)
from optimizer.formulation.family import Family

FAMILIES: tuple[Family, ...] = (
    endpoint_capacity,
    balance_link,
    funding_link,
    launch_link,
    gpu_capacity,
    powered_link,
    hbm_capacity,
    bandwidth_capacity,
    compute_capacity,
    power_limit,
    rack_capacity,
    storage_capacity,
    hosting_link,
    energy_limit,
    carbon_limit,
    water_limit,
    spend_limit,
    review_limit,
    retraining_link,
    launch_limit,
    portfolio_limit,
    supply_limit,
    parting_link,
    api_limit,
    commitment_floor,
    concentration_limit,
    proof_floor,
    exploration_limit,
    service_floor,
    replica_floor,
    resilience_floor,
    tool_link,
    bundle_link,
    change_link,
    resource_capacity,
)
