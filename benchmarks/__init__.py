"""How fast sessions and the sandbox are, beside peers: `make bench`."""
