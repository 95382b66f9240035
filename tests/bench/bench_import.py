"""What the import and `%load_ext` cost, against Python and IPython alone."""

from __future__ import annotations

import subprocess
import sys

import harness

_SHELL = "from IPython.core.interactiveshell import InteractiveShell; s = InteractiveShell.instance(); "


def main() -> None:
    plan = harness.plan(__doc__ or "")
    with harness.folder() as place:
        env = harness.child_environment(IPYTHONDIR=str(place))

        def python(code: str) -> float:
            return harness.seconds(
                lambda: subprocess.run([sys.executable, "-c", code], check=True, env=env, cwd=place)
            )

        imported, shell = "import jupyter_tapis_jobs", _SHELL + "s.run_line_magic('load_ext', {!r})"
        codes = ("pass", imported, imported + " as tj; tj.connect; tj.Job",
                 _SHELL, shell.format("jupyter_tapis_jobs"))  # fmt: skip
        for code in codes:
            python(code)
        # Single starts are short and noisy, so there are more of them.
        values = harness.interleaved(3 * plan.pairs, *(lambda code=code: python(code) for code in codes))
    empty, bare, names, ipython, loaded = values
    row = harness.Row
    harness.table(
        [
            row(what="`import jupyter_tapis_jobs`", ours=bare, against="`python -c pass`", theirs=empty,
                told="more", goal="60 ms more"),
            row(what="the same, and the names `connect`, `Job` used", ours=names, against="`python -c pass`",
                theirs=empty, told="more"),
            row(what="`%load_ext jupyter_tapis_jobs`", ours=loaded, against="an IPython shell",
                theirs=ipython, told="more", goal="100 ms more"),
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main()
