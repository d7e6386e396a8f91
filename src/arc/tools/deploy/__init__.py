"""`arc deploy`: an app's routes on API Gateway and Lambda, as one CloudFormation stack.

packages   zips of functions and their dependencies
template   the stack's template, a plain dict
stack      calls to CloudFormation: change sets, events, the cause of a failure
pipeline   packages → template → change set → stack
"""
