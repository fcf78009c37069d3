"""Servers of many processes, and programs that start many: prefork and threads, reload, restart, dump, stop."""

import os
import pwd
import shutil
import signal
import tempfile
import threading
import time
from contextlib import contextmanager

from . import clients, load, origin
from .context import HOST, Skip, free_port, limit, require, until

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"

APACHE = """
ServerRoot {dir}
ServerName localhost
Listen {host}:{port}
PidFile {dir}/pid-{port}
ErrorLog {dir}/errors-{port}
{user}
LoadModule mpm_{mpm}_module {modules}/mod_mpm_{mpm}.so
LoadModule authz_core_module {modules}/mod_authz_core.so
DocumentRoot {root}
StartServers 2
"""

APP = b"""
import threading, time
def application(environ, start_response):
    time.sleep(0.001)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode() * 100]
"""
PAGES = {f"/{name}": f"/{name}".encode() * 100 for name in ("one", "another", "third")}


def serve(server, files, address=None):
    load.http(clients.direct(address or server.address()), files, 20, 300)


def stop(server, signum=signal.SIGTERM, statuses=(0,)):
    """Ends it, and nothing of it stays."""
    status = server.stop(signum)
    require(status in statuses, f"{server.name} ended with {status}")


def during(action, load_function):
    """Something happens to a server under load."""
    failed = []

    def act():
        try:
            time.sleep(0.1)
            action()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=act)
    thread.start()
    load_function()
    thread.join()
    if failed:
        raise failed[0]


