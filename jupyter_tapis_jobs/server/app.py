"""The Jupyter server extension: its settings, and the start and end of what belongs to it."""

from __future__ import annotations

import asyncio
import gc
import getpass
import os
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import jupyter_data_dir
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Dict, Enum, Float, Int, List, TraitError, Unicode, default, validate

from ..model.errors import TapisJobsError
from ..model.extensions import ALL, Extension
from .body import MEGABYTE
from .door import Door
from .feed import Feed
from .groups import Groups
from .handler import TapisHandler
from .live import PATH as LIVE
from .live import LiveSocket
from .panel_files import FOLDER as PANEL_FOLDER
from .panel_files import PATH as PANEL
from .panel_files import PanelFile
from .service import MOUNT, Service

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

    from ..engine.functions import Functions
    from ..engine.senders import Sender
    from ..engine.thread import EngineThread
    from ..model.fields import DeliveryMethod

#: Read by kernels of this server (``client.endpoint``).
KERNEL_URL, KERNEL_TOKEN = "JUPYTER_TAPIS_JOBS_URL", "JUPYTER_TAPIS_JOBS_TOKEN"
#: Seconds between two threads' turns; Python's default is 0.005.
SWITCH_INTERVAL = 0.0005
_DAY = 24 * 3600
_ADDRESS = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")


