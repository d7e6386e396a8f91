"""Sessions in a DynamoDB table, in the rows that Node's `@architect/functions` reads and writes."""
