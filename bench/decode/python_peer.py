"""Python's onnxruntime on the same graph: one JSON line with milliseconds per byte line read on stdin."""
import json
import sys
import time

import numpy
import onnxruntime

path, threads, latent_path, channels, height, width = sys.argv[1:7]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(threads)
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
dtype = numpy.float16 if session.get_inputs()[0].type == "tensor(float16)" else numpy.float32
with open(latent_path, "rb") as file:
    latent = file.read()
print(json.dumps({"version": onnxruntime.__version__}), flush=True)
for _ in sys.stdin:
    started = time.perf_counter()
    values = numpy.frombuffer(latent, dtype="<f2").reshape(1, int(channels), int(height), int(width)).astype(dtype)
    pixels = session.run(None, {name: values})[0].tobytes()
    print(json.dumps({"ms": (time.perf_counter() - started) * 1000, "bytes": len(pixels)}), flush=True)
