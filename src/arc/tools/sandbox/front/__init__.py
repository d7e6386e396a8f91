"""The sandbox's HTTP front: a request becomes an event, and a function's result becomes a response."""
