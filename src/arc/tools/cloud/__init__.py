"""What talks to AWS, or to the local cloud in its place: of the tools, this folder alone.

cloud        calls, made at a bearable pace      pace         how fast
failures     what goes wrong with one            hidden       what is never shown
parameters   the variables in SSM                functions    the functions in Lambda
tables       @tables as DynamoDB's requests      clients      boto3's, for the sandbox's local cloud
"""
