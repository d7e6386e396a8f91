# A small shop with a cart, a sign-in form, and messages that are shown once.
@app
shop

@http
get /
post /cart
get /sign-in
post /sign-in
post /sign-out
get /account

# Stores the sessions if .env has SESSION_TABLE_NAME=session; otherwise they are sealed into the cookie.
@tables
session
  _idx *String
  _ttl TTL
