"""The only tools that call AWS, or the local cloud.

cloud        calls, paced and repeated           failures      the errors of calls
parameters   variables and memos in SSM          functions     functions in Lambda
tables       tables in DynamoDB                  table_plan    their differences from the manifest
"""
