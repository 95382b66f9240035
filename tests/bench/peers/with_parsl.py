"""Parsl: a pilot job of one block with four workers runs COUNT calls. Usage: with_parsl.py COUNT FOLDER"""

from __future__ import annotations

import sys

import parsl
from parsl.config import Config
from parsl.executors import HighThroughputExecutor
from parsl.launchers import SimpleLauncher
from parsl.providers import SlurmProvider

count, folder = int(sys.argv[1]), sys.argv[2]


@parsl.python_app
def double(number: int) -> int:
    return number * 2


provider = SlurmProvider(partition="normal", nodes_per_block=1, cores_per_node=4, init_blocks=1, max_blocks=1,
                         walltime="00:10:00", launcher=SimpleLauncher(), exclusive=False, mem_per_node=1,
                         worker_init=f"export PATH={sys.prefix}/bin:$PATH")  # fmt: skip
workers = HighThroughputExecutor(
    label="pilot", max_workers_per_node=4, provider=provider, address="127.0.0.1"
)
with parsl.load(Config(executors=[workers], run_dir=folder, usage_tracking=0)):
    results = [double(number) for number in range(count)]
    assert [result.result() for result in results] == [number * 2 for number in range(count)]
