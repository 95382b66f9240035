"""SINGULARITY: an image that ``singularity run`` (of Apptainer or Singularity) runs in the foreground.

Source: Tapis Jobs, "Singularity". Nothing is bound but what Singularity binds itself and what containerArgs
say. The image is a path on the host (a SIF file or a sandbox directory), a file that was brought there from
``tapis://``, or what Singularity finds itself: ``docker://``, ``library://``, ``oras://``, ``https://``.
"""

from __future__ import annotations

import re
import shlex

from ..model import files
from ..model.arguments import shell_words
from ..model.container_options import container_option
from ..model.fields import RuntimeType
from ..model.job import Job, JobDefinition
from ..model.macros import tapis_environment
from ..model.paths import join
from .base import LaunchLines, prefix_words, why

#: The words that a system or an app may name as its tool.
TOOLS = ("singularity", "apptainer")

#: Values and arguments are not expanded a second time inside. By variable, since releases before 1.1
#: (Singularity: 3.10) do not know the option.
_CHOOSE = """\
tool={tool}
[ -n "$tool" ] || {{ tool=singularity; command -v "$tool" > /dev/null 2>&1 || tool=apptainer; }}
command -v "$tool" > /dev/null 2>&1 || {{
  echo "tapisjobs: there is no {missing} on $host." >&2; exit 255
}}
export APPTAINER_NO_EVAL=1 SINGULARITY_NO_EVAL=1"""


class SingularityRuntime:
    """An app that is an image of Apptainer or Singularity."""

    name = "SINGULARITY"

    def launch_lines(self, job: Job, definition: JobDefinition, executable: str | None) -> LaunchLines:
        """Return ``[prefix] singularity run …``; *executable* is the path of an image that was brought."""
        tool = definition.runtime_tool if definition.runtime_tool in TOOLS else ""
        folder = join(definition.root_dir, definition.exec_system_exec_dir)
        arguments = (shell_words(argument.arg) for argument in definition.app_args)
        command = [
            prefix_words(definition),
            f'"$tool" --quiet run --env-file {shlex.quote(f"{folder}/{files.ENVIRONMENT}")}',
            *(container_option(a.arg, RuntimeType.SINGULARITY) for a in definition.container_args),
            shlex.quote(executable or definition.container_image),
            *arguments,
        ]
        missing = tool or "singularity and no apptainer"
        return LaunchLines(
            before=tuple(_CHOOSE.format(tool=tool, missing=missing).splitlines()),
            command=" ".join(filter(None, command)),
            environment=self._environment(job, definition),
        )

    def leftover(self, uuid: str) -> str:
        """Return nothing: what runs in the container are processes of the job."""
        return ""

    def trouble(self, definition: JobDefinition, code: int, text: str) -> str | None:
        """Read the line ``FATAL:`` behind 255, which stands for every error of Singularity's own."""
        found = _FATAL.findall(text)
        if code != 255 or not found:
            return None
        return why(_TROUBLE, found[-1].strip(), definition.container_image)

    def _environment(self, job: Job, definition: JobDefinition) -> str:
        """Singularity reads the file as a shell, and takes single quotes for text of its own later on."""
        merged = {v.key: v.value for v in definition.env_variables} | tapis_environment(job, definition)
        return "".join(f"{key}={_quoted(merged[key])}\n" for key in sorted(merged, key=str.lower))


def _quoted(value: str) -> str:
    """Return *value* in double quotes, with a backslash before what a shell would act on there."""
    return '"' + re.sub(r'[\\"$`]', r"\\\g<0>", value) + '"'


_FATAL = re.compile(r"^(?:FATAL:\s+|ERROR\s*: |tapisjobs: )(.+)$", re.MULTILINE)
#: What is in the tool's line -> what it means and what to do; the first that fits counts.
_TROUBLE = (
    (
        r"there is no ",
        "Singularity cannot be used there: {line} Where a module brings it, name the module in a scheduler "
        "profile",
    ),
    (
        r"bind|mount|hook function",
        "a directory cannot be mounted: {line} Check --bind and --mount in containerArgs; a host variable "
        "that is not set leaves its place empty",
    ),
    (
        r"uri|image|checksum|manifest|registry|encryption|could not open|unable to handle|SIF|library",
        "the image {image} cannot be had: {line} Check containerImage, or bring the image to the host by "
        "hand (singularity pull) and give its path",
    ),
    (r"", "the container could not be started: {line} Check containerArgs and the image {image}"),
)
