"""Calls one function on the host of its job, and keeps what came of it in ``result.pkl``.

Nothing of this package is there: only the standard library is used, and no more of the language than
Python 3.6 reads, so that an interpreter that does not fit gets as far as the sentence that says so. What
came along: ``call.zip`` (what is wanted of this Python, the function, and cloudpickle, so that both ends have
the same) and ``arguments.pkl``. The result is a pickle of plain values, whose parts the caller unpickles.
The exit code is 0 for a value, 1 for an exception, 2 where there was no call or its value cannot be sent.

Starting Python is most of what a short call costs: modules that not every call needs are imported late.
"""

import json
import os
import pickle
import sys
import time
import zipimport
from typing import Any

BUNDLE, ARGUMENTS, RESULT = "call.zip", "arguments.pkl", "result.pkl"
#: In the bundle.
WANTED, FUNCTION = "call.json", "function.pkl"
#: Tells how many of several calls are made, as the jobs' engine reads it; seconds between two tellings.
PROGRESS, TELLING = "progress.json", 2.0
RETURNED, RAISED, REFUSED = 0, 1, 2


class RefusedError(Exception):
    """The call cannot be made here, or its value cannot be sent back; the words say why, and the way out."""


def main() -> int:
    """Make the call or the calls, keep what came of them, and return the exit code."""
    inputs = os.path.dirname(os.path.abspath(__file__))
    # Before the function can go elsewhere.
    here = os.getcwd()
    try:
        call, arguments = what_to_call(inputs)
    except RefusedError as refused:
        return keep(refusal(refused), os.path.join(here, RESULT))
    if isinstance(arguments, list):
        return keep_each(call, arguments, here)
    return keep(call(*arguments), os.path.join(here, RESULT))


def what_to_call(inputs: str) -> Any:
    """Return what makes a call and gives its outcome, and the arguments: of one call, or a list."""
    bundle = os.path.join(inputs, BUNDLE)
    archive = zipimport.zipimporter(bundle)
    wanted = json.loads(archive.get_data(os.path.join(bundle, WANTED)).decode())
    want_python(wanted)
    want_packages(wanted["packages"])
    # Ahead of one that is installed: the pickles are this one's.
    sys.path.insert(0, bundle)
    data = archive.get_data(os.path.join(bundle, FUNCTION))
    function, common = unpickled("The function " + wanted["function"], data)
    with open(os.path.join(inputs, ARGUMENTS), "rb") as file:
        arguments = unpickled("An argument of " + wanted["function"], file.read())

    def call(args: Any, kwargs: Any) -> Any:
        try:
            value = function(*args, **dict(common, **kwargs))
        except BaseException as raised:  # noqa: BLE001 - whatever it is, the caller hears of it
            return outcome_of_exception(raised)
        try:
            return {"value": pickled_value(wanted, value)}
        except RefusedError as refused:
            return refusal(refused)

    return call, arguments


def refusal(refused: RefusedError) -> Any:
    """Return the outcome of a call that cannot be made, or whose value cannot be sent."""
    print(refused, file=sys.stderr)
    return {"refused": str(refused)}


def want_python(wanted: Any) -> None:
    """Raise ``RefusedError`` unless this Python reads the byte code and the pickles of the caller's."""
    here = python_here()
    if here != wanted["python"] or wanted["protocol"] > pickle.HIGHEST_PROTOCOL:
        raise RefusedError(
            "The function comes from {}, and {} is {}: a pickled function fits only its own version. Name "
            "one that fits by python='{}', a path on the host, or a script there that starts it in a "
            "container image.".format(
                wanted["python"], where(), here, wanted["python"].lower().replace(" ", "")
            )
        )


def python_here() -> str:
    """Return ``Python 3.11``; other implementations, which have another byte code, by their own names."""
    name = sys.implementation.name.replace("cpython", "Python")
    return "%s %d.%d" % (name, *sys.version_info[:2])


def want_packages(names: Any) -> None:
    """Raise ``RefusedError`` that tells all *names* which are neither modules nor distributions here."""
    missing = [name for name in names if not is_installed(name)]
    if missing:
        verb, them = ("is", "it") if len(missing) == 1 else ("are", "them")
        raise RefusedError(
            "{0} {1} not installed for {2}: install {3} there, or name a Python that has {3} by "
            "python=….".format(", ".join(missing), verb, where(), them)
        )


