# Two routes that share one session.
@app
counter

@http
get /
post /count
