"""`arc env` and `arc secret`: the variables of an environment, and every function in step with them."""
