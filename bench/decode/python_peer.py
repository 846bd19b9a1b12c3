"""Python's onnxruntime on the same graph, from a stored latent to bytes of pixels, once per line on stdin.

    python_peer.py MODEL THREADS LATENT CHANNELS HEIGHT WIDTH

LATENT is a bare pcodec file of float16 values (as lies in a container), which PyPI's pcodec opens; where it ends in
`.f16`, the values themselves. Answers one line of JSON with the milliseconds.
"""
import json
import sys
import time

import numpy
import onnxruntime

path, threads, latent_path, channels, height, width = sys.argv[1:7]
shape = (1, int(channels), int(height), int(width))
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(threads)
# As ours: after a run the cores belong to the other side of the comparison.
options.add_session_config_entry("session.force_spinning_stop", "1")
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
dtype = numpy.float16 if session.get_inputs()[0].type == "tensor(float16)" else numpy.float32
with open(latent_path, "rb") as file:
    stored = file.read()
if latent_path.endswith(".f16"):

    def values():
        return numpy.frombuffer(stored, dtype="<f2")

else:
    from pcodec import standalone

    def values():
        return standalone.simple_decompress(stored)


print(json.dumps({"version": onnxruntime.__version__}), flush=True)
for _ in sys.stdin:
    started = time.perf_counter()
    pixels = session.run(None, {name: values().reshape(shape).astype(dtype)})[0].tobytes()
    print(json.dumps({"ms": (time.perf_counter() - started) * 1000, "bytes": len(pixels)}), flush=True)
