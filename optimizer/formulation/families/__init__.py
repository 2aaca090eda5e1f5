"""Every constraint family, in the order in which the rows are written."""

from optimizer.formulation.families.fleet import (
    bandwidth_capacity,
    compute_capacity,
    gpu_capacity,
    hbm_capacity,
    power_limit,
    powered_link,
    spend_limit,
)
from optimizer.formulation.families.serving import (
    api_limit,
    balance_link,
    endpoint_capacity,
    funding_link,
    launch_limit,
    launch_link,
    portfolio_limit,
    replica_floor,
    service_floor,
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
    spend_limit,
    api_limit,
    launch_limit,
    portfolio_limit,
    service_floor,
    replica_floor,
)
