"""The sandbox: runs an app on this machine as AWS would.

server        starts and stops it                 application   the functions and the current inventory
addresses     ports, hosts and sockets            asgi          types, request bodies, uvicorn's protocol
greeting      the messages at the start           terminal      what is printed, and the output of workers

front/        HTTP: gateway (finds the function for a request and sends its response), event, reply, pages (in place of
              responses without an explanation), request_line (in the terminal), hosts (protection from DNS rebinding),
              service_map (the tables, as Architect's libraries look them up)
functions/    function (workers and queued events), worker (a process), launch (its environment), runtime_api
              (where it fetches events), bootstrap/ (what runs inside of it), failures, changes (saved files),
              requirements, debugging (ports for editors)
cloud/        local_tables (creates and seeds them), shared_cloud (for the sandbox and commands), local_cloud
              (starts ministack), process (what runs in ministack's process), state (the data between runs)

Imports point down: server; front and greeting; application; functions; cloud; addresses, asgi and terminal.
"""
