"""An app: what can be run, and what a job of it has unless the request says otherwise (Tapis Apps)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from .errors import InvalidInputError
from .fields import (
    NOT_SET,
    ArchiveMode,
    DeliveryTarget,
    EventCategory,
    FileInputMode,
    Flag,
    InputMode,
    JobType,
    Notes,
    RuntimeType,
    StoredModel,
    Whole,
    default_for_null,
)
from .legacy import translated_app
from .names import wire_name
from .patterns import compiled
from .slow_patterns import why_slow
from .stored import parse_stored, to_wire
from .texts import VARIABLE_NAME, is_blank, shown


class AppArgument(StoredModel):
    """An argument that the app names; a request may fill, replace or leave it out as inputMode allows."""

    name: str | None = Field(None, max_length=80)
    description: str | None = Field(None, max_length=8096)
    input_mode: InputMode | None = Field(None, description="Default INCLUDE_ON_DEMAND.")
    arg: str | None = None
    notes: Notes | None = None


class EnvVariable(StoredModel):
    """An environment variable that an app or a system names."""

    key: str = Field(max_length=1024)
    value: str | None = Field(None, description="'!tapis_not_set' or nothing: the request says it.")
    description: str | None = Field(None, max_length=8096)
    input_mode: InputMode | None = Field(None, description="Default INCLUDE_BY_DEFAULT.")
    notes: Notes | None = None


class AppFileInput(StoredModel):
    """An input that the app names."""

    name: str | None = Field(None, max_length=80)
    description: str | None = Field(None, max_length=8096)
    input_mode: FileInputMode | None = Field(None, description="Default OPTIONAL.")
    env_key: str | None = None
    auto_mount_local: Flag | None = Field(None, description="Default true.")
    source_url: str | None = None
    target_path: str | None = Field(None, max_length=4096)
    notes: Notes | None = None


class AppFileInputArray(StoredModel):
    """Several inputs that the app names together; they go to one directory."""

    name: str | None = Field(None, max_length=80)
    description: str | None = Field(None, max_length=8096)
    input_mode: FileInputMode | None = Field(None, description="Default OPTIONAL.")
    env_key: str | None = None
    source_urls: list[str] | None = None
    target_dir: str | None = Field(None, max_length=4096)
    notes: Notes | None = None


class AppArchiveFilter(StoredModel):
    """Which outputs are archived: excludes first, then includes; no includes means all."""

    includes: list[str] | None = None
    excludes: list[str] | None = None
    include_launch_files: Flag | None = Field(None, description="Default true.")


class AppLogConfig(StoredModel):
    """Where the application's output goes, relative to the output directory; both names or none."""

    stdout_filename: str | None = Field(None, max_length=4096)
    stderr_filename: str | None = Field(None, max_length=4096)


class AppParameterSet(StoredModel):
    """Arguments, environment and filters."""

    app_args: list[AppArgument] | None = None
    container_args: list[AppArgument] | None = None
    scheduler_options: list[AppArgument] | None = None
    env_variables: list[EnvVariable] | None = None
    archive_filter: AppArchiveFilter | None = None
    log_config: AppLogConfig | None = None


class AppSubscription(StoredModel):
    """Who is told of the events of every job of the app."""

    description: str | None = Field(None, max_length=2048)
    enabled: Flag | None = None
    job_event_category_filter: EventCategory
    event_detail_filter: list[str] | None = Field(
        None, description="Ours: only events with one of these details, as FINISHED."
    )
    delivery_targets: list[DeliveryTarget] = Field(min_length=1)
    ttl_minutes: Whole | None = None


