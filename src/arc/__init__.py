"""Sessions for Python web functions, the Architect way. Public names are loaded when first used."""
