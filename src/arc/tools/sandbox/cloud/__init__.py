"""The local cloud: AWS services on this machine, the app's tables, and their data between runs."""
