"""The entry point of a worker: `python …/bootstrap PLAN`, with the plan as JSON from `functions/worker.py`."""

import json
import os
import signal
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec


def main(folder: str) -> None:
    """Prepare the imports according to the plan, then run the function's handler until the process is killed."""
    package = ModuleSpec("_arc_bootstrap", None, is_package=True)
    package.submodule_search_locations = [folder]
    sys.modules["_arc_bootstrap"] = module_from_spec(package)

    from _arc_bootstrap import app_code, invocations  # type: ignore[import-not-found]

    plan = json.loads(sys.argv[1])
    _hold_lifeline()
    if plan["debug"]:
        from _arc_bootstrap import debugger

        sys.path.pop(0)  # The debugger's threads must not import our modules in place of the app's.
        debugger.wait()
        sys.path.insert(0, folder)
    app_code.read_fresh(plan["root"])
    sys.path[0] = plan["folder"]
    app_code.make_importable(plan["folder"], plan["shared"])
    sys.argv[:] = [plan["module"]]
    invocations.run(plan["module"], plan["signals"], plan["root"], pure=plan["pure"], debug=plan["debug"])


def _hold_lifeline() -> None:
    """Kill this process group when standard input, a pipe to the sandbox, ends; the handler gets an empty input."""
    pipe = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    if not _killed_by_kernel(pipe):
        import _thread

        _thread.start_new_thread(_wait_for_end, (pipe,))


def _killed_by_kernel(pipe: int) -> bool:
    """Request SIGKILL from Linux when the pipe ends, which works even while C code holds the interpreter's lock."""
    try:
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)  # type: ignore[attr-defined, unused-ignore]
        fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    except (ImportError, AttributeError, OSError):
        return False
    import select

    if select.select([pipe], [], [], 0)[0]:  # The pipe ended before the request.
        os.killpg(0, signal.SIGKILL)
    return True


def _wait_for_end(pipe: int) -> None:
    while os.read(pipe, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.path[0])
