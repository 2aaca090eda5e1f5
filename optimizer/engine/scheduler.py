"""A Dask cluster, by the address of its scheduler. Dask is an extra, loaded only where one is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from optimizer.engine.installed import solvers

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 10.0


class NoCluster(RuntimeError):
    """There is none at this address, or nothing to reach it with, or its workers cannot do what is asked."""


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """A client of the cluster; NoCluster says why there is none."""
    try:
        from distributed import Client  # noqa: PLC0415  an extra
        from distributed.comm.addressing import get_address_host_port  # noqa: PLC0415
    except ImportError:
        raise NoCluster(f"a cluster at {address} needs dask: pip install 'solvency[cluster]'") from None
    try:
        get_address_host_port(address, strict=True)  # a client of a wrong one takes twenty seconds to go
    except (ValueError, RuntimeError) as error:
        raise NoCluster(f"'{address}' is no address of a scheduler, as tcp://10.0.0.1:8786 is: {error}") from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise NoCluster(f"no scheduler answers at {address}: {error}") from error
    with client:
        yield client


def reach(address: str) -> None:
    """NoCluster unless a scheduler answers and every worker that is there has this package."""
    with connected(address) as client:
        try:
            client.run(solvers)
        except Exception as error:  # whatever an import may raise there
            raise NoCluster(f"a worker of the cluster at {address} cannot solve: {error}") from error
