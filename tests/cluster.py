"""A Dask cluster of real worker processes on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def dask(deaths: int = 3, **options: Any) -> Iterator[Any]:
    """Give a client of two worker processes on this machine, at ports of their own.

    A task is given up when more than some workers have died at it.
    """
    distributed, config = pytest.importorskip("distributed"), pytest.importorskip("dask.config")
    given = {
        "n_workers": 2,
        "threads_per_worker": 1,
        "dashboard_address": "127.0.0.1:0",
        "host": "127.0.0.1",
        **options,
    }
    patience = {
        "distributed.scheduler.allowed-failures": deaths,
        "distributed.scheduler.no-workers-timeout": "120s",  # an error, where no worker comes back
        "distributed.deploy.lost-worker-timeout": "10 minutes",  # a worker that was killed is restarted, not given up
    }
    with (
        config.set(patience),
        distributed.LocalCluster(processes=True, silence_logs=50, **given) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
