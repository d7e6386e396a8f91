"""`arc secret`: rotate the secret that seals sessions, and retire the old one."""
