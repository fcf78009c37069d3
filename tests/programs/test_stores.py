"""memcached, redis and MariaDB: servers with worker threads, asked by their own clients and by ours."""

import os
import re
import tempfile
import time

from . import clients, engine, load
from .context import HOST, find_program, free_port, limit, require, until


def run_all(ctx, server, generators):
    with ctx.blame(server):
        return engine.run(generators, time.monotonic() + 30)


def memcached_client(opener, number):
    """Stores and fetches values of its own, many of them in one go."""
    sock = yield from opener()
    for turn in range(20):
        values = [load.NOISE[number + i:][:1 + (turn * 997 + i * 131) % 20000] for i in range(5)]
        request = b"".join(b"set k%d.%d 0 0 %d\r\n%s\r\n" % (number, i, len(v), v) for i, v in enumerate(values))
        yield from engine.send(sock, request + b"get " + b" ".join(b"k%d.%d" % (number, i) for i in range(5)) + b"\r\n")
        answer = b"".join(b"VALUE k%d.%d 0 %d\r\n%s\r\n" % (number, i, len(v), v) for i, v in enumerate(values))
        wanted = b"STORED\r\n" * 5 + answer + b"END\r\n"
        clients.expect((yield from engine.recv_exactly(sock, len(wanted))), wanted, "memcached's answer")
    sock.close()


def start_memcached(launch):
    user = ["-u", "root"] if os.getuid() == 0 else []
    return launch(["memcached", "-l", HOST, "-p", str(free_port()), "-t", "4", *user])


def test_memcached(ctx):
    """Four workers with an event loop each, and a few threads of its own."""
    server = start_memcached(ctx.start)
    opener = clients.direct(server.address())
    run_all(ctx, server, [memcached_client(opener, number) for number in range(40)])
    ctx.check_threads(server.threads(), 5)
    require(server.stop() == 0, "memcached did not end with 0")


def start_redis(ctx, *options, launch=None):
    port = free_port()
    server = (launch or ctx.start)(["redis-server", "--port", str(port), "--bind", HOST, "--daemonize", "no", "--save", "",
                                    "--dir", ctx.directory, *options])
    server.port()
    return server, port


def redis_client(opener, number):
    sock = yield from opener()
    for turn in range(20):
        value = load.NOISE[number:][:1 + turn * 1999]
        key = b"k%d" % number
        request = b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(key), key, len(value), value)
        yield from engine.send(sock, request + b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(key), key))
        wanted = b"+OK\r\n$%d\r\n%s\r\n" % (len(value), value)
        clients.expect((yield from engine.recv_exactly(sock, len(wanted))), wanted, "redis' answer")
    sock.close()


def redis_cli(ctx, port, *command):
    return ctx.run(["redis-cli", "-h", HOST, "-p", str(port), *command]).decode().strip()


def use_redis(ctx, *options):
    server, port = start_redis(ctx, *options)
    run_all(ctx, server, [redis_client(clients.direct((HOST, port)), number) for number in range(40)])
    with ctx.blame(server):
        require(redis_cli(ctx, port, "DBSIZE") == "40", "other keys are there than were set")
        require(redis_cli(ctx, port, "SAVE") == "OK", "SAVE failed")
        require("started" in redis_cli(ctx, port, "BGSAVE"), "BGSAVE failed")
        require("rewriting" in redis_cli(ctx, port, "BGREWRITEAOF"), "BGREWRITEAOF failed")
        require(redis_cli(ctx, port, "FLUSHALL", "ASYNC") == "OK", "FLUSHALL failed")
    threads = server.threads()
    require(server.stop() == 0, "redis-server did not end with 0")
    return threads


def test_redis(ctx):
    """It has background threads in any case; snapshots are written by forked children."""
    ctx.check_threads(use_redis(ctx, "--appendonly", "yes"), 4)


def test_redis_io_threads(ctx):
    """These spin while they wait for work: each that does has a kernel thread."""
    use_redis(ctx, "--io-threads", "3", "--io-threads-do-reads", "yes")


def test_redis_benchmark(ctx):
    """Single and threaded; each test names itself and its rate."""
    server, port = start_redis(ctx)
    for threads in ([], ["--threads", "2"]):
        with ctx.blame(server):
            said = ctx.run(["redis-benchmark", "-h", HOST, "-p", str(port), "-n", "5000", "-c", "50", "-t",
                            "set,get,incr,lpush,mset", "-P", "4", "-q", *threads]).decode()
        rates = re.findall(r"([A-Z]\w+)[^:\r\n]*: [\d.]+ requests per second", said)
        require(rates == ["SET", "GET", "INCR", "LPUSH", "MSET"], f"redis-benchmark said {said!r}")


def start_mariadb(ctx, launch, *options):
    """A server on a new data directory with an empty database `test`, and its socket."""
    data = tempfile.mkdtemp(prefix="db", dir=ctx.directory)
    socket = f"{data}.sock"
    user = ["--user=root"] if os.getuid() == 0 else []
    base = ["mariadbd", "--no-defaults", f"--datadir={data}", "--innodb-log-file-size=4M", *user]
    with open(ctx.write("boot.sql", "CREATE DATABASE mysql;\nCREATE DATABASE test;\n")) as sql:
        ctx.run([*base, "--bootstrap"], stdin=sql, seconds=60, launch=launch)
    server = launch([*base, f"--socket={socket}", "--skip-networking", "--skip-grant-tables", *options])
    until(lambda: os.path.exists(socket) or server.check_alive(), 30, "mariadbd does not listen")
    return server, socket


@limit(90)
def test_mariadb(ctx):
    """A thread per connection; InnoDB brings a dozen of its own, with native AIO."""
    find_program("mariadbd")
    client = find_program("mariadb")
    server, socket = start_mariadb(ctx, ctx.start)
    with ctx.blame(server):
        sql = [client, "--no-defaults", f"--socket={socket}", "-N", "test"]
        ctx.run([*sql, "-e", "CREATE TABLE t (n INT PRIMARY KEY, v VARCHAR(99)) ENGINE=InnoDB"])
        writers = [ctx.start([*sql, "-e", inserts(number)]) for number in range(4)]
        for writer in writers:
            require(writer.wait(30) == 0, str(writer.failure("failed")))
        got = ctx.run([*sql, "-e", "SELECT COUNT(*), SUM(n), COUNT(DISTINCT v), SLEEP(0.1) FROM t"]).decode().split()
        require(got == ["200", str(sum(range(200))), "200", "0"], f"the table holds {got}")
        ctx.check_threads(server.threads(), 6)
    require(server.stop() == 0, "mariadbd did not end with 0")


def inserts(number):
    return "".join(f"INSERT INTO t VALUES ({n}, 'value {n}');" for n in range(number * 50, number * 50 + 50))
