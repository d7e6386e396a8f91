"""What runs inside a worker process, around the function's own code.

The folder is started by path (`python …/bootstrap`), so that nothing of the tools is imported next to the
function; there its modules are the package `_arc_bootstrap`.
"""
