"""Measures the exported model with ONNX Runtime on the held-out photographs, beside the PCA.

    python evaluate.py CACHE [--model ../bundled] [--pictures FOLDER]

Prints a Markdown table of PSNR in dB over 8-bit RGB at 512x512, latents rounded to fp16 in between as stored ones
are, and the decoder's time. `--pictures` also writes original | PCA | model side by side as PNGs, to be looked at.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from data import held_out, psnr, to_pixels, training_set
from pca import fit, reconstruct

THREADS = 2
TIMED_RUNS = 30


class ExportedModel:
    """Both exported halves, in scaled latents as the gateway stores them."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.channels = config["latent_channels"]
        self.scale, self.shift = config["scaling_factor"], config["shift_factor"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        self.encoder, self.decoder = (
            onnxruntime.InferenceSession(folder / half / "model.onnx", options, providers=["CPUExecutionProvider"])
            for half in ("vae_encoder", "vae_decoder")
        )

    def encode(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 [H, W, 3] -> scaled latent means, fp16 [16, H/8, W/8]."""
        sample = np.moveaxis(pixels, -1, 0)[None].astype(np.float32) / 127.5 - 1
        (parameters,) = self.encoder.run(None, {"sample": sample})
        return ((parameters[0, : self.channels] - self.shift) * self.scale).astype(np.float16)

    def decode(self, scaled: np.ndarray) -> np.ndarray:
        """Scaled latent [16, h, w] -> uint8 [8h, 8w, 3]."""
        latent = scaled[None].astype(np.float32) / self.scale + self.shift
        (sample,) = self.decoder.run(None, {"latent_sample": latent})
        return to_pixels(sample[0])


def decode_milliseconds(model: ExportedModel) -> float:
    """Median time of one 512x512 decode on THREADS threads."""
    latent = np.random.default_rng(0).normal(size=(1, model.channels, 64, 64)).astype(np.float32)
    times = []
    for _ in range(TIMED_RUNS):
        began = time.perf_counter()
        model.decoder.run(None, {"latent_sample": latent})
        times.append(time.perf_counter() - began)
    return float(np.median(times)) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--model", type=Path, default=Path(__file__).parents[1] / "bundled")
    parser.add_argument("--pictures", type=Path)
    arguments = parser.parse_args()

    model = ExportedModel(arguments.model)
    pca = fit(training_set(arguments.cache))
    rows = []
    print("| held-out photograph | PCA, 16 components | model | gain |\n| --- | ---: | ---: | ---: |")
    for name, pixels in held_out(arguments.cache).items():
        linear, decoded = reconstruct(pca, pixels), model.decode(model.encode(pixels))
        row = (psnr(linear, pixels), psnr(decoded, pixels))
        rows.append(row)
        print(f"| {name} | {row[0]:.2f} | {row[1]:.2f} | {row[1] - row[0]:+.2f} |")
        if arguments.pictures:
            arguments.pictures.mkdir(parents=True, exist_ok=True)
            strip = Image.fromarray(np.concatenate([pixels, linear, decoded], axis=1))
            strip.save(arguments.pictures / f"{name}.png")
    linear_mean, model_mean = np.mean(rows, axis=0)
    print(f"| **mean** | **{linear_mean:.2f}** | **{model_mean:.2f}** | **{model_mean - linear_mean:+.2f}** |")
    print(f"\nDecode of 512x512 on {THREADS} threads: {decode_milliseconds(model):.1f} ms (median of {TIMED_RUNS})")


if __name__ == "__main__":
    main()