class TapisJobsApp(ExtensionApp):
    """Tapis Jobs inside Jupyter: the Tapis v3 API below ``<base URL>tapis``, and the engine behind it."""

    name = "jupyter_tapis_jobs"
    description = __doc__ or ""
    load_other_extensions = True

    data_dir = Unicode(
        help="Folder of the job store, keys, local jobs and uploads. Default: tapisjobs in Jupyter's data.",
    ).tag(config=True)
    server_user = Unicode(
        help="Name of the user this server belongs to. Default: JupyterHub's name, else the system's.",
    ).tag(config=True)
    tenant = Unicode("jupyter", help="Name of the Tapis tenant that this server is.").tag(config=True)
    fork_cores = Int(
        0, min=0, help="Cores that FORK jobs on the local system share. 0: all that the server may use."
    ).tag(config=True)
    allow_private_inputs = Bool(
        False, help="Whether http(s) inputs may come from private and loopback addresses."
    ).tag(config=True)
    smtp_server = Unicode(help="Mail server that notifications are handed to. Empty: no e-mail is sent.").tag(
        config=True
    )
    smtp_port = Int(587, min=1, max=65535, help="Port of the mail server.").tag(config=True)
    smtp_security = Enum(
        ["starttls", "tls", "none"],
        "starttls",
        help="How the connection to the mail server is kept secret: from the greeting on, at all, or not.",
    ).tag(config=True)
    smtp_user = Unicode(help="Name to sign in to the mail server with. Empty: no sign-in.").tag(config=True)
    smtp_password = Unicode(
        help="Password for it; the environment variable TAPIS_JOBS_SMTP_PASSWORD keeps it out of files."
    ).tag(config=True)
    smtp_sender = Unicode(help="Address that mails come from. Default: smtp_user, else this machine.").tag(
        config=True
    )
    webhook_secret = Unicode(
        help="Key that webhooks are signed with (HMAC-SHA256); or TAPIS_JOBS_WEBHOOK_SECRET. Empty: unsigned."
    ).tag(config=True)
    allow_private_webhooks = Bool(
        False, help="Whether webhooks may go to private and loopback addresses."
    ).tag(config=True)
    host_key_policy = Enum(
        ["ask", "accept-new"],
        "ask",
        help="What becomes of the key of an SSH host never seen before: somebody is asked, or it is taken.",
    ).tag(config=True)
    max_body_mb = Int(16, min=1, help="Largest JSON body that is taken, in MB.").tag(config=True)
    max_upload_mb = Int(51_200, min=1, help="Largest file that is taken by the Files API, in MB.").tag(
        config=True
    )
    published_only = Bool(
        False,
        help="Whether only Tapis's published API is answered, as a tenant does: nothing of ours beyond it.",
    ).tag(config=True)
    groups = Dict(
        value_trait=List(Unicode()),
        key_trait=Unicode(),
        help="Groups of users, each with their names; jobs can be listed by the group of their owners. "
        "Groups of the hub are known beside these, of users who were here.",
    ).tag(config=True)
    token_days = Int(
        365, min=1, help="Days for which a token of /v3/oauth2/tokens is good; it can be revoked."
    ).tag(config=True)
    callback_url = Unicode(
        help="Address of this server's API as job hosts reach it (https://…/tapis), for callbacks of "
        "running jobs. Empty: jobs are told no address.",
    ).tag(config=True)
    process_for_others = Bool(
        False,
        help="Whether functions of packages process the jobs of all users; they run as the server's own.",
    ).tag(config=True)
    retention_days = Int(
        0,
        min=0,
        help="Days after which jobs that have ended are removed, with their folders on hosts. 0: never.",
    ).tag(config=True)
    keepalive_seconds = Float(
        15.0, min=0.01, help="Seconds between two comments on an event stream that has no news."
    ).tag(config=True)
    event_buffer = Int(
        1000,
        min=1,
        help="Events kept in memory for one listener; one that is further behind reads the store.",
    ).tag(config=True)

    service: Service

    @default("data_dir")
    def _default_data_dir(self) -> str:
        return str(Path(jupyter_data_dir()) / "tapisjobs")

    @default("server_user")
    def _default_server_user(self) -> str:
        return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()

    @validate("callback_url")
    def _checked_callback_url(self, proposal: dict[str, Any]) -> str:
        url = str(proposal["value"]).strip()
        if url and not _ADDRESS.fullmatch(url):
            raise TraitError(
                f"TapisJobsApp.callback_url {url!r} is no address. "
                "Write it as job hosts reach this server's API: https://hub.example.org/user/ada/tapis"
            )
        return url

    @default("smtp_password")
    def _default_smtp_password(self) -> str:
        return os.environ.get("TAPIS_JOBS_SMTP_PASSWORD", "")

    @default("webhook_secret")
    def _default_webhook_secret(self) -> str:
        return os.environ.get("TAPIS_JOBS_WEBHOOK_SECRET", "")

    def initialize_handlers(self) -> None:
        """Put our handlers before Jupyter's own."""
        self.service = self._make_service()
        shared = {"service": self.service}
        if Extension.EVENTS in self.service.extensions:
            self.handlers.append((rf"{MOUNT}/+{LIVE.lstrip('/')}/*", LiveSocket, shared))
        if Extension.VIEWS in self.service.extensions:
            self.handlers.append((MOUNT + PANEL, PanelFile, {"path": str(PANEL_FOLDER)}))
        self.handlers.append((rf"{MOUNT}(?:/.*)?", TapisHandler, shared))

    def _make_service(self) -> Service:
        door = Door(self.make_engine)
        return Service(
            tenant=self.tenant,
            server_user=self.server_user,
            folder=Path(self.data_dir).expanduser().resolve(),
            url=self._jupyter().connection_url,
            door=door,
            feed=Feed(door, self.event_buffer),
            secrets=self._secrets,
            max_body=self.max_body_mb * MEGABYTE,
            max_upload=self.max_upload_mb * MEGABYTE,
            token_seconds=self.token_days * _DAY,
            keepalive=self.keepalive_seconds,
            groups=Groups(self.groups, door),
            extensions=() if self.published_only else ALL,
        )

    def make_engine(self) -> EngineThread:
        """Return the engine's thread, not yet started. Called beside Jupyter's loop: it imports a lot."""
        from ..engine.real import real_ports
        from ..engine.thread import EngineThread

        service = self.service
        accept_new = self.host_key_policy == "accept-new"
        return EngineThread(
            service.folder,
            user=service.owner,
            url=service.url,
            fork_cores=self.fork_cores or None,
            allow_private_inputs=self.allow_private_inputs,
            retention_days=self.retention_days,
            callback_url=self.callback_url,
            ports=partial(
                real_ports,
                server_user=service.server_user,
                accept_new=accept_new,
                senders=self._senders(),
                functions=None if self.published_only else self._functions(),
            ),
        )

    def _functions(self) -> Functions:
        """Return what runs functions of packages."""
        from ..engine.function_workers import FunctionWorkers

        return FunctionWorkers(self._sign_in, for_others=self.process_for_others)

    async def _sign_in(self, user: str, seconds: float) -> tuple[str, str]:
        """Return the API's address and a token of *user*; called on the engine's loop."""
        service = self.service
        giving = service.token_for(user, audience=service.audience, seconds=int(seconds))
        token = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(giving, self._jupyters_loop))
        return f"{service.url.rstrip('/')}{MOUNT}", token

    def _senders(self) -> dict[DeliveryMethod, Sender]:
        """Return what carries notifications."""
        from ..engine.mail import MailSender, MailServer, Security
        from ..engine.webhooks import WebhookSender
        from ..model.fields import DeliveryMethod

        server = MailServer(
            host=self.smtp_server,
            port=self.smtp_port,
            security=Security(self.smtp_security),
            user=self.smtp_user,
            password=self.smtp_password,
            sender=self.smtp_sender,
        )
        return {
            DeliveryMethod.EMAIL: MailSender(server),
            DeliveryMethod.WEBHOOK: WebhookSender(
                secret=self.webhook_secret, allow_private=self.allow_private_webhooks, now=time.time
            ),
        }

    def _jupyter(self) -> ServerApp:
        if self.serverapp is None:
            raise RuntimeError("the extension is not linked to a server")
        return self.serverapp

    def _secrets(self) -> tuple[str, Callable[[str], bool] | None]:
        """Return Jupyter's token, and the test of its password if it has one."""
        provider: Any = self._jupyter().identity_provider
        hub = getattr(provider, "hub_auth", None)
        if hub is not None:
            return provider.token or "", partial(_is_hub_token, hub, self.server_user)
        has_password = bool(getattr(provider, "hashed_password", ""))
        return provider.token or "", provider.passwd_check if has_password else None

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Begin to start the engine; Jupyter answers meanwhile."""
        self._jupyters_loop = asyncio.get_running_loop()
        self.service.door.open()
        os.environ[KERNEL_URL] = f"{self.service.url.rstrip('/')}{MOUNT}"
        self._settling = asyncio.create_task(self._settle(), name="tapisjobs: settle")

    async def _settle(self) -> None:
        """Load the routes and leave the sign-in for kernels, once the engine is there."""
        await self.service.routes()
        try:
            token, _ = self._secrets()
            os.environ[KERNEL_TOKEN] = await self.service.kernel_token(token)
        except TapisJobsError:
            return  # the door has logged why the engine does not start
        _answer_promptly()
        self.log.info("Tapis jobs: %s, data in %s", os.environ[KERNEL_URL], self.service.folder)

    async def stop_extension(self) -> None:
        """End the engine; jobs go on by themselves."""
        settling: asyncio.Task[None] | None = getattr(self, "_settling", None)
        if settling is not None:
            settling.cancel()
            await asyncio.gather(settling, return_exceptions=True)
        await self.service.close()
        for name in (KERNEL_URL, KERNEL_TOKEN):
            os.environ.pop(name, None)


def _answer_promptly() -> None:
    """Keep the engine's threads from making every answer of this server wait."""
    # What is loaded by now stays for good. It would be searched for garbage again and again, with the
    # interpreter held.
    gc.freeze()
    # A thread that computes hands the interpreter on after this time, and an answer takes it several times.
    sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_INTERVAL))


def _is_hub_token(hub: Any, name: str, token: str) -> bool:
    """Tell whether a token is one of JupyterHub's for the user *name*, good for this server."""
    found = hub.user_for_token(token)
    return bool(found and found.get("name") == name and hub.check_scopes(hub.access_scopes, found))
