# What long-running Python programs do: hashing, dictionaries, big numbers, and the interpreter between them.
import hashlib
import sys


def hashing(seed):
    data = bytes(range(256)) * 64
    digest = seed.to_bytes(8, "little")
    for _ in range(12):
        digest = hashlib.sha256(data + digest).digest()
        digest += hashlib.md5(digest).digest()
    return int.from_bytes(digest[:8], "little")


def dictionaries(seed):
    counts = {}
    x = seed | 1
    for _ in range(30000):
        x = (x * 1103515245 + 12345) & 0x7fffffff
        word = "w%d" % (x % 5000)
        counts[word] = counts.get(word, 0) + 1
    best = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:10]
    return sum(count * len(word) for word, count in best)


def big_numbers(seed):
    a = 3 ** (1500 + seed % 100)
    b = 7 ** 900 + seed
    total = 0
    for i in range(40):
        total += (a * b + i) % (b - i) + pow(b, 17 + i, 2 ** 127 - 1)
    return len(str(total)) + total % 1000003


def primes(limit):
    sieve = bytearray([1]) * limit
    found = 0
    for i in range(2, limit):
        if sieve[i]:
            found += 1
            for j in range(i * i, limit, i):
                sieve[j] = 0
    return found


def main(rounds):
    state = 1
    for r in range(rounds):
        state = (state * 31 + hashing(state) + dictionaries(state & 0xffff) + big_numbers(state & 0xff) + primes(20000)) % (1 << 61)
    print(rounds, "rounds:", state)


main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
