"""DOCKER: a container of docker, or of podman, that runs in the foreground of the launch script.

Source: Tapis Jobs, "Docker": name, user, env file and mounts. Unlike there the container is not detached: its
output lands in ``tapisjob.out``, its exit code is waited for, and ``--rm`` takes it away when it has ended.
"""

from __future__ import annotations

import re
import shlex
import urllib.parse

from ..model import files, marks
from ..model.arguments import shell_words
from ..model.container_options import container_option
from ..model.fields import RuntimeType
from ..model.job import FileInput, Job, JobDefinition
from ..model.macros import tapis_environment
from ..model.paths import join
from .base import LaunchLines, prefix_words, why

#: Where a container finds the job's directories.
INPUT, OUTPUT, EXEC = "/TapisInput", "/TapisOutput", "/TapisExec"
_LOCAL = "tapislocal://"
#: The words that a system or an app may name as its tool.
ENGINES = ("docker", "podman")

#: Says which engine runs the container, and as whom: what is written must belong to the job's user. The root
#: of an engine without rights of its own is that user already.
_CHOOSE = """\
tool={tool}; me=$(id -u):$(id -g)
if [ "$tool" = docker ] || [ -z "$tool" ]; then
  case $(docker --version 2> /dev/null) in
    podman*) tool=podman ;;
    *) if rights=$(docker info --format '{{{{.SecurityOptions}}}}' 2>&1); then tool=docker
      elif [ -z "$tool" ] && command -v podman > /dev/null 2>&1; then tool=podman
      else echo "tapisjobs: docker cannot be used on $host:" $rights >&2; exit 125; fi ;;
  esac
fi
command -v "$tool" > /dev/null 2>&1 || {{ echo "tapisjobs: there is no $tool on $host." >&2; exit 125; }}
case $tool:${{me%%:*}}:$rights in
  podman:0:*) as="--user $me" ;;
  podman:*) if grep -q "^$(id -un):" /etc/subuid 2> /dev/null
    then as="--userns=keep-id --user $me"; else as="--user 0:0"; fi ;;
  *rootless*) as="--user 0:0" ;;
  *) as="--user $me" ;;
esac"""
#: An image is brought first, so that nothing of it lands in the application's output when all goes well.
_BRING = """\
"$tool" image inspect {image} > /dev/null 2>&1 || "$tool" pull -q {image} > {log} 2>&1 || {{
  cat {log} >&2; exit 125
}}
echo "$tool" > {mark}"""
#: The first process of a container is its init: a signal that it does not listen for never reaches it.
_HELPERS = """\
remove() {{ "$tool" kill {uuid}; "$tool" rm -f {uuid}; }} > /dev/null 2>&1
deaf() {{
  read -r tool < {mark} && first=$("$tool" inspect --format '{{{{.State.Pid}}}}' {uuid}) || return 0
  caught=$(sed -n 's/^SigCgt:[[:space:]]*[0-9a-f]*\\(....\\)$/\\1/p' "/proc/$first/status") || return 0
  [ $((0x${{caught:-4000}} & 0x4000)) != 0 ] || "$tool" kill {uuid} > /dev/null
}}
"""
#: Its own mark for "running" is the file that gets the container's id.
_UNTIL_STARTED = """\
while [ ! -s {cid} ] && read -r stat < "/proc/$app/stat"; do
  case $stat in *') Z '*) break ;; esac
  sleep 0.1
done"""
_AFTER = '[ "$code" = 0 ] || {{ read -r tool < {mark} && remove; }} 2> /dev/null'
#: True when no container of that name is left.
_LEFTOVER = """\
read -r tool 2> /dev/null < {mark} || exit 0
case $tool in docker|podman) ;; *) exit 0 ;; esac
{{ "$tool" kill {uuid}; "$tool" rm -f {uuid}; }} > /dev/null 2>&1
left=$("$tool" ps -aq --filter name={uuid} 2> /dev/null) && [ -z "$left" ]"""


