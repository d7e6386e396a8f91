"""The sandbox's HTTP front: turns a request into an event, and a function's result into a response."""
