"""nginx, set up to serve the site over HTTP and TLS and to swallow small uploads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import NamedTuple

from scripts.bench.servers.process import Process, free_ports, wait_for_file
from scripts.bench.servers.site import DATA, REQUESTS, ROOT_PATH

#: Uploads up to this many bytes are kept in memory until they are whole; nginx writes larger ones
#: to the disk, which is why `scripts.bench.servers.small` takes those.
MOST_UPLOAD = 1 << 20

# An upload goes on to a second server when all of it has been read, and only then is answered;
# a plain `return` would answer before the body has arrived.
_CONFIGURATION = Template("""\
$user
daemon off;
worker_processes 2;
pid $scratch/nginx.pid;
error_log stderr crit;
events {
    worker_connections 1024;
}
http {
    access_log $log;
    client_body_temp_path $scratch/bodies;
    proxy_temp_path $scratch/answers;
    fastcgi_temp_path $scratch/fastcgi;
    uwsgi_temp_path $scratch/uwsgi;
    scgi_temp_path $scratch/scgi;
    default_type application/json;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    output_buffers 2 512k;
    keepalive_requests 1000000;
    keepalive_timeout 300s;
    client_max_body_size 0;
    client_body_buffer_size $most_upload;
    gzip_static on;
    gzip_vary on;
    ssl_certificate $certificate;
    ssl_certificate_key $certificate;
    ssl_protocols TLSv1.2 TLSv1.3;
    limit_conn_zone $$binary_remote_addr zone=one_client:1m;
    upstream swallowing {
        server 127.0.0.1:$inner_port;
        keepalive 64;
        keepalive_requests 1000000;
    }
    server {
        listen 127.0.0.1:$inner_port backlog=1024;
        location ~ /upload$$ { return 201 '{}'; }
        location ~ /re-index$$ { return 202 '{}'; }
        location / { return 404 '{"error": "not found"}'; }
    }
    $servers
}
""")


_SERVER = Template("""
    server {
        listen $address:$port $way;
        root $root;
        error_page 404 = @missing;
        location @missing { return 404 '{"error": "not found"}'; }
        location = $requests { stub_status; }
        location = $root_path/metadata/python-tags {
            try_files $root_path/metadata/python-tags.json =404;
        }
        location ~ /eggs/(upload|re-index)$$ {
            proxy_pass http://swallowing;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Content-Length "";
            proxy_pass_request_body off;
        }
        location ~ ^$root_path$data/.*/(?<name>[^/]+)/(?<version>[^/]+)$$ {
            default_type application/octet-stream;
            gzip_static off;
            add_header Content-Disposition 'attachment; filename="$$name-$$version.egg"';
        }
    }
""")
#: What sets the servers apart, which are otherwise alike, in the order of their ports.
_WAYS = (
    "backlog=1024",
    "ssl backlog=1024",
    "; max_ranges 0",
    "; limit_conn one_client 4; limit_conn_status 429",
)


class Running(NamedTuple):
    """An nginx that serves, and its ports: the last two ignore ranges, and more than 4 connections."""

    process: Process
    port: int
    tls_port: int
    no_ranges_port: int
    few_port: int


def start(
    program: str,
    root: Path,
    certificate: Path,
    scratch: Path,
    log: Path | None = None,
    address: str = "127.0.0.1",
    within: Sequence[str] = (),
) -> Running:
    """Start an nginx.

    Parameters
    ----------
    program : str
        Where nginx is.
    root : pathlib.Path
        The folder to serve.
    certificate : pathlib.Path
        Certificate and key in one file.
    scratch : pathlib.Path
        An existing folder for files of its own.
    log : pathlib.Path, optional
        Where to tell of each request; nowhere by default, as that costs time.
    address : str
        Where to listen.
    within : sequence of str
        A command that runs others.

    Returns
    -------
    Running

    Raises
    ------
    ServerDidNotStartError
        It ended at once, and said why.
    """
    inner_port, *ports = free_ports(1 + len(_WAYS))
    same = {
        "address": address,
        "root": root,
        "root_path": ROOT_PATH,
        "data": DATA,
        "requests": REQUESTS,
        "inner_port": inner_port,
    }
    servers = (
        _SERVER.substitute(same, port=port, way=way) for port, way in zip(ports, _WAYS, strict=True)
    )
    configuration = _CONFIGURATION.substitute(
        same,
        user="user root;" if os.geteuid() == 0 else "",
        scratch=scratch,
        log=log or "off",
        most_upload=MOST_UPLOAD,
        certificate=certificate,
        servers="".join(servers),
    )
    path = scratch / "nginx.conf"
    path.write_text(configuration, encoding="utf-8")
    told = ("-p", str(scratch), "-e", "stderr", "-c", str(path))
    process = Process([*within, program, *told])
    wait_for_file(process, scratch / "nginx.pid")
    return Running(process, *ports)
