"""Writes the trained autoencoder as ONNX in diffusers' layout.

    python export.py CACHE CHECKPOINT [--target ../bundled]

The graphs are written node by node: Conv, Sigmoid, Mul, Add, DepthToSpace and, in the encoder, Concat with a constant
log-variance. Latents get one scale and one shift in config.json, measured on the training pictures, so that scaled
latents have zero mean and unit variance over all channels together.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from data import to_tensor, training_set
from network import DECODER_COARSE, DECODER_FINE, FACTOR, LATENT_CHANNELS, Decoder, Encoder, ResidualBlock

OPSET = 17
IR_VERSION = 8
LOG_VARIANCE = -30.0
"""diffusers clamps log-variances at -30: the encoder is deterministic, its distribution a point."""


class GraphWriter:
    """Collects nodes and weights; every method returns the name of the value that it adds."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def node(self, operator: str, inputs: list[str], **attributes: object) -> str:
        output = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, values: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def conv(self, layer: nn.Conv2d, name: str, x: str, outputs: np.ndarray | None = None) -> str:
        """`outputs` reorders the layer's output channels."""
        weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        if outputs is not None:
            weight, bias = weight[outputs], bias[outputs]
        inputs = [x, self.constant(f"{name}.weight", weight), self.constant(f"{name}.bias", bias)]
        return self.node(
            "Conv",
            inputs,
            kernel_shape=list(layer.kernel_size),
            strides=list(layer.stride),
            pads=[*layer.padding, *layer.padding],
            dilations=[1, 1],
            group=1,
        )

    def silu(self, x: str) -> str:
        return self.node("Mul", [x, self.node("Sigmoid", [x])])

    def add(self, a: str, b: str) -> str:
        return self.node("Add", [a, b])

    def block(self, layer: ResidualBlock, name: str, x: str) -> str:
        inner = self.silu(self.conv(layer.first, f"{name}.first", x))
        return self.add(x, self.conv(layer.second, f"{name}.second", inner))

    def depth_to_space(self, x: str, blocksize: int) -> str:
        return self.node("DepthToSpace", [x], blocksize=blocksize, mode="DCR")

    def rename(self, value: str, name: str) -> None:
        """Gives the last node's output its public name."""
        assert self.nodes[-1].output[0] == value
        self.nodes[-1].output[0] = name


def depth_first(channels: int, blocksize: int) -> np.ndarray:
    """Order of a convolution's outputs that makes ONNX's default DepthToSpace (DCR) act as PyTorch's pixel shuffle.

    PyTorch reads channel c·r² + i as sub-pixel i of colour c; DCR, which every execution provider has, reads it as
    i·C + c.
    """
    return np.arange(channels * blocksize**2).reshape(channels, blocksize**2).T.ravel()


def write_decoder(decoder: Decoder) -> GraphWriter:
    graph = GraphWriter()
    latent = "latent_sample"
    x = graph.conv(decoder.stem, "stem", latent)
    for index, block in enumerate(decoder.blocks):
        x = graph.block(block, f"blocks.{index}", x)
    halves = depth_first(DECODER_FINE, 2)
    x = graph.silu(graph.conv(decoder.up, "up", graph.silu(x), halves))
    x = graph.silu(graph.block(decoder.fine, "fine", graph.depth_to_space(x, 2)))
    quarters = depth_first(3, 4)
    x = graph.conv(decoder.out, "out", x, quarters)
    # The skip's channels after its shuffle must follow the order that `out` now has.
    skip_order = np.arange(4 * DECODER_FINE).reshape(DECODER_FINE, 4)[quarters].ravel()[halves]
    skip = graph.depth_to_space(graph.conv(decoder.skip, "skip", latent, skip_order), 2)
    graph.rename(graph.depth_to_space(graph.add(x, skip), 4), "sample")
    return graph


def write_encoder(encoder: Encoder) -> GraphWriter:
    graph = GraphWriter()
    picture = "sample"
    x = graph.silu(graph.conv(encoder.stem, "stem", picture))
    x = graph.silu(graph.conv(encoder.fine, "fine", x))
    x = graph.conv(encoder.down, "down", x)
    for index, block in enumerate(encoder.blocks):
        x = graph.block(block, f"blocks.{index}", x)
    correction = graph.conv(encoder.out, "out", graph.silu(x))
    mean = graph.add(graph.conv(encoder.skip, "skip", picture), correction)
    # 0·mean + c would turn an infinite latent into NaN; a convolution with zero weights has the same flaw, so the
    # constant is taken from the shape alone.
    value = numpy_helper.from_array(np.array([LOG_VARIANCE], dtype=np.float32))
    log_variance = graph.node("ConstantOfShape", [graph.node("Shape", [mean])], value=value)
    graph.rename(graph.node("Concat", [mean, log_variance], axis=1), "latent_parameters")
    return graph


def save(graph: GraphWriter, path: Path, source: tuple[str, list[object]], target: tuple[str, list[object]]) -> None:
    """Checks the graph and writes it; the bytes depend on the weights only."""
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            path.parent.name,
            [helper.make_tensor_value_info(source[0], TensorProto.FLOAT, source[1])],
            [helper.make_tensor_value_info(target[0], TensorProto.FLOAT, target[1])],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="latentbox",
    )
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


@torch.no_grad()
def latent_statistics(encoder: Encoder, cache: Path) -> tuple[float, float]:
    """Mean and standard deviation of all latent values over the training pictures, in their training proportions."""
    pictures = training_set(cache)
    total = square = 0.0
    for pixels, weight in zip(pictures.arrays, pictures.weights, strict=True):
        height, width = (side // FACTOR * FACTOR for side in pixels.shape[:2])
        latent = encoder(to_tensor(pixels[:height, :width])[None]).double()
        total += weight * latent.mean().item()
        square += weight * latent.square().mean().item()
    return total, (square - total**2) ** 0.5


def load_average(checkpoint: Path) -> tuple[Encoder, Decoder, int]:
    """The averaged weights of a checkpoint, and after how many steps."""
    state = torch.load(checkpoint, weights_only=True)
    encoder, decoder = Encoder(), Decoder()
    for half, name in ((encoder, "module.encoder."), (decoder, "module.decoder.")):
        half.load_state_dict({k.removeprefix(name): v for k, v in state["average"].items() if k.startswith(name)})
    return encoder, decoder, state["step"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--target", type=Path, default=Path(__file__).parents[1] / "bundled")
    arguments = parser.parse_args()

    encoder, decoder, step = load_average(arguments.checkpoint)
    picture: list[object] = ["batch", 3, "height", "width"]
    save(
        write_encoder(encoder),
        arguments.target / "vae_encoder" / "model.onnx",
        ("sample", picture),
        ("latent_parameters", ["batch", 2 * LATENT_CHANNELS, "latent_height", "latent_width"]),
    )
    save(
        write_decoder(decoder),
        arguments.target / "vae_decoder" / "model.onnx",
        ("latent_sample", ["batch", LATENT_CHANNELS, "latent_height", "latent_width"]),
        ("sample", picture),
    )
    mean, deviation = latent_statistics(encoder, arguments.cache)
    config = {
        "_class_name": "LatentBoxAutoencoder",
        "in_channels": 3,
        "out_channels": 3,
        "latent_channels": LATENT_CHANNELS,
        "block_out_channels": [3, DECODER_FINE, DECODER_FINE, DECODER_COARSE],
        "spatial_factor": FACTOR,
        "scaling_factor": round(1 / deviation, 4),
        "shift_factor": round(mean, 4),
        "training_steps": step,
    }
    (arguments.target / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
