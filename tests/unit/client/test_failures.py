"""Why a job failed is told in the same words by the kernel's client and by the views in the browser."""

import json
from pathlib import Path

import pytest

from jupyter_tapis_jobs.client.failure import Failure, failure_of

# The views read the same file: labextension/test/failure.test.js.
_SAMPLES = json.loads((Path(__file__).parent / "failures.json").read_text())


@pytest.mark.parametrize("sample", _SAMPLES)
def test_a_failure_is_told_as_in_the_views(sample):
    told = failure_of({"status": "FAILED", **sample["job"]}, sample["tail"])
    assert told == Failure(sample["cause"], sample["evidence"], sample["nextStep"])
