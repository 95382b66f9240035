"""The options of a ``%%tapisjob`` cell: one table for parsing, help, completion, and forms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .errors import InvalidInputError

#: ``PATH:TARGET``; the colon of an address (``https://host:8080/x``) is not meant.
_INPUT = re.compile(r"(?P<source>\w+://[^/]*/[^:]*|[^:]+):(?P<target>[^:]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a magic."""

    flags: tuple[str, ...]
    help: str
    #: What stands after it; "" for a switch.
    value: str = ""
    #: The request's field that it sets, or "".
    field: str = ""
    whole_number: bool = False
    repeats: bool = False

    @property
    def name(self) -> str:
        """The attribute under which the parsed value is found."""
        return self.flags[-1].lstrip("-").replace("-", "_")


HELP = Option(flags=("-h", "--help"), help="show this help")

JOB_OPTIONS = (
    Option(flags=("--name",), value="NAME", field="name", help="the job's name; else APP-1, APP-2, …"),
    Option(
        flags=("--template",),
        value="TEMPLATE",
        help="the template whose app and defaults are taken; what else is given goes over them",
    ),
    Option(flags=("--system",), value="SYSTEM", field="execSystemId", help="where it runs"),
    Option(
        flags=("--queue",), value="QUEUE", field="execSystemLogicalQueue", help="the system's logical queue"
    ),
    Option(flags=("--nodes",), value="N", field="nodeCount", whole_number=True, help="number of nodes"),
    Option(flags=("--cores",), value="N", field="coresPerNode", whole_number=True, help="cores on each node"),
    Option(
        flags=("--memory",),
        value="MB",
        field="memoryMB",
        whole_number=True,
        help="memory on each node, in MB",
    ),
    Option(
        flags=("--minutes",), value="M", field="maxMinutes", whole_number=True, help="time limit, in minutes"
    ),
    Option(flags=("--arg",), value="WORD", repeats=True, help="one argument of the program, one word"),
    Option(
        flags=("--input",),
        value="PATH[:TARGET]",
        repeats=True,
        help="a file beside the notebook, or an address (tapis://, https://), for the job's input directory",
    ),
    Option(flags=("--env",), value="K=V", repeats=True, help="an environment variable of the program"),
    Option(
        flags=("--set",),
        value="FIELD=VALUE",
        repeats=True,
        help="any other field of a Tapis request; dots go deeper: parameterSet.logConfig.stdoutFilename=a",
    ),
    Option(
        flags=("--process",),
        value="FUNCTION",
        help="what looks at the outputs when the job has ended: a function of the notebook, else the name of "
        "one of a package that is installed beside the server",
    ),
    Option(flags=("--script",), value="FILE", help="make the cell this file in the job's input directory"),
    Option(flags=("--wait",), help="wait until the job has ended"),
    Option(flags=("--follow",), help="print what the job prints until it has ended"),
    Option(flags=("-o",), value="VAR", help="keep the Job in this variable"),
    Option(
        flags=("--out",),
        value="PATH=VAR",
        repeats=True,
        help="wait, then read this output into a variable: a .csv as data frame, else as text",
    ),
    Option(
        flags=("--cases",),
        value="FRAME",
        help="make a study: a job for each row of this frame, grid, list or CSV file, whose columns "
        "{{ column }} takes; --name is the study's, -o keeps the Study, --out collects into a frame",
    ),
    Option(flags=("--dry-run",), help="show the request and the script; submit nothing"),
    Option(flags=("--raw",), help="take the cell as it is: no {{ expression }}"),
    HELP,
)


def cell_input(text: str) -> str | tuple[str, str]:
    """Return what ``--input`` means: a path or address, or that and its target."""
    found = _INPUT.fullmatch(text)
    return (found["source"], found["target"]) if found and not found["target"].startswith("//") else text


def set_field(field: str, value: str) -> dict[str, Any]:
    """Return what ``--set`` means: ``a.b=3`` as ``{"a": {"b": 3}}``; the value is read as YAML."""
    import yaml

    try:
        found: Any = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError) as cause:
        raise InvalidInputError(f"--set {field}={value}: the value cannot be read.", field=field) from cause
    for part in reversed(field.split(".")):
        found = {part: found}
    return dict(found)