def is_installed(name: str) -> bool:
    """True for the name of a module (``sklearn``) or a distribution (``scikit-learn``) that is here."""
    from importlib import metadata, util

    try:
        return util.find_spec(name) is not None or bool(metadata.version(name))
    except (ImportError, ValueError):
        return False


def unpickled(what: str, data: bytes) -> Any:
    """Return what was pickled; ``RefusedError`` names the module that this Python lacks for it."""
    try:
        return pickle.loads(data)
    except ImportError as cause:
        raise RefusedError(
            "{} cannot be unpickled by {}: {}. Install what is missing, or send your own file along: "
            "inputs=['{}.py'].".format(what, where(), cause, (cause.name or "module").partition(".")[0])
        ) from cause
    except Exception as cause:
        raise RefusedError(
            "{} cannot be unpickled by {}: {}: {}. The packages there have other versions than yours.".format(
                what, where(), type(cause).__name__, cause
            )
        ) from cause


def pickled_value(wanted: Any, value: Any) -> bytes:
    """Return what the function returned as a pickle; raises ``RefusedError`` where it cannot be one."""
    import cloudpickle

    try:
        data = cloudpickle.dumps(value, protocol=wanted["protocol"])
    except Exception as cause:
        raise RefusedError(
            "What {} returned ({}) cannot be pickled: {}. Return plain values, arrays or frames, or write a "
            "file.".format(wanted["function"], type(value).__name__, cause)
        ) from cause
    return bytes(data)


def outcome_of_exception(raised: BaseException) -> Any:
    """Return an exception as its words, its traceback without our own lines, and a pickle if it can be."""
    import traceback

    trace = raised.__traceback__.tb_next if raised.__traceback__ else None
    told = "".join(traceback.format_exception(type(raised), raised, trace))
    sys.stderr.write(told)
    words = "".join(traceback.format_exception_only(type(raised), raised)).strip()
    return {"raised": words, "traceback": told, "exception": pickled_exception(raised)}


def pickled_exception(raised: BaseException) -> Any:
    """Return the pickle of an exception; None for one that cannot be pickled or would end the caller."""
    import cloudpickle

    if not isinstance(raised, Exception):
        return None
    try:
        return cloudpickle.dumps(raised)
    except Exception:  # noqa: BLE001 - its words go back
        return None


def keep(outcome: Any, place: str) -> int:
    """Write the outcome whole or not at all; return its exit code."""
    written(pickle.dumps(outcome, protocol=4), place)
    return exit_code(outcome)


def keep_each(call: Any, arguments: Any, folder: str) -> int:
    """Make the calls one after another, and keep the outcome of each as soon as it is there."""
    code, told = RETURNED, time.monotonic()
    with open(os.path.join(folder, RESULT), "wb") as file:
        pickle.dump({"calls": len(arguments)}, file, protocol=4)
        for done, (args, kwargs) in enumerate(arguments, 1):
            outcome = call(args, kwargs)
            pickle.dump(outcome, file, protocol=4)
            file.flush()
            code = max(code, exit_code(outcome))
            if time.monotonic() - told >= TELLING:
                told = time.monotonic()
                progress = json.dumps({"done": done, "total": len(arguments), "message": "calls made"})
                written(progress.encode(), os.path.join(folder, PROGRESS))
    return code


def exit_code(outcome: Any) -> int:
    """Return the exit code that stands for one outcome."""
    return RETURNED if "value" in outcome else RAISED if "raised" in outcome else REFUSED


def written(content: bytes, place: str) -> None:
    """Write a file whole or not at all."""
    part = place + ".part"
    with open(part, "wb") as file:
        file.write(content)
    os.replace(part, place)


def where() -> str:
    """Return ``python3 on login1``."""
    return "{} on {}".format(
        os.environ.get("TAPIS_PYTHON") or "python3", os.uname().nodename.partition(".")[0]
    )


if __name__ == "__main__":
    sys.exit(main())
