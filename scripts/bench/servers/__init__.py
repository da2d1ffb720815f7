"""What the clients under measurement speak to, each in a process of its own.

`nginx` serves the files; `small` stands in where there is no nginx, and takes in large uploads;
`delay` puts a latency before either.
"""
