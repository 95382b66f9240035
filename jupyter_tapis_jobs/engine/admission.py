"""What a request may use: apps, systems and paths, by the rights of who asks, or of who shared the app.

Source: Tapis Jobs, "Shared Application Contexts": what comes unchanged from an app that is shared with
the caller is checked against the rights of the app's owner, too. Rights on the host never change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from urllib.parse import unquote

from ..model.app import App
from ..model.errors import InvalidInputError, NotAllowedError, NotFoundError
from ..model.job import ARCHIVE, JobDefinition
from ..model.request import SubmitRequest
from ..model.system import System
from ..model.texts import shown
from ..model.urls import TAPIS, system_and_path
from ..model.user import User
from .access import refuse_no_host
from .rights import LOCAL, Right, refuse_borrowed
from .systems import SystemCatalog


class Admission:
    """Answers for one user; *server_user* is whose credentials nobody borrows (None: there is none)."""

    def __init__(self, systems: SystemCatalog, user: User, server_user: str | None) -> None:
        self._systems = systems
        self._user = user
        self._server_user = server_user
        #: Asked once for all requests of a call.
        self._paths = lru_cache(maxsize=None)(partial(systems.for_files, in_job=True))

    def _person(self, name: str) -> User:
        return User(name, self._user.tenant, name == self._server_user)

    def exec_system(self, name: str, sharer: str | None) -> System:
        """Return the system *name* where jobs are to run; *sharer* is set where it comes from a shared app.

        Raises ``NotFoundError`` or ``NotAllowedError``; ``InvalidInputError`` for what is no host.
        """
        try:
            system = self._systems.get(self._user, name, right=Right.EXECUTE)
        except (NotFoundError, NotAllowedError):
            if sharer is None:
                raise
            system = self._systems.get(self._person(sharer), name, right=Right.EXECUTE)
        refuse_no_host(system)
        refuse_borrowed(system, self._user, self._server_user)
        return system

    def may_run(self, name: str) -> bool:
        """Tell whether the user's jobs may run on a system."""
        try:
            self.exec_system(name, None)
        except (NotFoundError, NotAllowedError, InvalidInputError):
            return False
        return True

    def other_system(self, name: str, sharer: str | None) -> System:
        """Return a system that inputs come from or outputs go to; which of its paths, is asked later."""
        system, rights = self._paths(self._user, name)
        if not rights.is_any and sharer is None:
            raise self._systems.missing(name)
        return system

    def admitted(
        self, definition: JobDefinition, request: SubmitRequest, app: App, *, is_builtin: bool
    ) -> JobDefinition:
        """Return a definition that says in whose context its paths are used, once all of them may be.

        What lies on the execution system needs no more rights than to run jobs there: a job can read and
        write what its host user can.
        """
        contexts: dict[str, str] = {}
        here = f"{TAPIS}{definition.exec_system_id}/"
        for key, url, right, from_app in _paths(definition, request, app):
            if not url.startswith(TAPIS) or url.startswith(here):
                continue
            owner = app.owner if is_builtin else app.shared_app_ctx
            if from_app and owner:
                contexts[key] = owner
            self._refuse_path(url, right, self._person(owner) if from_app and owner else None)
        return replace(definition, contexts=contexts) if contexts else definition

    def _refuse_path(self, url: str, right: Right, sharer: User | None) -> None:
        """Raise unless the user, or else *sharer*, may use the path that a URL names."""
        name, tail = system_and_path(url)
        path = unquote(tail, errors="surrogateescape")
        system, rights = self._paths(self._user, name)
        try:
            rights.ground(path, right)
        except (NotFoundError, NotAllowedError) as refusal:
            if sharer is None:
                raise self._refused(url, name, refusal) from None
            self._paths(sharer, name)[1].ground(path, right)
        refuse_no_host(system)

    def _refused(
        self, url: str, name: str, refusal: NotFoundError | NotAllowedError
    ) -> NotFoundError | NotAllowedError:
        if name != LOCAL:
            return refusal
        return NotAllowedError(
            f"{shown(url)} lies on the server's own machine; only its user may read and write there, "
            "and whom they grant it."
        )


def _paths(
    definition: JobDefinition, request: SubmitRequest, app: App
) -> Iterator[tuple[str, str, Right, bool]]:
    """Yield of what a job uses: key in ``contexts``, URL, what for, and whether it comes from the app."""
    attributes = app.job_attributes
    of_app = {item.source_url for item in attributes.file_inputs or ()}
    for array in attributes.file_input_arrays or ():
        of_app.update(array.source_urls or ())
    for item in definition.file_inputs:
        yield item.source_url, item.source_url, Right.READ, item.source_url in of_app
    yield definition.container_image, definition.container_image, Right.READ, True
    for field in ("dtn_system_input_dir", "dtn_system_output_dir"):
        if definition.dtn_system_id and (directory := getattr(definition, field)):
            from_app = request.given.get(field) in (None, getattr(attributes, field))
            place = f"{TAPIS}{definition.dtn_system_id}/{directory.lstrip('/')}"
            yield place, place, Right.MODIFY, from_app
    if definition.archive_system_id != definition.exec_system_id:
        unasked = request.given.get("archive_system_id") in (None, attributes.archive_system_id)
        unasked = unasked and request.given.get("archive_system_dir") in (None, attributes.archive_system_dir)
        from_app = unasked and bool(attributes.archive_system_id and attributes.archive_system_dir)
        place = f"{TAPIS}{definition.archive_system_id}/{definition.archive_system_dir.lstrip('/')}"
        yield ARCHIVE, place, Right.MODIFY, from_app