@contextmanager
def public_directory():
    """Where users without rights get too."""
    directory = tempfile.mkdtemp(dir="/tmp")
    os.chmod(directory, 0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def apache(ctx, mpm):
    modules = "/usr/lib/apache2/modules"
    if not os.path.exists(f"{modules}/mod_mpm_{mpm}.so"):
        raise Skip("apache2-bin is not installed")
    with public_directory() as root:
        _, files = origin.make_files(ctx)
        shutil.copytree(ctx.path("files"), root, dirs_exist_ok=True)
        restart_apache(ctx, mpm, modules, root, files)


def restart_apache(ctx, mpm, modules, root, files):
    port = free_port()
    user = "User www-data\nGroup www-data" if os.getuid() == 0 else ""
    config = APACHE.format(dir=ctx.directory, host=HOST, port=port, user=user, mpm=mpm, modules=modules, root=root)
    # It signals its whole process group.
    server = ctx.start(["setsid", "apache2", "-DFOREGROUND", "-f", ctx.write("apache.conf", config)])
    server.port()
    with ctx.blame(server):
        serve(server, files, (HOST, port))
        during(lambda: server.process.send_signal(signal.SIGUSR1), lambda: serve(server, files, (HOST, port)))
        serve(server, files, (HOST, port))
    stop(server)


def test_apache_prefork(ctx):
    apache(ctx, "prefork")


def test_apache_worker(ctx):
    apache(ctx, "worker")


def test_apache_event(ctx):
    apache(ctx, "event")


def test_nginx_reload(ctx):
    root, files = origin.make_files(ctx)
    argv, address = origin.nginx_argv(ctx, root, "worker_processes 2; user root;")
    server = ctx.start(argv)
    server.port()
    with ctx.blame(server):
        for _ in range(3):
            during(lambda: server.process.send_signal(signal.SIGHUP), lambda: serve(server, files, address))
    stop(server, signal.SIGQUIT)


def test_redis_dumps(ctx):
    """BGSAVE forks while clients write."""
    port = free_port()
    server = ctx.start(["redis-server", "--port", str(port), "--bind", HOST, "--save", "", "--dir", ctx.directory])
    server.port()

    def ask(*command):
        return ctx.run(["redis-cli", "-h", HOST, "-p", str(port), *command]).decode().strip()

    def dump():
        for _ in range(3):
            require("started" in ask("BGSAVE"), "BGSAVE was refused")
            until(lambda: "rdb_bgsave_in_progress:0" in ask("INFO", "persistence"), 20, "BGSAVE still runs")
            require("rdb_last_bgsave_status:ok" in ask("INFO", "persistence"), "BGSAVE failed")

    with ctx.blame(server):
        during(dump, lambda: ctx.run(["redis-benchmark", "-q", "-h", HOST, "-p", str(port), "-t", "set,get", "-n",
                                      "2000", "-c", "20", "-d", "500"]))
        require(ask("PING") == "PONG", "no PONG")
    stop(server)


def test_gunicorn_threads(ctx):
    ctx.write("app.py", APP)
    argv = ["gunicorn", "-w", "2", "--threads", "8", "-b", f"{HOST}:{free_port()}", "app"]
    server = ctx.start(argv, cwd=ctx.directory)
    with ctx.blame(server):
        address = server.address()
        serve(server, PAGES, address)
        during(lambda: server.process.send_signal(signal.SIGHUP), lambda: time.sleep(0.5))
        serve(server, PAGES, address)
    stop(server)


def test_uwsgi_threads(ctx):
    ctx.write("app.py", APP)
    port = free_port()
    server = ctx.start(["uwsgi", "--plugin", "python3,http", "--http", f"{HOST}:{port}", "--master", "--processes",
                        "2", "--threads", "8", "--wsgi-file", "app.py", "--die-on-term", "--disable-logging"],
                       cwd=ctx.directory)
    with ctx.blame(server):
        until(lambda: b"spawned uWSGI http" in server.errors() + server.output(), 20, "no router")
        serve(server, PAGES, (HOST, port))
    stop(server)


def test_python(ctx):
    argv = [PYTHON, os.path.join(HERE, "py_processes.py")]
    said = ctx.run(argv, 50)
    require(said == ctx.run(argv, 50, ctx.start_native), f"said {said[-500:]}")


SCRIPT = r"""
set -o pipefail
trap 'echo term' TERM
for i in $(seq 20); do echo $i; done | sort -rn | head -3 | (read a; echo $a; cat) | tr '\n' ' '
for i in 1 2 3 4 5; do (sleep 0.0$i; echo job $i) & done | sort; wait
diff <(seq 5) <(seq 6) | wc -l
false | true; echo $?
kill -TERM $$; (exit 5); echo $?
timeout 0.1 sleep 10; echo $?
coproc cat; echo through >&${COPROC[1]}; read line <&${COPROC[0]}; echo $line
seq 1000 | xargs -P 4 -n 50 echo | wc -w
"""


def test_bash(ctx):
    program = ctx.start(["bash", "-c", SCRIPT])
    require(program.wait(20) == 0, "ended badly")
    require(program.output() == b"20 19 18 job 1\njob 2\njob 3\njob 4\njob 5\n2\n1\nterm\n5\n124\nthrough\n1000\n",
            f"said {program.output()}")


def postgres_program(name):
    versions = "/usr/lib/postgresql"
    for version in sorted(os.listdir(versions) if os.path.isdir(versions) else [], reverse=True):
        path = f"{versions}/{version}/bin/{name}"
        if os.path.exists(path):
            return path
    raise Skip("postgresql is not installed")


@limit(90)
def test_postgres(ctx):
    """A cluster is made, started, used by threaded clients and stopped, by a user without rights."""
    as_user = []
    if os.getuid() == 0:
        user = pwd.getpwnam("nobody")
        as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    with public_directory() as directory:
        if as_user:
            os.chown(directory, user.pw_uid, user.pw_gid)
        run_cluster(ctx, directory, as_user)


def run_cluster(ctx, directory, as_user):
    data = directory + "/data"
    made = ctx.start([*as_user, postgres_program("initdb"), "-D", data, "-A", "trust", "-N", "-U", "evy"])
    require(made.wait(60) == 0, f"initdb failed: {made.errors()[-500:]}")
    port = str(free_port())
    server = ctx.start([*as_user, postgres_program("postgres"), "-D", data, "-p", port, "-k", directory, "-h", HOST])
    reach = ["-h", HOST, "-p", port, "-U", "evy", "postgres"]
    with ctx.blame(server):
        until(lambda: b"ready to accept" in server.errors(), 30, "not ready")
        for options in (["-i", "-q"], ["-n", "-c", "8", "-j", "4", "-t", "40"]):
            bench = ctx.start([postgres_program("pgbench"), *options, *reach])
            require(bench.wait(40) == 0, f"pgbench {options} failed: {bench.errors()[-500:]}")
        require(b"actually processed: 320/320" in bench.output(), f"pgbench said {bench.output()}")
    stop(server, signal.SIGINT)
