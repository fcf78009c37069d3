"""The web server that proxies and clients are tested against: nginx with a few random files, run natively."""

import hashlib
import os

from . import load
from .context import HOST, free_port

SIZES = {"/empty": 0, "/one": 1, "/small": 1000, "/page": 30000, "/large": 400000}

CONFIG = """
daemon off;
{processes}
pid {dir}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 8000; }}
http {{
    access_log off;
    keepalive_requests 1000000;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    default_type application/octet-stream;
    {extra}
    server {{ listen {host}:{port} backlog=4096; root {root}; }}
}}
"""


def make_files(ctx):
    """Writes the files; returns their directory and {target: content}."""
    root = ctx.path("files")
    os.makedirs(root, exist_ok=True)
    os.chmod(ctx.directory, 0o755)  # nginx's worker is another user when we are root
    files = {target: load.NOISE[len(target):][:size] for target, size in SIZES.items()}
    for target, content in files.items():
        with open(root + target, "wb") as file:
            file.write(content)
    return root, files


def nginx_argv(ctx, root, processes="master_process off;", extra=""):
    """The command for an nginx in the foreground, and the address it will have."""
    port = free_port()
    directory = ctx.path(f"nginx-{port}")
    os.makedirs(directory)
    config = CONFIG.format(dir=directory, root=root, host=HOST, port=port, processes=processes, extra=extra)
    path = ctx.write(f"nginx-{port}.conf", config)
    return ["nginx", "-e", "stderr", "-p", directory, "-c", path], (HOST, port)


def start(ctx):
    """A native nginx: its address and files."""
    root, files = make_files(ctx)
    argv, address = nginx_argv(ctx, root)
    ctx.start_native(argv).port()
    return address, files


def digest(content):
    return hashlib.sha256(content).hexdigest()
