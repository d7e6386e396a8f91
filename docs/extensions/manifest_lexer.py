"""The colors of ```` ```arc ```` blocks: the syntax of Architect's manifests."""

from pygments.lexer import RegexLexer, bygroups
from pygments.token import Comment, Keyword, Name, Number, String, Text
from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the lexer for blocks in the language `arc`."""
    app.add_lexer("arc", ManifestLexer)
    return {"parallel_read_safe": True}


class ManifestLexer(RegexLexer):
    """Pragmas, comments, and lines of words, of which the first is a name."""

    name = "Architect manifest"
    aliases = ("arc",)
    tokens = {  # noqa: RUF012  # Pygments reads it from the class
        "root": [
            (r"#.*", Comment),
            (r"\n", Text),
            (r"^@[\w-]+", Keyword),
            (r"^([ \t]*)([^\s#\"'@]+)", bygroups(Text, Name.Tag)),
            (r"\"[^\"\n]*\"|'[^'\n]*'", String),
            (r"\*{1,2}(?:String|Number)?\b|\*{1,2}", Keyword.Type),
            (r"(?<=\s)[\d.]+(?!\S)", Number),
            (r"[ \t]+", Text),
            (r"[^\s#]+", Text),
        ]
    }
