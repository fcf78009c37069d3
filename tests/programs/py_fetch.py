"""A threaded client: py_fetch.py THREADS FETCHES URL... Prints how many bodies came and one hash over all."""

import hashlib
import sys
import threading
import urllib.request

digests = {}
start = threading.Barrier(int(sys.argv[1]))


def fetch(number, rounds, urls):
    start.wait()
    own = hashlib.sha256()
    for i in range(rounds):
        with urllib.request.urlopen(urls[(number + i) % len(urls)], timeout=60) as answer:
            own.update(answer.read())
    digests[number] = own.hexdigest()


def main():
    count, rounds, urls = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    threads = [threading.Thread(target=fetch, args=(n, rounds, urls)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = hashlib.sha256("".join(digests[n] for n in sorted(digests)).encode())
    print(len(digests) * rounds, total.hexdigest())


if __name__ == "__main__":
    main()
