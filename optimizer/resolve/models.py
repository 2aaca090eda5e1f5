"""AI models: the catalogue's, changed or completed by the instance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from optimizer.catalogue.load import load_catalogue
from optimizer.catalogue.types import AiModel
from optimizer.instance.faults import BadInput, Fault
from optimizer.instance.schema import Instance, ModelSpec
from optimizer.resolve.faults import fault, unknown
from optimizer.resolve.sources import told

OPTIONAL = ("name", "licence", "commercial_use", "quality", "output_multiplier", "experts", "experts_per_token",
            "active_params_b", "attention", "base", "note", "source")  # fmt: skip


class Models(Mapping[str, AiModel]):
    """Every AI model an instance may name, each worked out when first asked for."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._catalogue = load_catalogue().models if instance.catalogue == "builtin" else {}
        self._names = dict.fromkeys([*self._catalogue, *instance.models])
        self._found: dict[str, AiModel] = {}

    def __getitem__(self, name: str) -> AiModel:
        if name not in self._found:
            self._found[name] = self._work_out(name, ("models", name))
        return self._found[name]

    def known(self, name: str) -> AiModel | None:
        """The AI model of this name, or None where only a stated deployment knows it."""
        if name not in self:
            return None
        return self[name]

    def source(self, name: str) -> str:
        """Where its figures are from."""
        spec = self._instance.models.get(name)
        if spec is None:
            return told(self[name].figures)
        stated = [k for k in spec.model_fields_set if k not in ("base", "note", "source")]
        return told(self[name].figures, sorted(stated), spec.source)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _work_out(self, name: str, at: tuple[str, ...], below: str | None = None) -> AiModel:
        spec = self._instance.models.get(name) if name != below else None
        if spec is not None:
            return self._derived(name, spec)
        if name not in self._catalogue:
            raise unknown(self._instance, at, "AI model", name, self._names)
        return self._catalogue[name]

    def _derived(self, name: str, spec: ModelSpec) -> AiModel:
        changes = {k: v for k, v in spec if v is not None and k not in ("base", "note", "source")}
        if spec.base is not None:
            base = self._work_out(spec.base, ("models", name, "base"), below=name)
            kept = {} if spec.quality is None else {"quality": {**base.quality, **spec.quality}}
            return replace(base, id=name, **{**changes, **kept})
        missing = [k for k in ModelSpec.model_fields if k not in changes and k not in OPTIONAL]
        if missing:
            message = f"AI model '{name}' lacks {', '.join(missing)}"
            raise BadInput([fault(self._instance, ("models", name), message, "name a base: in the catalogue")])
        plain = {
            "name": name, "licence": "", "commercial_use": True, "quality": {}, "output_multiplier": 1.0,
            "experts": 1, "experts_per_token": 1, "attention": "gqa", "active_params_b": spec.params_b,
        }  # fmt: skip
        return AiModel(id=name, **{**plain, **changes})


def refuse_unknown(instance: Instance, models: Models) -> None:
    """Every accepted AI model exists: in the catalogue, in the instance, or as a stated deployment's."""
    stated = {d.model for d in instance.deployments.values()}
    faults: list[Fault] = []
    for w, workflow in instance.workflows.items():
        for name in workflow.accepts.models or ():
            if name not in models and name not in stated:
                at = ("workflows", w, "accepts", "models")
                faults += unknown(instance, at, "AI model", name, [*models, *stated]).faults
    for name in instance.models:
        try:
            models[name]
        except BadInput as wrong:
            faults += wrong.faults
    if faults:
        raise BadInput(faults)
