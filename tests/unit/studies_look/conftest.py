"""What the tests of a study's results share: the fake server, and cases with jobs on it."""

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "client"))

from fake_tapis import FakeTapis

from jupyter_tapis_jobs.client.output_cache import OutputCache


@pytest.fixture
def fake():
    return FakeTapis()


@pytest.fixture
def tapis(fake):
    return fake.tapis()


@pytest.fixture
def cache(tmp_path):
    return OutputCache(tmp_path / "outputs.sqlite")


@pytest.fixture
def study(fake):
    """Make a study's frame of parameters, statuses and outputs; a case with status None is not submitted."""

    def made(parameters, statuses, outputs=(), **columns):
        uuids = [None if status is None else fake.add_job(status) for status in statuses]
        for uuid, files in zip(uuids, outputs, strict=False):
            if uuid:
                fake.outputs[uuid] = files
        count = len(statuses)
        return pd.DataFrame(
            {
                **parameters,
                "caseId": [f"{number:016x}" for number in range(count)],
                "jobUuid": pd.Series(uuids, dtype="str"),
                "status": pd.Series(statuses, dtype="str"),
                "condition": pd.Series([None] * count, dtype="str"),
                "exitCode": pd.Series([None] * count, dtype="Int64"),
                "queueSeconds": [1.0] * count,
                "runSeconds": [2.0] * count,
                "attempt": pd.Series([1] * count, dtype="Int64"),
                **columns,
            }
        )

    return made
