"""psij-python: one ``sbatch`` for each of COUNT scripts. Usage: with_psij.py COUNT FOLDER"""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

from psij.job import Job
from psij.job_attributes import JobAttributes
from psij.job_executor import JobExecutor
from psij.job_spec import JobSpec

count, folder = int(sys.argv[1]), Path(sys.argv[2])
executor = JobExecutor.get_instance("slurm")
jobs = []
for number in range(count):
    place = folder / str(number)
    place.mkdir()
    (place / "input.txt").write_text(f"{number}\n")
    script = "read -r n < input.txt; echo $((n * 2)) > answer.txt"
    spec = JobSpec(executable="/bin/sh", arguments=["-c", script], directory=place,
                   attributes=JobAttributes(duration=datetime.timedelta(minutes=5)))  # fmt: skip
    jobs.append(Job(spec))
    executor.submit(jobs[-1])
for job in jobs:
    job.wait()
answers = [int((folder / str(number) / "answer.txt").read_text()) for number in range(count)]
assert answers == [number * 2 for number in range(count)]
