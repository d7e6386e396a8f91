# A small shop: a cart for everybody, a sign-in with a form, messages shown once.
@app
shop

@http
get /
post /cart
get /sign-in
post /sign-in
post /sign-out
get /account

# Where sessions live when .env says SESSION_TABLE_NAME=session; without it they are sealed into the cookie.
@tables
session
  _idx *String
  _ttl TTL