class JobAttributes(StoredModel):
    """What a job of the app has unless its request says otherwise."""

    description: str | None = Field(None, max_length=2048)
    dynamic_exec_system: Flag | None = None
    exec_system_constraints: list[str] | None = None
    exec_system_id: str | None = Field(None, max_length=80)
    exec_system_exec_dir: str | None = Field(None, max_length=4096)
    exec_system_input_dir: str | None = Field(None, max_length=4096)
    exec_system_output_dir: str | None = Field(None, max_length=4096)
    exec_system_logical_queue: str | None = Field(None, max_length=80)
    archive_system_id: str | None = Field(None, max_length=80)
    archive_system_dir: str | None = Field(None, max_length=4096)
    archive_on_app_error: Flag | None = None
    archive_mode: ArchiveMode | None = None
    dtn_system_input_dir: str | None = Field(None, max_length=4096)
    dtn_system_output_dir: str | None = Field(None, max_length=4096)
    is_mpi: Flag | None = None
    mpi_cmd: str | None = Field(None, max_length=126)
    cmd_prefix: str | None = Field(None, max_length=1024)
    parameter_set: AppParameterSet | None = None
    file_inputs: list[AppFileInput] | None = None
    file_input_arrays: list[AppFileInputArray] | None = None
    node_count: Whole | None = None
    cores_per_node: Whole | None = None
    memory_mb: Whole | None = None
    max_minutes: Whole | None = None
    subscriptions: list[AppSubscription] | None = None
    tags: list[str] | None = None


def _no_attributes() -> JobAttributes:
    return JobAttributes.model_validate({})


class App(StoredModel):
    """One version of an app."""

    id: str = Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9\-._~]*$")
    version: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9\-._~]*$")
    tenant: str | None = None
    description: str | None = Field(None, max_length=2048)
    owner: str | None = Field(None, max_length=64, description="Default: the caller.")
    enabled: Flag = True
    version_enabled: Flag = True
    locked: Flag = False
    is_public: Flag | None = None
    shared_with_users: list[str] | None = None
    runtime: RuntimeType = Field(RuntimeType.DOCKER, description="What the image is.")
    runtime_version: str | None = None
    runtime_options: list[str] | None = None
    container_image: str | None = Field(
        None, max_length=4096, description="The image: its name, path or URL."
    )
    job_type: JobType | None = Field(
        JobType.FORK, description="Null leaves it to the system: BATCH where it can, else FORK."
    )
    max_jobs: Whole | None = Field(-1, description="-1 is without limit.")
    max_jobs_per_user: Whole | None = Field(-1, description="-1 is without limit.")
    strict_file_inputs: Flag = Field(
        False, description="True: a request may only give inputs that the app names."
    )
    job_attributes: JobAttributes = Field(default_factory=_no_attributes)
    tags: list[str] | None = None
    notes: Notes | None = None
    shared_app_ctx: str | None = None
    uuid: str | None = None
    deleted: Flag | None = None
    created: str | None = None
    updated: str | None = None

    @field_validator("job_attributes", mode="before")
    @classmethod
    def _no_attributes(cls, value: Any) -> Any:
        return {} if value is None else value

    @field_validator(
        *("enabled", "version_enabled", "locked", "strict_file_inputs"),
        *("runtime", "max_jobs", "max_jobs_per_user"),
        mode="before",
    )
    @classmethod
    def _default_for_null(cls, value: Any, info: ValidationInfo) -> Any:
        return default_for_null(cls, value, info)

    def to_wire(self) -> dict[str, Any]:
        """Return every Tapis attribute, null when unset, in Tapis's words."""
        return to_wire(self)


def parse_app(raw: Mapping[str, Any]) -> tuple[App, list[str]]:
    """Read an app definition; returns it and what to tell its owner, one sentence each."""
    plain, translated = translated_app(raw) if isinstance(raw, Mapping) else (raw, [])
    app, unknown = parse_stored(App, plain, "app")
    _refuse_slow_validators(app.job_attributes)
    return app, [*translated, *unknown, *_oddities(app)]


def _refuse_slow_validators(attributes: JobAttributes) -> None:
    """Refuse what would keep the page of everyone busy who fills in the form of the app."""
    parameters = attributes.parameter_set or AppParameterSet()
    lists: dict[str, Iterable[AppArgument | EnvVariable | AppFileInput]] = {
        "fileInputs": attributes.file_inputs or [],
        "parameterSet.appArgs": parameters.app_args or [],
        "parameterSet.containerArgs": parameters.container_args or [],
        "parameterSet.schedulerOptions": parameters.scheduler_options or [],
        "parameterSet.envVariables": parameters.env_variables or [],
    }
    for place, items in lists.items():
        for number, item in enumerate(items):
            validator = item.notes.get("validator") if isinstance(item.notes, Mapping) else None
            regex = validator.get("regex") if isinstance(validator, Mapping) else None
            if isinstance(regex, str) and (why := why_slow(regex)):
                field = f"jobAttributes.{place}[{number}].notes.validator.regex"
                raise InvalidInputError(
                    f"{field} {shown(regex)} could take for ever on some texts: {why}. Write it simpler, "
                    "as [a-z]+ in place of ([a-z]+)+.",
                    field=field,
                    value=regex,
                )


