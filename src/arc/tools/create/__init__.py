"""`arc create`: the code that is missing, and the tables of each environment.

plan         what is to be done in an environment
"""
