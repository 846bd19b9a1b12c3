"""PyTorch's answers for the graph tests: seeded small VAEs of each family, and the real tiny ones on real pictures.

    python reference.py TARGET [--tiny VAE_FOLDER PICTURE_FOLDER [--pictures-only]]

Each case is a folder with the weights as diffusers (or TAESD) keeps them, and float32 arrays as raw little-endian
files: what went in, what came out, and the gradient that autograd gives.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

SIDE = 6
"""Latent cells a side: odd against the stages' powers of two, and small."""

PATCH = 8
PATCHES = 6
"""Small latents, cells a side and how many: few enough ReLUs that in most of them none lies at its kink."""

KL = {
    "block_out_channels": [16, 32, 32],
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "down_block_types": ["DownEncoderBlock2D"] * 3,
    "up_block_types": ["UpDecoderBlock2D"] * 3,
}


def save(folder: Path, **arrays: torch.Tensor | np.ndarray) -> None:
    shapes = {}
    for name, array in arrays.items():
        values = array.detach().numpy() if isinstance(array, torch.Tensor) else array
        np.ascontiguousarray(values).tofile(folder / f"{name}.bin")
        shapes[name] = list(values.shape)
    (folder / "shapes.json").write_text(json.dumps(shapes))


def disturb(model: nn.Module, generator: torch.Generator) -> None:
    """Norms start as ones and zeros, which would hide a forgotten scale."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.2)


def pixels_to_input(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels.astype(np.float32) / 255 * 2 - 1).permute(2, 0, 1)[None]


def to_pixels(sample: torch.Tensor) -> np.ndarray:
    unit = (sample[0] * 0.5 + 0.5).clamp(0, 1).permute(1, 2, 0).detach().numpy()
    return (unit * 255).round().astype(np.uint8)


def seeded_case(target: Path, name: str, seed: int) -> None:
    from diffusers import AutoencoderKL, AutoencoderTiny
    from diffusers.models.autoencoders.autoencoder_kl_flux2 import AutoencoderKLFlux2

    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    patch = 1
    if name == "kl-quant":
        model = AutoencoderKL(**KL, latent_channels=4, scaling_factor=0.18215)
    elif name == "kl-plain":
        options = {"use_quant_conv": False, "use_post_quant_conv": False}
        model = AutoencoderKL(**KL, **options, latent_channels=16, scaling_factor=1.5305, shift_factor=0.0609)
    elif name == "kl-patched":
        model = AutoencoderKLFlux2(**KL, latent_channels=8)
        model.bn.running_mean.copy_(torch.randn(32, generator=generator) * 0.3)
        model.bn.running_var.copy_(torch.rand(32, generator=generator) + 0.5)
        patch = 2
    else:
        model = AutoencoderTiny(
            encoder_block_out_channels=(16, 16, 16), decoder_block_out_channels=(16, 16, 16),
            num_encoder_blocks=(1, 2, 1), num_decoder_blocks=(2, 1, 1), latent_channels=4,
        )
    model.eval()
    disturb(model, generator)
    folder = target / name
    model.save_pretrained(folder)
    channels = model.config.latent_channels * patch**2
    latent = torch.randn(1, channels, SIDE, SIDE + 2, generator=generator, requires_grad=True)
    if patch == 2:
        mean = model.bn.running_mean.view(1, -1, 1, 1)
        std = torch.sqrt(model.bn.running_var.view(1, -1, 1, 1) + model.config.batch_norm_eps)
        unscaled = latent * std + mean
        raw = unscaled.reshape(1, channels // 4, 2, 2, SIDE, SIDE + 2).permute(0, 1, 4, 2, 5, 3)
        raw = raw.reshape(1, channels // 4, 2 * SIDE, 2 * (SIDE + 2))
    else:
        raw = latent / model.config.scaling_factor + (getattr(model.config, "shift_factor", None) or 0)
    sample = model.decode(raw).sample
    cotangent = torch.randn(sample.shape, generator=generator)
    (gradient,) = torch.autograd.grad(sample, latent, cotangent)
    pixels = np.random.default_rng(seed).integers(0, 256, (*sample.shape[2:], 3), dtype=np.uint8)
    encoded = model.encode(pixels_to_input(pixels))
    mode = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mode()
    if patch == 2:
        folded = mode.reshape(1, channels // 4, SIDE, 2, SIDE + 2, 2).permute(0, 1, 3, 5, 2, 4)
        scaled = (folded.reshape(1, channels, SIDE, SIDE + 2) - mean) / std
    else:
        scaled = (mode - (getattr(model.config, "shift_factor", None) or 0)) * model.config.scaling_factor
    save(
        folder, latent=latent, sample=sample, cotangent=cotangent, gradient=gradient,
        pixels=pixels, encoded=scaled, decoded=to_pixels(sample),
    )
    if name == "kl-plain":
        export_onnx(model, folder / "onnx")


class Half(nn.Module):
    """One half of a VAE as a module of its own, which is what the exporter takes."""

    def __init__(self, model: nn.Module, run: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.model = model  # so that the exporter knows the weights
        self.run = run

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        return self.run(value)


def export_onnx(model: nn.Module, folder: Path) -> None:
    """PyTorch's own export, in the layout that optimum gives it."""
    sides = {0: "batch", 2: "height", 3: "width"}
    channels = model.config.latent_channels
    halves = [
        ("decoder", "latent_sample", "sample", lambda z: model.decode(z).sample, (1, channels, 8, 8)),
        ("encoder", "sample", "latent_parameters", lambda x: model.encode(x).latent_dist.parameters, (1, 3, 32, 32)),
    ]
    for half, input_name, output_name, run, shape in halves:
        (folder / f"vae_{half}").mkdir(parents=True)
        torch.onnx.export(
            Half(model, run), (torch.randn(shape),), folder / f"vae_{half}" / "model.onnx", dynamo=False, opset_version=17,
            input_names=[input_name], output_names=[output_name], dynamic_axes={input_name: sides, output_name: sides},
        )
    (folder / "config.json").write_text((folder.parent / "config.json").read_text())


