"""submitit: ``map_array`` of trivial functions. Usage: with_submitit.py COUNT FOLDER"""

from __future__ import annotations

import sys

import submitit


def double(number: int) -> int:
    return number * 2


count, folder = int(sys.argv[1]), sys.argv[2]
executor = submitit.AutoExecutor(folder=folder, cluster="slurm")
executor.update_parameters(timeout_min=5, mem_gb=0.1, cpus_per_task=1, slurm_array_parallelism=count)
jobs = executor.map_array(double, list(range(count)))
assert [job.result() for job in jobs] == [number * 2 for number in range(count)]
