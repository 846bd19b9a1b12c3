"""Serves one ONNX decoder by NVIDIA Triton (PyPI nvidia-pytriton), which runs it by onnxruntime on the CPU."""
import sys

import numpy
import onnxruntime
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

path, http_port, grpc_port, metrics_port = sys.argv[1:5]
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
given = session.get_inputs()[0]
taken = session.get_outputs()[0]


def infer(requests):
    return [{taken.name: session.run(None, {given.name: request[given.name]})[0]} for request in requests]


config = TritonConfig(
    http_address="127.0.0.1",
    http_port=int(http_port),
    grpc_port=int(grpc_port),
    metrics_port=int(metrics_port),
)
with Triton(config=config) as triton:
    triton.bind(
        model_name="vae-decoder",
        infer_func=infer,
        inputs=[Tensor(name=given.name, dtype=numpy.float32, shape=(-1, -1, -1, -1))],
        outputs=[Tensor(name=taken.name, dtype=numpy.uint8, shape=(-1, -1, -1, -1))],
        config=ModelConfig(batching=False),
    )
    triton.serve()
