"""What 10,000 cases cost before and after they run: rendering, preview, the frame, ten rows more."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Callable
from typing import Any

import harness
import pandas as pd
from store_of_cases import kept

from jupyter_tapis_jobs.client.study import Study
from jupyter_tapis_jobs.client.study_cases import Built, CaseBuilder
from jupyter_tapis_jobs.client.study_template import StudyTemplate
from jupyter_tapis_jobs.client.tapis import Tapis

NAME = "bench"
#: Rows that come later.
MORE = 10
_MODEL = "set k {{ k }}\nset damping {{ damping }}\nset scale {{ scale }}\nputs done\n"
TEMPLATE: dict[str, Any] = {
    "appId": "bash",
    "appVersion": "1.0",
    "name": "case-{{ k }}",
    "script": "read -r line < model.tcl\n",
    "files": {"model.tcl": _MODEL},
    "env": {"K": "{{ k }}", "DAMPING": "{{ damping }}"},
    "maxMinutes": 5,
}


def main() -> None:
    plan = harness.plan(__doc__ or "")
    count = plan.size(10_000, 500)
    with harness.folder() as place:
        with harness.server(place) as server:
            harness.engine_ready(server.line())
            built = _built(server.tapis(), count)
        kept(place / "data" / "tapisjobs", NAME, StudyTemplate(TEMPLATE).to_wire(), built.cases)
        with harness.server(place) as server:
            harness.engine_ready(server.line())
            harness.table(_rows(plan, server, count))


def _rows(plan: harness.Plan, server: harness.BenchServer, count: int) -> list[harness.Row]:
    tapis, line, row = server.tapis(), server.line(), harness.Row
    _built(tapis, 10)
    rendering, looped = harness.interleaved(
        plan.pairs, lambda: harness.seconds(lambda: _built(tapis, count)), lambda: _looped(count)
    )
    preview, bodies = harness.interleaved(
        plan.pairs, lambda: _previewed(tapis, count), lambda: _looped(count, is_sent=True)
    )
    frame, plain = harness.interleaved(plan.pairs, lambda: _framed(tapis, count), lambda: _plain_frame(line))
    numbers = itertools.count(10 * count, MORE)
    added = _Added(server, next(numbers))
    added.to_empty()
    added.to_many()
    again, ten, empty = harness.interleaved(
        plan.pairs, lambda: _seen_again(tapis, count, next(numbers)), added.to_many, added.to_empty
    )
    return [
        row(what=f"rendering {count:,} cases: requests and ids", ours=rendering,
            against="a loop of str.replace, base64 and hashlib", theirs=looped),
        row(what=f"preview of {count:,} new cases, to the checked jobs", ours=preview,
            against="that loop, and its requests to JSON and back", theirs=bodies, goal="2 s"),
        row(what=f"`study.frame()` of {count:,} cases", ours=frame,
            against="the same bytes by json.loads and pandas.DataFrame", theirs=plain),
        row(what=f"{MORE} rows added to {count:,} cases: found, extended, run", ours=ten,
            against=f"{MORE} rows added to a study without cases", theirs=empty, goal="0.2 s"),
        row(what=f"{count:,} rows given again with {MORE} more: preview", ours=again,
            against=f"{MORE} rows added to a study without cases", theirs=empty),
    ]  # fmt: skip


def cases(first: int, count: int) -> pd.DataFrame:
    """Return the rows *first* and following."""
    numbers = range(first, first + count)
    columns = {"k": list(numbers), "damping": [0.01 + n / 1e6 for n in numbers]}
    return pd.DataFrame({**columns, "scale": [1 + n % 7 for n in numbers]})


def _built(tapis: Tapis, count: int) -> Built:
    rows = cases(0, count).to_dict("records")
    built = CaseBuilder(tapis, StudyTemplate(TEMPLATE), NAME).build(rows)
    if len(built.cases) != count or built.errors:
        raise RuntimeError(f"{len(built.cases)} cases of {count}: {built.errors[:1]}")
    return built


def _looped(count: int, *, is_sent: bool = False) -> float:
    """Fill in the same texts with nothing but Python, and give each case an id."""
    rows = cases(0, count).to_dict("records")
    script = str(TEMPLATE["script"])

    def work() -> None:
        requests, ids = [], set()
        for row in rows:
            values = {f"{{{{ {name} }}}}": str(value) for name, value in row.items()}

            def filled(text: str, values: dict[str, str] = values) -> str:
                for mark, value in values.items():
                    text = text.replace(mark, value)
                return text

            model = filled(TEMPLATE["files"]["model.tcl"])
            env = [{"key": key, "value": filled(text)} for key, text in TEMPLATE["env"].items()]
            request = {
                "appId": "bash", "appVersion": "1.0", "name": filled(TEMPLATE["name"]), "maxMinutes": 5,
                "fileInputs": [_input(script, "script.sh"), _input(model, "model.tcl")],
                "parameterSet": {"envVariables": env},
            }  # fmt: skip
            requests.append({"parameters": row, "request": request})
            ids.add(hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest())
        if len(ids) != count or (is_sent and len(json.loads(json.dumps(requests))) != count):
            raise RuntimeError("the loop lost cases")

    return harness.seconds(work)


def _input(text: str, target: str) -> dict[str, str]:
    return {"sourceUrl": f"data:;base64,{base64.b64encode(text.encode()).decode()}", "targetPath": target}


def _previewed(tapis: Tapis, count: int) -> float:
    frame = cases(0, count)

    def work() -> None:
        shown = tapis.study(f"{NAME}-new", TEMPLATE, cases=frame).preview()
        if shown.new != count or shown.errors:
            raise RuntimeError(f"{shown.new} new cases of {count}: {shown}")

    return harness.seconds(work)


def _framed(tapis: Tapis, count: int) -> float:
    def work() -> None:
        frame = tapis.study(NAME).frame()
        if frame["k"].head(count).tolist() != list(range(count)):
            raise RuntimeError(f"{len(frame)} rows of {count}: {frame.head()}")

    return harness.seconds(work)


def _plain_frame(line: harness.Line) -> float:
    content = line.ask(f"/tapis/v3/tapisjobs/studies/{NAME}/frame?format=columns")

    def work() -> None:
        columns = json.loads(content)["result"]
        parameters = pd.DataFrame(columns.pop("parameters"))
        frame = pd.concat([parameters, pd.DataFrame(columns)], axis=1)
        for name in ("created", "remoteStarted", "ended"):
            frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")

    return harness.seconds(work)


def _seen_again(tapis: Tapis, count: int, first: int) -> float:
    """The whole frame again, ten rows longer: the rows of before are known by their ids."""
    frame = pd.concat([cases(0, count), cases(first, MORE)], ignore_index=True)

    def work() -> None:
        shown = tapis.study(NAME, TEMPLATE, cases=frame).preview()
        if (shown.new, shown.done) != (MORE, count):
            raise RuntimeError(f"{shown.new} new and {shown.done} done cases of {count}: {shown}")

    return harness.seconds(work)


class _Added:
    """Rows that are added to a study, with different ones each time."""

    def __init__(self, server: harness.BenchServer, first: int) -> None:
        self._server = server
        self._studies = itertools.count()
        self._firsts = itertools.count(first + 1_000_000, MORE)

    def to_many(self) -> float:
        """Add rows to the study of many cases."""
        return self._timed(lambda: self._server.tapis().study(NAME))

    def to_empty(self) -> float:
        """Add rows to a study that has none."""
        name = f"{NAME}-empty-{next(self._studies)}"
        body = {"name": name, "template": StudyTemplate(TEMPLATE).to_wire()}
        self._server.line().result("/v3/tapisjobs/studies", body)
        return self._timed(lambda: self._server.tapis().study(name))

    def _timed(self, found: Callable[[], Study]) -> float:
        rows = cases(next(self._firsts), MORE)
        made: list[Study] = []
        taken = harness.seconds(lambda: made.append(found().extend(rows).run()))
        harness.until_idle(self._server.line())
        if len(made[0].answer.submitted) != MORE:
            raise RuntimeError(f"{len(made[0].answer.submitted)} of {MORE} rows were submitted")
        return taken


if __name__ == "__main__":
    main()