class DockerRuntime:
    """An app that is an image of Docker's kind."""

    name = "DOCKER"

    def launch_lines(self, job: Job, definition: JobDefinition, executable: str | None) -> LaunchLines:
        """Return ``[prefix] docker run …``; *executable* has no meaning here."""
        tool = definition.runtime_tool if definition.runtime_tool in ENGINES else ""
        image = shlex.quote(definition.container_image.removeprefix("docker://"))
        known = {
            "uuid": job.uuid,
            "mark": marks.CONTAINER,
            "cid": f"{job.uuid}{files.CONTAINER_ID}",
            "image": image,
            "tool": tool,
            "log": f"{marks.FOLDER}/pull.log",
        }
        arguments = (shell_words(argument.arg) for argument in definition.app_args)
        command = [prefix_words(definition), '"$tool" run --rm', *_own_options(job, definition)]
        command += [container_option(a.arg, RuntimeType.DOCKER) for a in definition.container_args]
        command += [*_mounts(definition), image, *arguments]
        return LaunchLines(
            before=(*_CHOOSE.format(**known).splitlines(), *_BRING.format(**known).splitlines()),
            command=" ".join(filter(None, command)),
            environment=self._environment(job, definition),
            helpers=_HELPERS.format(**known),
            until_started=tuple(_UNTIL_STARTED.format(**known).splitlines()),
            when_asked_to_end="deaf",
            after=(_AFTER.format(**known),),
        )

    def leftover(self, uuid: str) -> str:
        """Return the text that removes the container whatever became of its launch script."""
        return _LEFTOVER.format(uuid=uuid, mark=marks.CONTAINER)

    def trouble(self, definition: JobDefinition, code: int, text: str) -> str | None:
        """Read docker's own exit codes: 125 is the engine's, 126 and 127 a program that cannot be run."""
        line = _last_said(text)
        if code not in (125, 126, 127) or not _IS_TOOLS.search(text):
            return None
        return why(_TROUBLE, line, definition.container_image)

    def _environment(self, job: Job, definition: JobDefinition) -> str:
        """Docker reads ``KEY=value`` raw: quotes and blanks are part of the value."""
        merged = {v.key: v.value for v in definition.env_variables} | tapis_environment(job, definition)
        return "".join(f"{key}={merged[key]}\n" for key in sorted(merged, key=str.lower))


def _own_options(job: Job, definition: JobDefinition) -> list[str]:
    folder = join(definition.root_dir, definition.exec_system_exec_dir)
    return [
        f"--name {job.uuid}",
        "$as",
        f"--cidfile {shlex.quote(f'{folder}/{job.uuid}{files.CONTAINER_ID}')}",
        f"--env-file {shlex.quote(f'{folder}/{files.ENVIRONMENT}')}",
    ]


def _mounts(definition: JobDefinition) -> list[str]:
    root = definition.root_dir
    return [
        _mount(join(root, definition.exec_system_input_dir), INPUT, read_only=True),
        _mount(join(root, definition.exec_system_output_dir), OUTPUT),
        _mount(join(root, definition.exec_system_exec_dir), EXEC),
        *(_input_mount(root, item) for item in definition.file_inputs if _is_mounted(item)),
    ]


def _is_mounted(item: FileInput) -> bool:
    return item.auto_mount_local and item.source_url.startswith(_LOCAL)


def _input_mount(root: str, item: FileInput) -> str:
    """A local input is seen at its target below the container's root (Tapis Jobs, "autoMountLocal")."""
    path = urllib.parse.unquote(item.source_url.removeprefix(_LOCAL).partition("/")[2])
    return _mount(join(root, path), f"/{item.target_path.strip('/')}", read_only=True)


def _mount(source: str, target: str, *, read_only: bool = False) -> str:
    """Return one ``--mount``; its value is a line of CSV (RFC 4180)."""
    fields = ["type=bind", f"source={source}", f"target={target}", *(["readonly"] if read_only else [])]
    return f"--mount {shlex.quote(','.join(map(_csv, fields)))}"


def _csv(field: str) -> str:
    return '"' + field.replace('"', '""') + '"' if re.search(r'[",\r\n]', field) else field


def _last_said(text: str) -> str:
    """Return the last line of docker's or podman's own complaint."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _ADVICE.match(line.strip())]
    return lines[-1] if lines else ""


_ADVICE = re.compile(r"(Run|See) '\w+ run --help'|exit status \d+$|Error: exit status")
_IS_TOOLS = re.compile(r"^(docker: |Error|tapisjobs: |[Pp]ermission denied|Cannot connect)", re.MULTILINE)
#: What is in the tool's line -> what it means and what to do; the first that fits counts.
_TROUBLE = (
    (
        r"tapisjobs: |permission denied while trying|Cannot connect to the Docker daemon",
        "docker or podman cannot be used there: {line} Ask the site for one of them, name podman in the "
        "app's runtimeVersion, or use an image of Apptainer (runtime SINGULARITY)",
    ),
    (
        r"bind source path does not exist|statfs |mount",
        "a directory to be mounted is not there: {line} Correct the mount in containerArgs or the input's "
        "URL",
    ),
    (
        r"manifest|not known|pull access|pinging|registry|initializing source|no such host|lookup|denied|"
        r"invalid reference|repository|timeout|connection refused|short-name|unauthorized|not found: ",
        "the image {image} cannot be had: {line} Check containerImage, or bring the image to the host by "
        "hand (docker pull, docker load)",
    ),
    (
        r"exec|executable file|no such file",
        "the image {image} cannot start its program: {line} Check the image's entry point, appArgs, and "
        "--entrypoint in containerArgs",
    ),
    (r"", "the container could not be started: {line} Check containerArgs and the image {image}"),
)
