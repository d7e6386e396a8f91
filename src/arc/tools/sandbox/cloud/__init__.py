"""The local cloud: AWS services on this machine, with the app's tables and the data between runs."""
