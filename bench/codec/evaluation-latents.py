"""Makes the latents that codec measurements are quoted on.

    python3 bench/codec/evaluation-latents.py [--data ../shared/data] [--out .cache/evaluation-latents] [--pictures N]

Needs torch, numpy, pillow, safetensors and onnxruntime. Kinds, as KIND/NAME.fp16.npy and KIND/NAME.bf16.safetensors:
  sd1, sdxl, sd3, flux1, flux2   generated pictures of at least 512 pixels a side through the tiny encoders of DATA/vae,
                                 centre crops of at most 1024 pixels, sides multiples of 16
  bundled                        the same through the encoder that ships with LatentBox, in its scaled space
  grf-0.9, grf-0.6               Gaussian random fields, 16 channels of 128 x 128, with the spectrum of an isotropic
                                 first-order Markov field whose neighbour correlation is the number
  white                          independent Gaussian values, the bound that no model of neighbours can beat
Everything is seeded, so two runs give the same files.
"""

import argparse
import json
from itertools import islice
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

ENCODERS = {"sd1": "taesd", "sdxl": "taesdxl", "sd3": "taesd3", "flux1": "taef1", "flux2": "taef2"}
MAX_SIDE = 1024
MIN_SIDE = 512
SEED = 20261124
SYNTHETIC_SHAPE = (16, 128, 128)
SYNTHETIC_COUNT = 3


def block(weights, index, x):
    """One residual block of a tiny autoencoder; FLUX.2's adds a pooled branch in front."""
    prefix = f"{index}."
    if f"{prefix}pool.0.weight" in weights:
        pooled = F.conv2d(x, weights[f"{prefix}pool.0.weight"])
        pooled = F.relu(F.group_norm(pooled, 4, weights[f"{prefix}pool.1.weight"], weights[f"{prefix}pool.1.bias"]))
        x = x + F.conv2d(pooled, weights[f"{prefix}pool.3.weight"])
    y = x
    for layer in (0, 2, 4):
        y = F.conv2d(y, weights[f"{prefix}conv.{layer}.weight"], weights[f"{prefix}conv.{layer}.bias"], padding=1)
        if layer != 4:
            y = F.relu(y)
    skip = weights.get(f"{prefix}skip.weight")
    return F.relu(y + (x if skip is None else F.conv2d(x, skip)))


def encode(weights, pixels):
    """RGB in [0, 1], [1, 3, H, W], to scaled latents; layers are numbered as in the file."""
    x = pixels
    last = max(int(key.split(".")[0]) for key in weights)
    for index in range(last + 1):
        if f"{index}.conv.0.weight" in weights:
            x = block(weights, index, x)
        elif f"{index}.weight" in weights:
            bias = weights.get(f"{index}.bias")
            # Exactly the convolutions without bias are the down-sampling ones.
            x = F.conv2d(x, weights[f"{index}.weight"], bias, stride=2 if bias is None else 1, padding=1)
    return x


def bundled_encoder(folder):
    """A function as `encode`: the graph takes [-1, 1] and gives mean and log-variance in the VAE's own scale."""
    config = json.loads((folder / "config.json").read_text())
    session = onnxruntime.InferenceSession(folder / "vae_encoder" / "model.onnx")
    dtype = np.float16 if session.get_inputs()[0].type == "tensor(float16)" else np.float32

    def run(pixels):
        (parameters,) = session.run(None, {session.get_inputs()[0].name: (pixels.numpy() * 2 - 1).astype(dtype)})
        mean = parameters[:, : config["latent_channels"]].astype(np.float32)
        return torch.from_numpy((mean - (config.get("shift_factor") or 0)) * config["scaling_factor"])

    return run


def pictures(folder):
    for path in sorted(folder.glob("*.png")):
        image = Image.open(path).convert("RGB")
        if min(image.size) < MIN_SIDE:
            continue
        width, height = (min(side, MAX_SIDE) // 16 * 16 for side in image.size)
        left, top = (image.width - width) // 2, (image.height - height) // 2
        crop = np.asarray(image.crop((left, top, left + width, top + height)), dtype=np.float32) / 255
        yield path.stem, torch.from_numpy(crop).permute(2, 0, 1)[None]


def markov_field(rng, correlation):
    """White noise shaped by the square root of the spectrum of exp(-|x| / length), length = -1 / ln(correlation)."""
    channels, height, width = SYNTHETIC_SHAPE
    wave = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :]) * 2 * np.pi
    length = -1 / np.log(correlation)
    amplitude = (1 + (wave * length) ** 2) ** -0.75
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((channels, height, width))) * amplitude).real
    return field / field.std(axis=(1, 2), keepdims=True)


def write(folder, name, latent):
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{name}.fp16.npy", latent.to(torch.float16).numpy())
    save_file({"latent": latent.to(torch.bfloat16).contiguous()}, folder / f"{name}.bf16.safetensors")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--bundled", type=Path, default=Path("models/bundled"))
    parser.add_argument("--pictures", type=int, help="only the first N")
    parser.add_argument("--out", type=Path, default=Path(".cache/evaluation-latents"))
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    for kind, correlation in (("grf-0.9", 0.9), ("grf-0.6", 0.6)):
        for number in range(SYNTHETIC_COUNT):
            write(options.out / kind, str(number), torch.from_numpy(markov_field(rng, correlation)))
    for number in range(SYNTHETIC_COUNT):
        write(options.out / "white", str(number), torch.from_numpy(rng.standard_normal(SYNTHETIC_SHAPE)))
    encoders = {"bundled": bundled_encoder(options.bundled)}
    for kind, name in ENCODERS.items():
        weights = load_file(options.data / "vae" / f"{name}_encoder.safetensors")
        weights = {key: value.float() for key, value in weights.items()}
        encoders[kind] = lambda pixels, weights=weights: encode(weights, pixels)
    with torch.inference_mode():
        for name, pixels in islice(pictures(options.data / "pictures"), options.pictures):
            for kind, encoder in encoders.items():
                write(options.out / kind, name, encoder(pixels)[0])
                print(kind, name, flush=True)


if __name__ == "__main__":
    main()
