"""What talks to AWS, or to the local cloud in its place: of the tools, this folder alone.

cloud        calls, made at a bearable pace      pace          how fast
failures     what goes wrong with one            hidden        what is never shown
parameters   the variables in SSM                functions     the functions in Lambda
memo         what commands remember in SSM       service_map   what a stack calls its tables
tables       DynamoDB tables                     table_plan    what one lacks of the manifest
"""
