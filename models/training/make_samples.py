"""Remakes samples/: latents that the bundled encoder makes of freely licensed pictures, and one plain PNG.

    python make_samples.py CACHE [--target ../../samples]

Latents are fp16 [16, h, w] and scaled, what diffusers' `output_type="latent"` gives.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from data import EVALUATION_SIDE, centre_square, load, psnr, reduce_to
from evaluate import ExportedModel
from fetch import pictures
from network import FACTOR

SAMPLES = {"cat": "chelsea.png", "dandelion": "seeding_by_Clements_Engelhardt.jpg", "astronaut": "astronaut.png"}
AS_SAFETENSORS = "astronaut"
PLAIN_PNG = ("coffee", "coffee.png")
PLAIN_PNG_SIDE = 320


def fitted(image: Image.Image) -> np.ndarray:
    """A 512x512 square where the picture is large enough, else the largest middle part with sides multiples of 8."""
    if min(image.size) >= EVALUATION_SIDE:
        return np.asarray(centre_square(reduce_to(image, EVALUATION_SIDE), EVALUATION_SIDE))
    width, height = (side // FACTOR * FACTOR for side in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return np.asarray(image.crop((left, top, left + width, top + height)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--target", type=Path, default=Path(__file__).parents[2] / "samples")
    arguments = parser.parse_args()

    model = ExportedModel(Path(__file__).parents[1] / "bundled")
    sources = {Path(picture.path).name: picture for picture in pictures()}
    arguments.target.mkdir(exist_ok=True)
    for name, file in SAMPLES.items():
        pixels = fitted(load(sources[file], arguments.cache))
        latent = model.encode(pixels)
        if name == AS_SAFETENSORS:
            save_file({"latent": latent}, arguments.target / f"{name}.safetensors")
        else:
            np.save(arguments.target / f"{name}.npy", latent)
        print(f"{name}: {latent.shape}, decodes to {psnr(model.decode(latent), pixels):.2f} dB")
    name, file = PLAIN_PNG
    reduce_to(load(sources[file], arguments.cache), PLAIN_PNG_SIDE).save(
        arguments.target / f"{name}.png", optimize=True
    )


if __name__ == "__main__":
    main()
