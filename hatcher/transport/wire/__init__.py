"""HTTP/1.1 over sockets of our own.

httpx takes 0.1 s to import and half a millisecond of CPU for the smallest request, and
does not let large bodies go straight from the socket into a buffer. This package does
what the transfers need and no more: one request at a time on a connection, connections
kept and shared, every wait limited. Proxies, HTTP/2 and users' own clients are httpx's.
"""
