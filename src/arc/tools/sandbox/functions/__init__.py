"""The app's functions: their workers, the changes of their files, and debugging."""
