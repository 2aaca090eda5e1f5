"""What every part of an instance shares: strict frozen shapes, names, and the kinds of number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from optimizer.instance.by_period import ByPeriod
from optimizer.instance.quantity import Unit
from optimizer.instance.translate import bad_input

Constructor = TypeVar("Constructor", bound=Callable[..., None])


def outermost(constructor: Constructor) -> Constructor:
    """Have the shape library call a constructor for the outermost part only.

    Nested parts are then validated by the outermost one, which is what gathers every fault at once.
    """
    setattr(constructor, "__pydantic_base_init__", True)  # noqa: B010
    return constructor


class Model(BaseModel):
    """A strict, frozen part of an instance; unknown keys are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, coerce_numbers_to_str=True)

    @outermost
    def __init__(self, /, **data: Any) -> None:
        try:
            self.__pydantic_validator__.validate_python(data, self_instance=self)
        except ValidationError as error:
            raise bad_input(error, type(self), data) from error


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
DeploymentId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./-]*$")]
Names = Annotated[
    tuple[str, ...], BeforeValidator(_several, json_schema_input_type=str | tuple[str, ...])
]  # one name may stand without brackets

Number = Annotated[float, Unit()]
Positive = Annotated[float, Unit(above=0.0)]
Whole = Annotated[int, Unit(whole=True)]
AtLeastOne = Annotated[int, Unit(whole=True, low=1)]
Share = Annotated[float, Unit("%", high=1.0)]
PositiveShare = Annotated[float, Unit("%", above=0.0, high=1.0)]
Money = Annotated[float, Unit("USD")]
MoneyByPeriod = Annotated[ByPeriod, Unit("USD")]
PerMtok = Annotated[ByPeriod, Unit("USD/Mtoken")]
PerGpuHour = Annotated[ByPeriod, Unit("USD/GPU/h")]
Milliseconds = Annotated[float, Unit("ms", above=0.0)]
Gigabytes = Annotated[float, Unit("GB")]
Kilowatts = Annotated[float, Unit("kW")]
Tokens = Annotated[int, Unit("token", whole=True, low=1)]
Lots = Annotated[ByPeriod, Unit("lot", whole=True)]
Amounts = dict[str, Number]  # of further resources, by name

Scores = Mapping[str, Share]
