"""Makes this process a worker: `python …/bootstrap PLAN`, PLAN being the JSON that `functions/worker.py` writes."""

import json
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec


def main(folder: str) -> None:
    """Prepare the imports as the plan says, then run the function's handler until the sandbox ends us."""
    package = ModuleSpec("_arc_bootstrap", None, is_package=True)
    package.submodule_search_locations = [folder]
    sys.modules["_arc_bootstrap"] = module_from_spec(package)

    from _arc_bootstrap import app_code, invocations, lifeline  # type: ignore[import-not-found]

    plan = json.loads(sys.argv[1])
    lifeline.hold()
    if plan["debug"]:
        from _arc_bootstrap import debugger

        sys.path.pop(0)  # Our modules are found by their package alone, also by the threads of the debugger.
        debugger.wait()
        sys.path.insert(0, folder)
    app_code.read_fresh(plan["root"])
    sys.path[0] = plan["folder"]
    app_code.make_importable(plan["folder"], plan["shared"])
    sys.argv[:] = [plan["module"]]
    invocations.run(plan["module"], plan["begins"], pure=plan["pure"], debug=plan["debug"])


if __name__ == "__main__":
    main(sys.path[0])
