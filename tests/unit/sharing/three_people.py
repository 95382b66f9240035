"""Ada, who owns things, Bob and Carol; and whose the server is."""

from __future__ import annotations

from jupyter_tapis_jobs.model.user import User

ADA, BOB, CAROL = (User(name, "local", False) for name in ("ada", "bob", "carol"))
#: The server's own user.
KEEPER = User("keeper", "local", True)
APP = {"id": "frame", "version": "1", "runtime": "ZIP", "containerImage": "/frame.zip"}
SYSTEM = {
    "id": "cluster",
    "systemType": "LINUX",
    "host": "login1.example.org",
    "effectiveUserId": "service",
    "defaultAuthnMethod": "PKI_KEYS",
    "canExec": True,
    "rootDir": "/",
    "jobWorkingDir": "/work",
    "jobRuntimes": [{"runtimeType": "ZIP"}],
}
