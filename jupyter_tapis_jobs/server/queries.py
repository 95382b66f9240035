"""The query parameters of the routes, as tapipy and others send them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from ..model.names import wire_name

_TRUTH = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


def _truth(value: Any) -> Any:
    """tapipy writes Python's ``True`` and ``False``."""
    return _TRUTH.get(value.lower(), value) if isinstance(value, str) else value


Truth = Annotated[bool, BeforeValidator(_truth)]
#: More than any store holds, and still a whole number for SQLite.
Count = Annotated[int, Field(ge=-(2**31), le=2**31)]
#: What somebody looks for; a longer text would be a name of nothing.
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Names = Annotated[str, StringConstraints(strip_whitespace=True)]


class Query(BaseModel):
    """Base of all; names on the wire are Tapis's."""

    model_config = ConfigDict(extra="ignore", alias_generator=wire_name, populate_by_name=True)

    def as_given(self) -> dict[str, str]:
        """Return what was given, as text."""
        given = self.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
        return {name: str(value) for name, value in given.items()}


class JobListType(StrEnum):
    """Whose jobs are listed."""

    MY_JOBS = "MY_JOBS"
    SHARED_JOBS = "SHARED_JOBS"
    ALL_JOBS = "ALL_JOBS"


class Paged(Query):
    """Which part of a list."""

    limit: Count | None = Field(None, description="At most so many; 0 or less means all.")
    skip: Count = Field(0, description="Leave out so many first.")


class Listed(Paged):
    """Which part of a list, in which order."""

    start_after: str | None = Field(
        None, description="Begin after this value of the first orderBy attribute."
    )
    order_by: str | None = Field(None, description="attribute(asc|desc),…")
    compute_total: Truth = Field(False, description="Count all that match; else totalCount is -1.")


class JobList(Listed):
    """``GET /v3/jobs/list``."""

    list_type: JobListType = JobListType.MY_JOBS
    format: Literal["rows", "columns"] = Field(
        "rows", description="columns: {column: [values]}, for data frames."
    )
    text: Words | None = Field(
        None,
        description="Ours: words that are all found in name, uuid, app, system or id at the scheduler.",
    )
    include_hidden: Truth = Field(False, description="Ours: hidden jobs, too; see visible.")
    group: Words | None = Field(None, description="Ours: only jobs of the users of a group of one's own.")


class JobSearch(JobList):
    """``GET|POST /v3/jobs/search``; further parameters are conditions ``attribute.operator=value``."""

    select: Names | None = Field(
        None, description="Attributes, summaryAttributes (default) or allAttributes."
    )


class JobCounts(Query):
    """``GET /v3/tapisjobs/jobs/counts``; further parameters are conditions ``attribute.operator=value``."""

    list_type: JobListType = JobListType.MY_JOBS
    text: Words | None = Field(None, description="As in /v3/jobs/search.")
    group: Words | None = Field(None, description="As in /v3/jobs/search.")
    include_hidden: Truth = Field(False, description="Hidden jobs, too; see visible.")


class JobValues(Query):
    """``GET /v3/tapisjobs/jobs/values``."""

    attribute: Literal["status", "appId", "execSystemId", "execSystemLogicalQueue", "owner"] = Field(
        description="The attribute whose values are asked for."
    )
    list_type: JobListType = JobListType.MY_JOBS
    include_hidden: Truth = Field(False, description="Hidden jobs, too; see visible.")


class Form(Query):
    """``GET /v3/tapisjobs/apps/{appId}/{appVersion}/form``."""

    exec_system_id: str | None = Field(None, description="The system whose queues and limits hold.")


class Bulk(Query):
    """``POST /v3/jobs/submit/bulk``."""

    atomic: Truth = Field(False, description="Accept all requests or none.")
    launch_mode: Literal["single", "array", "pack", "auto"] = Field(
        "single",
        description="How like BATCH jobs are handed to their scheduler: one by one, as arrays, packed into "
        "one allocation, or as fits best. Each job's launchMode and launchReason tell what was done.",
    )


class OutputList(Paged):
    """``GET /v3/jobs/{jobUuid}/output/list``."""

    # No default: a limit or a skip that is given turns the listing of all levels off.
    skip: Count | None = None  # type: ignore[assignment]
    allow_if_running: Truth = False


class OutputDownload(Query):
    """``GET /v3/jobs/{jobUuid}/output/download``."""

    compress: Truth = Field(False, description="Send a zip file, also for a single file.")
    format: Literal["zip"] | None = None
    only: str | None = Field(
        None, description="Pack only these of a directory's own entries: names divided by slashes."
    )
    allow_if_running: Truth = False


class OutputFollow(Query):
    """``GET /v3/jobs/{jobUuid}/output/follow``."""

    offset: Annotated[int, Field(ge=0, le=2**62)] = Field(0, description="Begin at this byte.")


