"""What talks to AWS, or to the local cloud in its place: of the tools, this folder alone.

clients     boto3's, made for AWS or for a local cloud        tables      @tables as DynamoDB's requests
"""
