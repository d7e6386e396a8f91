"""`arc secret`: rotates the secret that seals sessions, and retires the old one."""
