"""Replays object numbers (little-endian uint32 on stdin) through libCacheSim's caches: policies and sizes as comma-separated lists; a byte a request on stdout, 1 for a hit, one run after the other."""

import sys

import libcachesim
import numpy

policies, sizes = sys.argv[1].split(","), [int(size) for size in sys.argv[2].split(",")]
kinds = {"lru": libcachesim.LRU, "sieve": libcachesim.Sieve}
objects = numpy.frombuffer(sys.stdin.buffer.read(), dtype="<u4").tolist()
request = libcachesim.Request()
request.obj_size = 1
for policy in policies:
    for entries in sizes:
        cache = kinds[policy](cache_size=entries)
        hits = bytearray(len(objects))
        for i, number in enumerate(objects):
            request.obj_id = number
            hits[i] = cache.get(request)
        sys.stdout.buffer.write(hits)
