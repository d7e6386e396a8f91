"""What a developer runs: the commands and the sandbox. A deployed function imports nothing of this."""
