"""How Sphinx builds the pages of this folder into a site: `make docs`."""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "arc-sessions"
version = release = installed_version("arc-sessions")
html_title = "arc-sessions"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "extensions.command_line",
    "extensions.docstrings",
    "extensions.line_breaks",
    "extensions.links",
    "extensions.manifest_lexer",
]
exclude_patterns = ["extensions"]

# Pages are Markdown as GitHub shows it: headings are link targets, and a block's language is a lexer's name.
myst_heading_anchors = 4

autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
maximum_signature_line_length = 80
python_display_short_literal_types = True

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_theme_options = {"navigation_with_keys": True}

# A documentation server may refuse a request from a program, or be down for a moment.
linkcheck_timeout = 20
linkcheck_retries = 2
# Addresses of examples, which exist nowhere.
linkcheck_ignore = [r"https?://(?:[\w-]+\.)?localhost", r"https?://[\w.-]+\.example"]
