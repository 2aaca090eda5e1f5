"""Work stated in GPU-hours, such as training: replicas of whole GPUs that belong to one workflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from optimizer.formulation.data import Candidate
from optimizer.resolve.types import Deployment, Drop, Ground, Place, Use, Work

MODEL = "gpu-hours"
STATED = Work(
    tasks_per_hour=0.0, bytes_gb=0.0, tflop=0.0, ttft_ms=None, tpot_ms=None, ttft_range=(1.0, 1.0),
    tpot_range=(1.0, 1.0), grade="user", bound_by="compute", basis="GPU-hours stated in the instance",
)  # fmt: skip


def training_on(ground: Ground, place: Place, workflows: set[str], drops: list[Candidate]) -> Iterator[Deployment]:
    """A replica for each workflow in GPU-hours that accepts this GPU model; it may span nodes.

    Tasks per hour = GPUs x speed of this GPU model / GPU-hours of a task. It holds all HBM of its GPUs, at full power.
    """
    for w, workflow in ground.instance.workflows.items():
        hours = workflow.gpu_hours
        if hours is None or w not in workflows or _is_stated(ground, w):
            continue
        speeds = [hours.speed[name] for name in sorted(place.gpu.names & hours.speed.keys())]
        name = f"{MODEL}/{hours.gpus}g"
        if hours.speed and not speeds:
            drop = Drop("accepted", "no speed stated for this GPU model", place.gpu.id, ", ".join(hours.speed))
            drops.append(Candidate(w, place.id, name, *drop))
        elif place.pool.sharing != "whole":
            drop = Drop("scale_up", "takes whole GPUs", place.pool.sharing, "whole")
            drops.append(Candidate(w, place.id, name, *drop))
        else:
            speed = hours.gpus * (speeds[0] if speeds else 1.0) / hours.per_task
            yield _deployment(ground, place, name, hours.gpus, {Use(w): replace(STATED, tasks_per_hour=speed)})


def _is_stated(ground: Ground, w: str) -> bool:
    """A resolved instance spells its replicas out."""
    return any(d.model == MODEL and w in d.work for d in ground.instance.deployments.values())


def _deployment(ground: Ground, place: Place, name: str, gpus: int, work: Mapping[Use, Work]) -> Deployment:
    gpu = place.gpu.model
    return Deployment(
        id=f"{gpu.id}/{name}", name=name, model=MODEL, gpu=gpu.id, precision="user", gpus=float(gpus), slice=None,
        concurrency=1, context_tokens=0, hbm_gb=gpus * gpu.usable_hbm_gb, idle_kw=gpus * gpu.idle_kw,
        op_kw=gpus * gpu.op_kw, availability=ground.settings.availability(place.gpu.measured_as.id),
        keep=False, quality={}, work=work,
    )  # fmt: skip
