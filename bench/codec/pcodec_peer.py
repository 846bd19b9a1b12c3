"""Official pcodec behind one line of JSON a job, single-threaded; answers one line of JSON.

Job: {"op": "compress" | "decompress", "path": FILE, "dtype": "float16" | "uint16" | "float32"}. A compress job reads bare
numbers and uses pcodec's defaults at level 8; a decompress job reads a .pco file. Only pcodec's own call is timed, into
memory that is there already where its interface allows that.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pcodec import ChunkConfig, standalone

print(json.dumps({"version": version("pcodec")}), flush=True)
for line in sys.stdin:
    job = json.loads(line)
    stored = Path(job["path"]).read_bytes()
    if job["op"] == "compress":
        numbers = np.frombuffer(stored, dtype=job["dtype"])
        start = time.perf_counter()
        size = len(standalone.simple_compress(numbers, ChunkConfig(compression_level=8)))
    else:
        size = standalone.simple_decompress(stored).nbytes
        target = np.empty(size // np.dtype(job["dtype"]).itemsize, dtype=job["dtype"])
        start = time.perf_counter()
        standalone.simple_decompress_into(stored, target)
    print(json.dumps({"ms": (time.perf_counter() - start) * 1000, "bytes": size}), flush=True)
