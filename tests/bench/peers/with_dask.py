"""dask-jobqueue: a worker job with four threads runs COUNT functions. Usage: with_dask.py COUNT FOLDER"""

from __future__ import annotations

import sys

from dask.distributed import Client
from dask_jobqueue import SLURMCluster


def double(number: int) -> int:
    return number * 2


def main() -> None:
    count, folder = int(sys.argv[1]), sys.argv[2]
    with (
        SLURMCluster(cores=4, processes=1, memory="1GB", walltime="00:10:00", queue="normal",
                     python=sys.executable, local_directory=folder, log_directory=folder,
                     scheduler_options={"host": "127.0.0.1", "dashboard_address": ":0"}) as cluster,
        Client(cluster) as client,
    ):  # fmt: skip
        cluster.scale(jobs=1)
        assert client.gather(client.map(double, range(count), pure=False)) == [n * 2 for n in range(count)]


if __name__ == "__main__":
    main()
