"""A table of jobs on a real server: its columns, and what its buttons do."""

from __future__ import annotations

from jupyter_tapis_jobs import Tapis


def test_a_table_reads_shows_and_steers_real_jobs(tapis: Tapis) -> None:
    job = tapis.submit("bash", script="echo hello; echo 3 > out.txt")
    job.wait(progress=False)
    table = tapis.table(
        [job],
        columns=["status", {"Out": lambda each: each.read("out.txt")}],
        actions=["logs", "|", "resubmit", "delete"],
        results=lambda each: each.outputs(),
    )
    (found,) = table.jobs
    assert table.rows() == [["FINISHED", "3"]]
    assert table.do("logs", found).text == "hello"
    assert "out.txt" in set(table.do("results", found).value["path"])
    assert "submitted again as" in table.do("resubmit", found).text
    assert table.do("delete", found).text == "hidden"
    assert job.uuid not in set(tapis.jobs()["uuid"])
