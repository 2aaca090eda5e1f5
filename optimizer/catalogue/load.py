"""Reads `models/`: from the source tree, or from the copy that the wheel carries."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from ruamel.yaml import YAML

from optimizer.catalogue.build import ai_model, gpu_model
from optimizer.catalogue.names import UnknownName
from optimizer.catalogue.schema import AiFile, GpuFile
from optimizer.catalogue.types import AiModel, Catalogue, GpuModel, Measurement

T = TypeVar("T")
PACKAGE = Path(__file__).resolve().parents[1]
FIGURES = (".yaml", ".csv", ".json")
WHOLE_COLUMNS = (
    "tokens_in", "tokens_out", "concurrency", "gpus", "tensor_parallel", "expert_parallel", "data_parallel",
)  # fmt: skip


@cache
def load_catalogue() -> Catalogue:
    """The whole catalogue; each model's file is read when it is first asked for, and once."""
    root = shared_directory("models")
    return Catalogue(
        gpus=ById("GPU model", root / "gpus", lambda path: gpu_model(GpuFile.model_validate(_yaml(path)))),
        models=ById("AI model", root / "ai", lambda path: ai_model(AiFile.model_validate(_yaml(path)))),
        measurements=tuple(_measurements(root / "measurements")),
    )


def shared_directory(name: str) -> Path:
    """Where `models` or `instances` lie: inside an installed package, else beside it in the source tree."""
    packaged = PACKAGE / "_shared" / name
    return packaged if packaged.is_dir() else PACKAGE.parent / name


def digest() -> str:
    """SHA-256 of every figure that `models/` holds."""
    root, found = shared_directory("models"), sha256()
    for path in sorted(each for each in root.rglob("*") if each.suffix in FIGURES):
        found.update(f"{path.relative_to(root).as_posix()}\n".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


class ById(Mapping[str, T]):
    """The files of a directory by id, each parsed on first use; an unknown id raises `UnknownName`."""

    def __init__(self, kind: str, directory: Path, parse: Callable[[Path], T]) -> None:
        self._kind = kind
        self._paths = {path.stem: path for path in sorted(directory.glob("*.yaml"))}
        self._parse = parse
        self._parsed: dict[str, T] = {}

    def __getitem__(self, key: str) -> T:
        if key not in self._paths:
            raise UnknownName(self._kind, key, self._paths)
        if key not in self._parsed:
            self._parsed[key] = self._parse(self._paths[key])
        return self._parsed[key]

    def __contains__(self, key: object) -> bool:
        return key in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def gpu(name: str) -> GpuModel:
    """A GPU model by its catalogue id."""
    return load_catalogue().gpus[name]


def model(name: str) -> AiModel:
    """An AI model by its catalogue id."""
    return load_catalogue().models[name]


def _yaml(path: Path) -> object:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def _measurements(directory: Path) -> Iterator[Measurement]:
    for path in sorted(directory.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                yield _measurement(row)


def _measurement(row: Mapping[str, str]) -> Measurement:
    whole = {column: int(row[column]) for column in WHOLE_COLUMNS}
    times = {column: float(row[column]) for column in ("ttft_ms", "tpot_ms")}
    words = {column: text for column, text in row.items() if column not in whole and column not in times}
    return Measurement(**words, **whole, **times)  # type: ignore[arg-type]
