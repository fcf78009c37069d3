"""Processes of every kind from a threaded python: multiprocessing with each start method, and subprocess."""

import multiprocessing
import os
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor


def square(n):
    return n * n


def exchange(inbox, outbox, lock, total):
    for n in iter(inbox.get, None):
        with lock:
            total.value += n
        outbox.put(n + 1)


def queues(context):
    inbox, outbox, lock, total = context.Queue(), context.Queue(), context.Lock(), context.Value("i", 0)
    workers = [context.Process(target=exchange, args=(inbox, outbox, lock, total)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for n in [*range(50), None, None]:
        inbox.put(n)
    answers = sorted(outbox.get(timeout=30) for _ in range(50))
    for worker in workers:
        worker.join(30)
    return answers == list(range(1, 51)), total.value, [worker.exitcode for worker in workers]


def start_methods():
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            print(method, pool.map(square, range(10)), pool.apply_async(square, (12,)).get(30))
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            print(method, sum(pool.map(square, range(20), chunksize=5)))
        print(method, *queues(context))


def command(n):
    shell = subprocess.run(f"echo {n} | tr 0-9 a-j; exit {n % 7}", shell=True, capture_output=True, timeout=30)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as cat:
        text, _ = cat.communicate(b"x" * 1000 * n, timeout=30)
    try:
        subprocess.run(["sleep", "100"], timeout=0.05)
    except subprocess.TimeoutExpired:
        return n, shell.returncode, shell.stdout, len(text), os.system(f"exit {n}") >> 8, os.popen(f"echo {n}").read()
    return None


def main():
    stay = threading.Event()
    threading.Thread(target=stay.wait).start()
    start_methods()
    with ThreadPoolExecutor(10) as pool:
        for answer in pool.map(command, range(20)):
            print(*answer)
    stay.set()


if __name__ == "__main__":
    main()
    sys.stdout.flush()