class OriginalTiny:
    """TAESD in its original key layout, run straight from the file's tensors."""

    def __init__(self, path: Path, dtype: torch.dtype = torch.float32) -> None:
        from safetensors.torch import load_file

        self.weights = {name: value.to(dtype) for name, value in load_file(path).items()}
        self.indices = {int(name.split(".")[0]) for name in self.weights}

    def conv(self, x: torch.Tensor, name: str, stride: int = 1) -> torch.Tensor:
        weight = self.weights[f"{name}.weight"]
        return F.conv2d(x, weight, self.weights.get(f"{name}.bias"), stride, padding=weight.shape[-1] // 2)

    def layer(self, x: torch.Tensor, index: int, stride: int) -> torch.Tensor:
        name = str(index)
        if f"{name}.conv.0.weight" not in self.weights:
            return self.conv(x, name, stride)
        if f"{name}.pool.0.weight" in self.weights:
            pooled = F.group_norm(
                self.conv(x, f"{name}.pool.0"), 4, self.weights[f"{name}.pool.1.weight"], self.weights[f"{name}.pool.1.bias"]
            )
            x = x + self.conv(F.relu(pooled), f"{name}.pool.3")
        inner = F.relu(self.conv(x, f"{name}.conv.0"))
        inner = self.conv(F.relu(self.conv(inner, f"{name}.conv.2")), f"{name}.conv.4")
        return F.relu(inner + x)

    def decode(self, latent: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.conv(torch.tanh(latent / 3) * 3, "1"))
        for index in range(3, max(self.indices) + 1):
            x = self.layer(x, index, 1) if index in self.indices else F.interpolate(x, scale_factor=2)
        return x

    def encode(self, unit: torch.Tensor) -> torch.Tensor:
        x = unit
        for index in range(max(self.indices) + 1):
            strided = f"{index}.weight" in self.weights and f"{index}.bias" not in self.weights
            x = self.layer(x, index, 2 if strided else 1)
        return x


PICTURES = {
    "taesd": "hypernetworks-hypernetwork_example_output.png",
    "taesdxl": "sdxl-sdxl_simple_example.png",
    "taesd3": "sd3-sd3.5_simple_example.png",
    "taef1": "flux-flux_dev_example.png",
    "taef2": "flux2-flux2_example.png",
}


def tiny_case(target: Path, name: str, vae: Path, pictures: Path, pictures_only: bool) -> None:
    from PIL import Image

    folder = target / name
    folder.mkdir(parents=True)
    pixels = np.asarray(Image.open(pictures / PICTURES[name]).convert("RGB"))[128:288, 192:384]
    unit = torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None]
    with torch.no_grad():
        encoded = OriginalTiny(vae / f"{name}_encoder.safetensors").encode(unit)
    if pictures_only:
        with torch.no_grad():
            sample = OriginalTiny(vae / f"{name}_decoder.safetensors").decode(encoded) * 2 - 1
        save(folder, pixels=pixels, encoded=encoded, decoded=to_pixels(sample))
        return
    latent = encoded.clone().requires_grad_()
    sample = OriginalTiny(vae / f"{name}_decoder.safetensors").decode(latent) * 2 - 1
    cotangent = torch.randn(sample.shape, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad(sample, latent, cotangent)
    patches = encoded.unfold(2, PATCH, PATCH).unfold(3, PATCH, PATCH)[0].permute(1, 2, 0, 3, 4).flatten(0, 1)[:PATCHES]
    sides = [PATCHES, 3, sample.shape[2] // encoded.shape[2] * PATCH, sample.shape[3] // encoded.shape[3] * PATCH]
    patch_cotangents = torch.randn(sides, generator=torch.Generator().manual_seed(2))
    decoder = OriginalTiny(vae / f"{name}_decoder.safetensors", torch.float64)
    save(
        folder, latent=latent, sample=sample, cotangent=cotangent, gradient=gradient,
        gradient64=gradient64(decoder, encoded, cotangent),
        patches=patches, patch_cotangents=patch_cotangents,
        patch_gradients64=gradient64(decoder, patches, patch_cotangents),
        pixels=pixels, encoded=encoded, decoded=to_pixels(sample),
    )


def gradient64(decoder: OriginalTiny, latent: torch.Tensor, cotangent: torch.Tensor) -> torch.Tensor:
    """The gradient in float64, given back as float32."""
    exact = latent.double().requires_grad_()
    (gradient,) = torch.autograd.grad(decoder.decode(exact) * 2 - 1, exact, cotangent.double())
    return gradient.float()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("target", type=Path)
    parser.add_argument("--tiny", type=Path, nargs=2)
    parser.add_argument("--pictures-only", action="store_true", help="no gradients")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.tiny:
        for name in PICTURES:
            tiny_case(arguments.target, name, *arguments.tiny, arguments.pictures_only)
    else:
        for seed, name in enumerate(["kl-quant", "kl-plain", "kl-patched", "tiny"]):
            seeded_case(arguments.target, name, seed)


if __name__ == "__main__":
    main()
