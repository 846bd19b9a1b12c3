"""Serves one ONNX decoder by the KServe project's own model server (PyPI kserve), with onnxruntime on the CPU."""
import sys

import onnxruntime
from kserve import InferOutput, InferResponse, Model, ModelServer

path, http_port = sys.argv[1:3]
NAME = "vae-decoder"
DATATYPES = {"tensor(float)": "FP32", "tensor(float16)": "FP16", "tensor(uint8)": "UINT8"}


class Decoder(Model):
    def __init__(self):
        super().__init__(NAME)
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        self.ready = True

    async def get_input_types(self):
        return [
            {"name": given.name, "datatype": DATATYPES[given.type], "shape": [-1] * len(given.shape)}
            for given in self.session.get_inputs()
        ]

    async def get_output_types(self):
        return [
            {"name": taken.name, "datatype": DATATYPES[taken.type], "shape": [-1] * len(taken.shape)}
            for taken in self.session.get_outputs()
        ]

    def predict(self, payload, headers=None, response_headers=None):
        given = payload.inputs[0]
        result = self.session.run(None, {given.name: given.as_numpy()})[0]
        output = InferOutput(name=self.session.get_outputs()[0].name, shape=list(result.shape), datatype="UINT8")
        output.set_data_from_numpy(result, binary_data=True)
        return InferResponse(
            response_id=payload.id or "1",
            model_name=NAME,
            infer_outputs=[output],
            requested_outputs=payload.request_outputs,
        )


ModelServer(http_port=int(http_port), enable_grpc=False, workers=1).start([Decoder()])
