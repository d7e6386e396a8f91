"""`arc env`: the variables of an environment, in SSM and in every deployed function."""
