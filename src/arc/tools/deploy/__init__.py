"""`arc deploy`: an app's routes on API Gateway and Lambda, as one CloudFormation stack.

packages   zips of functions and their dependencies
bytecode   compiled modules, for a shorter cold start
template   the stack's template, a plain dict
bucket     calls to S3: the private buckets of packages and of static files
stack      calls to CloudFormation: change sets, events, the cause of a failure
pipeline   packages → template → change set → stack

static_upload     which static files are uploaded, and when
static_function   the function that serves them, which runs on AWS alone
"""
