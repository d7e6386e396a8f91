"""What Sphinx needs to know of this project: its docstrings, its manifest's syntax and its command."""
