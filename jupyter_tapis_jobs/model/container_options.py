"""What may be said to a container engine in containerArgs, option by option, and how it is put to a shell.

Sources: Tapis Jobs, "containerArgs" (DOCKER); ``singularity run --help`` of Apptainer 1.4 and the names that
older Singularity has for the same (SINGULARITY); both without what Tapis says itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from .arguments import option_parts, refuse_bad_option, shell_words, split
from .errors import InvalidInputError, did_you_mean
from .fields import RuntimeType
from .texts import is_blank, shown

FIELD = "parameterSet.containerArgs"
#: The only containerArg of a ZIP app: keep the archive after it is unpacked.
KEEP_ZIP = "--tapis-zip-save"


@dataclass(frozen=True, slots=True)
class ContainerOption:
    """One option of a container engine; it has a value or is a switch."""

    name: str
    has_value: bool


#: ``--name`` or ``--name/-letter``, ``=`` where a value follows.
_DOCKER = """
    --add-host= --cpus= --cpuset-cpus= --cpuset-mems= --entrypoint= --gpus= --group-add= --hostname/-h= --ip=
    --ip6= --label/-l= --log-driver= --log-opt= --memory/-m= --mount= --network= --net= --network-alias=
    --net-alias= --publish/-p= --rm --tmpfs= --volume/-v= --workdir/-w=
"""
_SINGULARITY = """
    --add-caps= --allow-setuid --app= --apply-cgroups= --authfile= --bind/-B= --blkio-weight=
    --blkio-weight-device= --cleanenv/-e --compat --contain/-c --containall/-C --cpu-shares= --cpus=
    --cpuset-cpus= --cpuset-mems= --cwd= --disable-cache --dns= --drop-caps= --fakeroot/-f --fusemount=
    --home/-H= --hostname= --ipc/-i --keep-privs --memory= --memory-reservation= --memory-swap= --mount=
    --net/-n --network= --network-args= --no-eval --no-home --no-https --nohttps --no-init --no-mount=
    --no-nv --no-pid --no-privs --no-rocm --no-umask --nv --nvccli --oom-kill-disable --overlay/-o=
    --pem-path= --pid/-p --pids-limit= --pwd= --rocm --runscript-timeout= --scratch/-S= --security= --unsquash
    --userns/-u --uts --workdir/-W= --writable/-w --writable-tmpfs
"""
_VARIABLES = "sets what the job says itself. Use envVariables instead."
_OWN = "is what Tapis says itself, so that it finds the container again. Leave it out."
_ASKS = "would ask for a secret, and nobody is there to answer. Leave it out."
#: What cannot be had -> why, and the way out.
_REFUSED: Mapping[RuntimeType, Mapping[str, str]] = {
    RuntimeType.DOCKER: {
        **dict.fromkeys(("--env", "-e", "--env-file"), _VARIABLES),
        **dict.fromkeys(("--name", "--cidfile"), _OWN),
        **dict.fromkeys(("--user", "-u"), "is the job's own user, so that its outputs are. Leave it out."),
        **dict.fromkeys(
            ("--detach", "-d", "--interactive", "-i", "--tty", "-t"),
            "has no meaning: the container is waited for, and nobody sits before it. Leave it out.",
        ),
        "--privileged": "gives the container the whole host. Tapis does not take it; leave it out.",
    },
    RuntimeType.SINGULARITY: {
        **dict.fromkeys(("--env", "--env-file"), _VARIABLES),
        **dict.fromkeys(("--docker-login", "--passphrase"), _ASKS),
    },
}
#: Always there, or always as if it were: said again it changes nothing.
_OURS = {RuntimeType.DOCKER: frozenset({"--rm"}), RuntimeType.SINGULARITY: frozenset({"--no-eval"})}


def _read_table(text: str) -> Iterator[tuple[str, ContainerOption]]:
    for word in text.split():
        name, _, letter = word.rstrip("=").partition("/")
        option = ContainerOption(name, word.endswith("="))
        yield name, option
        if letter:
            yield letter, option


_WORDS: Mapping[RuntimeType, Mapping[str, ContainerOption]] = {
    RuntimeType.DOCKER: dict(_read_table(_DOCKER)),
    RuntimeType.SINGULARITY: dict(_read_table(_SINGULARITY)),
    RuntimeType.ZIP: {KEEP_ZIP: ContainerOption(KEEP_ZIP, has_value=False)},
}


@lru_cache(maxsize=4096)
def container_option(arg: str, runtime: RuntimeType) -> str:
    """Return one entry of containerArgs for a POSIX shell; '' for what is said anyway.

    Host variables (``$HOME``, ``${STOCKYARD}``) stay expandable, everything else is quoted. Raises
    ``InvalidInputError`` unless it is one option that *runtime* takes.
    """
    refuse_bad_option(arg, FIELD)
    name, value = option_parts(arg)
    option = _WORDS[runtime].get(name)
    if option is None:
        raise _unknown(arg, name, runtime)
    if option.name in _OURS.get(runtime, ()):
        return ""
    if not option.has_value:
        if not is_blank(value):
            raise _wrong(arg, "takes no value. Write one option an entry.")
        return option.name
    if is_blank(value):
        raise _wrong(arg, f"needs a value. Write it as {option.name}=VALUE.")
    words = split(value, FIELD)
    if len(words) != 1:
        raise _wrong(
            arg, "holds more than one word. Write one option an entry, and quote a value with blanks."
        )
    return f"{option.name} {shell_words(value, FIELD)}"


def _unknown(arg: str, name: str, runtime: RuntimeType) -> InvalidInputError:
    if why := _REFUSED.get(runtime, {}).get(name):
        return _wrong(arg, why)
    if name == KEEP_ZIP:
        return _wrong(arg, f"is for ZIP apps only, and this one is {runtime}. Leave it out.")
    if runtime is RuntimeType.ZIP:
        return _wrong(arg, f"has no meaning for a ZIP app, which knows only {KEEP_ZIP}. Leave it out.")
    hint = did_you_mean(name, _WORDS[runtime])
    return _wrong(arg, f"is no option that a {runtime} app may have.{hint or ' Leave it out.'}")


def _wrong(arg: str, why: str) -> InvalidInputError:
    return InvalidInputError(f"{FIELD} {shown(arg)} {why}", field=FIELD, value=arg)
