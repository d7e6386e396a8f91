"""The code that runs inside a worker's process, around the function's own code.

The folder is started by its path (`python …/bootstrap`), so that the function's process imports nothing else of the
tools. There these modules are the package `_arc_bootstrap`.
"""
