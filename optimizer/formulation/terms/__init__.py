"""Every objective term, in the order of the ledger: cash by period; the objective is its present value."""

from optimizer.formulation.family import Term
from optimizer.formulation.terms.fleet import carbon_price, energy, gpu_lease, gpu_running, moves, storage, tools
from optimizer.formulation.terms.offers import leases, purchases, resale, upgrades
from optimizer.formulation.terms.work import api_tokens, commitments, launches, liability, retraining, review, value

TERMS: tuple[Term, ...] = (
    value,
    api_tokens,
    commitments,
    energy,
    carbon_price,
    gpu_running,
    gpu_lease,
    leases,
    purchases,
    upgrades,
    resale,
    launches,
    review,
    retraining,
    storage,
    tools,
    liability,
    moves,
)
