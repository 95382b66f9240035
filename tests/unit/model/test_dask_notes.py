"""What a system's notes say of its Dask scheduler; each mistake has one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_tapis_jobs.model.dask import Certificates, DaskCluster
from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.model.system import System, parse_system

FILES = {"ca": "/c/ca.pem", "cert": "/c/cert.pem", "key": "/c/key.pem"}


def system(**attributes: Any) -> System:
    raw = {
        "id": "grid",
        "systemType": "LINUX",
        "host": "grid",
        "defaultAuthnMethod": "PKI_KEYS",
        "canExec": True,
        "rootDir": "/",
        "jobWorkingDir": "/w",
        "jobRuntimes": [{"runtimeType": "ZIP"}],
        "canRunBatch": True,
        "batchScheduler": "DASK",
        **attributes,
    }
    return parse_system(raw)[0]


def test_a_system_with_dask_has_one_queue_unless_it_names_some() -> None:
    made = system(notes={"dask": {"address": "tcp://grid:8786"}})
    assert list(made.queues) == ["workers"]
    assert made.batch_default_logical_queue == "workers"
    own = [{"name": "mine", "hpcQueueName": "mine"}]
    assert list(system(notes=made.notes, batchLogicalQueues=own).queues) == ["mine"]


def test_the_queue_of_a_cluster_to_be_made_allows_the_cores_of_its_workers() -> None:
    made = system(notes={"dask": {"jobqueue": {"cores": 4}}})
    assert made.queues["workers"].max_cores_per_node == 4
    larger = {**made.to_wire(), "notes": {"dask": {"jobqueue": {"cores": 8}}}}
    assert parse_system(larger)[0].queues["workers"].max_cores_per_node == 8
    own = [{"name": "mine", "hpcQueueName": "mine", "maxCoresPerNode": 2}]
    assert system(notes=larger["notes"], batchLogicalQueues=own).queues["mine"].max_cores_per_node == 2


@pytest.mark.parametrize("queues", ["all", [3], [[]], {"name": "workers"}])
def test_queues_that_are_none_are_told(queues: Any) -> None:
    with pytest.raises(InvalidInputError, match="batchLogicalQueues"):
        system(notes={"dask": {"jobqueue": {"cores": 4}}}, batchLogicalQueues=queues)


def test_a_scheduler_is_found_by_address_or_by_file() -> None:
    tls = DaskCluster.of({"address": "tls://[::1]:8786", "tls": FILES, "python": "python3.11"})
    assert tls == DaskCluster(address="tls://[::1]:8786", tls=Certificates(**FILES), python="python3.11")
    assert DaskCluster.of({"schedulerFile": "/s.json"}).python == "python3"


def test_a_cluster_to_be_made_says_what_it_is_made_of() -> None:
    wanted = {"queue": "normal", "cores": 4, "directives": ["-C cpu"]}
    made = DaskCluster.of({"jobqueue": wanted, "python": "p"})
    told = made.to_request()["jobqueue"]
    assert told == {
        "queue": "normal",
        "account": None,
        "interface": None,
        "cores": 4,
        "memory": "1GB",
        "walltime": "01:00:00",
        "maximumJobs": 1,
        "idleMinutes": 10,
        "directives": ["-C cpu"],
        "python": "p",
    }


#: What the notes say -> what is said of that.
MISTAKES = (
    (None, r"notes\.dask None is needed where batchScheduler is DASK"),
    ({}, r"notes\.dask \{\} needs one of: address, such as tcp://host:8786; schedulerFile; jobqueue"),
    ({"address": "tcp://g:1", "schedulerFile": "/s"}, "needs one of: address"),
    ({"adress": "tcp://g:1"}, r"notes\.dask\.adress 'tcp://g:1' is not one of: .* Did you mean 'address'\?"),
    ({"address": "grid:8786"}, r"notes\.dask\.address 'grid:8786' is not of the form tcp://host:8786"),
    ({"address": "tcp://g:1;rm"}, "is not of the form"),
    ({"address": "tls://g:1"}, "tls:// needs it"),
    ({"address": "tcp://g:1", "tls": FILES}, "tcp:// has none"),
    ({"address": "tls://g:1", "tls": {"ca": "/c"}}, "needs the paths of three files"),
    ({"address": "tls://g:1", "tls": {**FILES, "key": "key.pem"}}, r"notes\.dask\.tls\.key 'key\.pem' is no"),
    ({"schedulerFile": "s.json"}, r"notes\.dask\.schedulerFile 's\.json' is no absolute path on the host"),
    ({"schedulerFile": "/s\n.json"}, "holds a newline"),
    ({"address": "tcp://g:1", "python": "bin/python"}, "is neither an absolute path on the host nor"),
    ({"address": "tcp://g:1", "seconds": 600}, "is no whole number from 1 to 60"),
    ({"jobqueue": {}, "address": "tcp://g:1"}, "needs one of: address"),
    ({"jobqueue": 4}, r"notes\.dask\.jobqueue 4 is no object such as"),
    ({"jobqueue": {}, "tls": FILES}, r"notes\.dask\.tls .* makes its own certificate"),
    ({"jobqueue": {"core": 4}}, r"notes\.dask\.jobqueue\.core 4 is not one of: .* Did you mean 'cores'\?"),
    ({"jobqueue": {"cores": 0}}, r"notes\.dask\.jobqueue\.cores 0 is no whole number from 1 to 1,024"),
    (
        {"jobqueue": {"memory": "much"}},
        r"jobqueue\.memory 'much' is not of the form such as 8GB",
    ),
    ({"jobqueue": {"walltime": 60}}, "is not of the form such as 02:00:00"),
    ({"jobqueue": {"queue": "a b"}}, r"notes\.dask\.jobqueue\.queue 'a b' is no name"),
    ({"jobqueue": {"directives": "-C cpu"}}, "is no list of texts"),
    ({"jobqueue": {"directives": ["-C cpu\nrm"]}}, "holds a newline"),
    ({"jobqueue": {"directives": ["echo"]}}, "is no option of sbatch"),
    ({"address": "tcp://g:1", "seconds": True}, "is no whole number from 1 to 60"),
)


@pytest.mark.parametrize(("notes", "sentence"), MISTAKES)
def test_a_mistake_is_told_with_field_value_and_way_out(notes: Any, sentence: str) -> None:
    with pytest.raises(InvalidInputError, match=sentence) as told:
        system(notes={"dask": notes})
    assert str(told.value.field).startswith("notes.dask")


def test_notes_of_a_system_without_dask_may_say_anything() -> None:
    slurm = {"batchScheduler": "SLURM", "batchLogicalQueues": [{"name": "q", "hpcQueueName": "q"}]}
    assert system(**slurm, notes={"dask": 7}).notes == {"dask": 7}
