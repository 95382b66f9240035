"""What our server does beyond Tapis's published specification; of any other Tapis nothing of it is asked."""

from __future__ import annotations

from enum import StrEnum


class Extension(StrEnum):
    """One ability; a server lists those it has as ``extensions`` of its tenant (``GET /v3/tenants``)."""

    #: Tells of its engine (``/v3/tapisjobs/server``), and takes hosts and tokens for others.
    SERVER = "server"
    #: A request is checked and shown without being submitted.
    VALIDATE = "validate"
    #: Running applications tell how far they are: in files, or by calling back.
    PROGRESS = "progress"
    #: Many jobs are submitted, cancelled and collected in one call.
    BULK = "bulk"
    #: Jobs that have not begun are held back and let go (PAUSED).
    HOLD = "hold"
    #: A job is submitted again with changes.
    CHANGES = "changes"
    #: Lists have no limit, and come by columns.
    COLUMNS = "columns"
    #: News of all jobs comes as one stream of events.
    EVENTS = "events"
    #: An output is streamed while it grows.
    FOLLOW = "follow"
    #: Small inputs travel inside the request (``data:``).
    INLINE = "inline"
    #: The Jobs service sends every output file as it is, whatever its size.
    OUTPUTS = "outputs"
    #: Hosts are added and looked at.
    HOSTS = "hosts"
    #: Parameter studies are kept: cases, attempts, and their table.
    STUDIES = "studies"
    #: Workflows are kept: jobs that wait for one another, and what has become of each.
    WORKFLOWS = "workflows"
    #: After a job's end a function looks at its outputs, and what it returns is kept with the job.
    PROCESSING = "processing"
    #: Named templates of jobs are kept.
    TEMPLATES = "templates"
    #: What views in a browser ask for: counts, words to look for, hidden jobs, forms, code, previews.
    VIEWS = "views"


ALL = tuple(Extension)
