"""The session core, which knows no event, no framework and no environment."""
