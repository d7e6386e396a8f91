"""The app's functions: their code, their worker processes, and what watches and debugs them."""
