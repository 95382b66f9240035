"""Many tables become one frame: the same, however it is done."""

import io

import pandas as pd
import pytest

from jupyter_tapis_jobs.client.collecting import one_frame
from jupyter_tapis_jobs.model.errors import InvalidInputError, NotFoundError


def one_by_one(contents):
    """Return the frame as it must be: each table parsed by itself."""
    tables = []
    for uuid, content in contents.items():
        table = pd.read_csv(io.BytesIO(content))
        table.insert(0, "jobUuid", pd.Series([uuid] * len(table), index=table.index, dtype="str"))
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize(
    "contents",
    [
        {"a": b"t,u\n1,2.5\n2,3\n", "b": b"t,u\n1,4\n"},
        {"a": b"t,u\n1,2", "b": b"t,u\n\n3,4\n\n", "c": b"t,u\n"},
        {"a": b"t,u\r\n1,2\r\n", "b": b"t,u\r\n3,4\r\n"},
        {"a": b't,u\n1,"x\ny"\n', "b": b"t,u\n2,z\n"},
        {"a": b"t,u\n1,2\n", "b": b"u,t\n1,2\n"},
        {"a": b"t,u\n1,2\n", "b": b"t\n3\n"},
        {"a": b"t,u\n1,x\n", "b": b"t,u\n2,\n"},
        {"a": b"t\n \n5\n", "b": b"t\n6\n"},
    ],
    ids=["plain", "ends", "crlf", "quoted", "order", "columns", "gaps", "blank"],
)
def test_one_parse_of_all_gives_what_single_parses_give(contents):
    # An empty table among others spoils the types of single parses, not of one.
    pd.testing.assert_frame_equal(
        one_frame(contents, "disp.csv", {}), one_by_one(contents), check_dtype=False
    )


def test_options_go_to_the_reader():
    table = one_frame({"a": b"1;2\n", "b": b"3;4\n"}, "disp.csv", {"sep": ";", "names": ["t", "u"]})
    assert table.to_dict("list") == {"jobUuid": ["a", "b"], "t": [1, 3], "u": [2, 4]}


@pytest.mark.parametrize("content", [b"", b"a\n1,2\n1,2,3\n"])
def test_what_is_no_table_is_told_in_one_sentence(content):
    with pytest.raises(InvalidInputError, match="cannot be read as a table"):
        one_frame({"a": content}, "disp.csv", {})


def test_all_files_come_in_one_answer(fake, tapis):
    uuids = [fake.add_job("FINISHED") for _ in range(40)]
    for number, uuid in enumerate(uuids):
        fake.outputs[uuid] = {"disp.csv": f"u\n{number}\n".encode()}
    table = tapis.collect(uuids, "disp.csv")
    assert table["u"].tolist() == list(range(40))
    assert table["jobUuid"].tolist() == uuids
    assert [call for call in fake.calls if "output" in call[1]] == [("POST", "/v3/jobs/output/bulk")]


def test_a_job_without_the_file_is_named_and_the_others_counted(fake, tapis):
    uuids = [fake.add_job("FINISHED", name=f"case-{n}") for n in range(3)]
    fake.outputs[uuids[1]] = {"disp.csv": b"u\n1\n"}
    with pytest.raises(
        NotFoundError, match=r"^Job case-0 has no output\. 1 more jobs do not have it either\.$"
    ):
        tapis.collect(uuids, "disp.csv")