class After(Query):
    """``GET /v3/jobs/events``."""

    after: Annotated[int, Field(ge=0, le=2**62)] | None = Field(
        None, description="Begin with the events after this one; the header Last-Event-ID does the same."
    )


class CatalogListType(StrEnum):
    """Whose apps or systems are listed."""

    OWNED = "OWNED"
    MINE = "MINE"
    SHARED_PUBLIC = "SHARED_PUBLIC"
    SHARED_DIRECT = "SHARED_DIRECT"
    READ_PERM = "READ_PERM"
    ALL = "ALL"


class CatalogList(Listed):
    """``GET`` on the lists of apps and systems."""

    search: str | None = Field(None, description="(attribute.operator.value)~(…)")
    list_type: CatalogListType = CatalogListType.OWNED
    select: Names | None = Field(None, description="Attributes, summaryAttributes or allAttributes.")
    show_deleted: Truth = False


class SystemMatch(CatalogList):
    """``POST /v3/systems/match/constraints``."""

    list_type: CatalogListType = CatalogListType.ALL
    select: Names | None = Field(
        "allAttributes", description="Attributes, summaryAttributes or allAttributes."
    )


class CatalogItem(Query):
    """``GET`` of one app or system."""

    select: Names | None = Field(None, description="Attributes; all when left out.")
    require_exec_perm: Truth = False


class CredentialGiven(Query):
    """``POST /v3/systems/credential/{systemId}/user/{userName}``."""

    skip_credential_check: Truth = Field(False, description="Store it untried.")
    create_tms_keys: Truth = Field(False, description="Tapis's trust manager; there is none here.")
    trust: str | None = Field(None, description="Ours: the fingerprint of the host's key, SHA256:…")


class CredentialAsked(Query):
    """``GET`` and ``POST …/check`` of a credential."""

    authn_method: str | None = Field(None, description="There is one credential for each user and system.")
    trust: str | None = Field(None, description="Ours: the fingerprint of the host's key, SHA256:…")


class Unlinked(Query):
    """``POST /v3/systems/{parentSystemId}/unlinkChildren``."""

    all: Truth = Field(False, description="All children; then childSystemIds is not needed.")


class NewSystem(Query):
    """``POST /v3/systems``."""

    skip_credential_check: Truth = Field(False, description="Store authnCredential untried.")


class FileList(Query):
    """``GET /v3/files/ops``."""

    limit: Annotated[int, Field(ge=0, le=1_000_000)] = Field(1000, description="At most so many.")
    offset: Annotated[int, Field(ge=0, le=2**31)] = Field(0, description="Leave out so many first.")
    recurse: Truth = Field(False, description="All levels below, 20 at most.")
    pattern: str | None = Field(None, description="Only names that match this wildcard pattern.")


class FileContent(Query):
    """``GET /v3/files/content``."""

    zip: Truth = Field(False, description="Send a zip file; needed for a directory.")


class FileStat(Query):
    """``GET /v3/files/utils/linux``."""

    follow_links: Truth = Field(False, description="Of a link: tell of what it leads to.")


class FileChange(Query):
    """``POST /v3/files/utils/linux``."""

    recursive: Truth = Field(False, description="Also all that is in the directory.")


class PostItList(Listed):
    """``GET /v3/files/postits``."""

    list_type: Literal["OWNED", "ALL"] = Field("OWNED", description="Both are one's own here.")
    select: Names | None = Field(None, description="Attributes, summaryAttributes or allAttributes.")


class Redeemed(Query):
    """``GET /v3/files/postits/redeem``."""

    zip: Truth | None = Field(None, description="Send a zip file; the default for a directory.")
    download: Truth = Field(False, description="Have browsers save the file, and not show it.")


class TransferList(Query):
    """``GET /v3/files/transfers``."""

    limit: Annotated[int, Field(ge=1, le=10_000)] = Field(1000, description="At most so many.")
    offset: Annotated[int, Field(ge=0, le=2**31)] = Field(0, description="Leave out so many first.")


class TransferItem(Query):
    """``GET /v3/files/transfers/{transferTaskId}``."""

    include_summary: Truth = Field(False, description="Numbers and bytes are told in any case.")


class StudyList(Query):
    """``GET /v3/tapisjobs/studies``."""

    archived: Truth | None = Field(None, description="Only those that are archived, or are not.")


class StudyCases(Paged):
    """``GET /v3/tapisjobs/studies/{name}/cases``."""


class StudyFrame(Query):
    """``GET /v3/tapisjobs/studies/{name}/frame``."""

    attempts: Literal["last", "all"] = Field("last", description="all: a row for each attempt.")
    format: Literal["columns"] = Field("columns", description="{column: [values]}, for data frames.")
