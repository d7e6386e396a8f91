# A small shop: a cart, a sign-in form, messages that are shown once, and a panel that shows the session.
@app
shop

@http
get /
post /cart
get /sign-in
post /sign-in
post /sign-out
get /account
post /account

# Sessions are sealed into the visitor's cookie. To store them in a DynamoDB table instead, delete the "# " at the start
# of the last four lines, write SESSION_TABLE_NAME=session into the file .env, and start the sandbox again. On this
# machine that takes the extra `local`: pip install 'arc-sessions[local]'
# @tables
# session
#   _idx *String
#   _ttl TTL