def _oddities(app: App) -> Iterator[str]:
    """What is kept as it is, but makes a job fail unless its request mends it."""
    if is_blank(app.container_image):
        yield f"app {app.id} has no containerImage; its jobs are refused until it has one."
    attributes = app.job_attributes
    if not is_blank(attributes.archive_system_id) and is_blank(attributes.archive_system_dir):
        yield (
            "jobAttributes names archiveSystemId and no archiveSystemDir, which Tapis wants beside it; here "
            "outputs go to the default directory of a job."
        )
    parameters = attributes.parameter_set or AppParameterSet()
    for field in ("app_args", "container_args", "scheduler_options"):
        place = f"jobAttributes.parameterSet.{wire_name(field)}"
        yield from _odd_arguments(getattr(parameters, field) or [], place)
    variables = parameters.env_variables or []
    yield from odd_variables(variables, "jobAttributes.parameterSet.envVariables", "the app")
    for number, item in enumerate(attributes.file_inputs or []):
        place = f"jobAttributes.fileInputs[{number}]"
        if is_blank(item.name):
            yield f"{place} has no name; a request can fill it by its targetPath only, on this server."
        if item.input_mode is FileInputMode.FIXED and is_blank(item.source_url):
            yield f"{place} is FIXED but has no sourceUrl; jobs of the app are refused until it has one."
    for field in ("file_inputs", "file_input_arrays"):
        named = [item.name for item in getattr(attributes, field) or []]
        yield from _repeated(named, f"jobAttributes.{wire_name(field)}")
    yield from _odd_outputs(parameters)


def _odd_outputs(parameters: AppParameterSet) -> Iterator[str]:
    """What is wrong about archive patterns and log names."""
    place = "jobAttributes.parameterSet"
    chosen, logs = parameters.archive_filter, parameters.log_config
    patterns = [*(chosen.includes or ()), *(chosen.excludes or ())] if chosen else []
    for pattern in patterns:
        try:
            compiled(pattern)
        except InvalidInputError as fault:
            yield f"{place}.archiveFilter: {fault.message} Jobs of the app are refused until it can."
    if logs and is_blank(logs.stdout_filename) != is_blank(logs.stderr_filename):
        yield f"{place}.logConfig names one file of two; jobs of the app are refused until it names both."


def _repeated(names: Iterable[str | None], place: str) -> Iterator[str]:
    for name, times in Counter(name for name in names if name).items():
        if times > 1:
            yield f"{place} names '{name}' {times} times; jobs of the app are refused until names differ."


def _odd_arguments(items: list[AppArgument], place: str) -> Iterator[str]:
    for number, item in enumerate(items):
        if is_blank(item.name):
            yield f"{place}[{number}] has no name; a request cannot refer to it."
        if is_blank(item.arg) and item.input_mode is InputMode.FIXED:
            yield f"{place}[{number}] is FIXED but empty; jobs of the app are refused until it has a value."
    yield from _repeated([item.name for item in items], place)


def odd_variables(items: list[EnvVariable], place: str, whose: str) -> Iterator[str]:
    """Yield what makes the jobs of *whose* variables be refused until it is mended, one sentence each."""
    for number, item in enumerate(items):
        if not VARIABLE_NAME.fullmatch(item.key) or item.key.startswith("_tapis"):
            yield f"{place}[{number}].key '{item.key}' cannot be a variable; jobs of {whose} are refused."
        if item.input_mode is InputMode.FIXED and item.value in (None, NOT_SET):
            yield (
                f"{place}[{number}] is FIXED but has no value; jobs of {whose} are refused until it has one."
            )
    for key, times in Counter(item.key for item in items).items():
        if times > 1:
            yield f"{place} names '{key}' {times} times; jobs of {whose} are refused until keys differ."
