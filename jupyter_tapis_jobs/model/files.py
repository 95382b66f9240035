"""The names of a job's own files, written down here and nowhere else (Tapis Jobs, "Launching")."""

from __future__ import annotations

#: In the execution directory: what starts the application.
LAUNCH_SCRIPT = "tapisjob.sh"
#: In the execution directory: the application's environment.
ENVIRONMENT = "tapisjob.env"
#: In the execution directory: the process id of a FORK job.
PID = "tapisjob.pid"
#: In the execution directory, after the job's uuid: the id of its Docker container.
CONTAINER_ID = ".cid"
#: In the execution directory: an image of the ZIP runtime is started by this file of it ...
APP_SCRIPT = "tapisjob_app.sh"
#: ... or by the one that this file names.
MANIFEST = "tapisjob.manifest"
#: In the output directory: what the application wrote, unless the request names other files.
STDOUT = "tapisjob.out"
#: In the output directory: an exit code that the application itself may write.
EXIT_CODE = "tapisjob.exitcode"

#: What the archive holds beside the outputs, unless ``includeLaunchFiles`` is false.
LAUNCH_FILES = (LAUNCH_SCRIPT, ENVIRONMENT)
