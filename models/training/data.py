"""Pictures as arrays: the training set at several scales, and the held-out photographs at 512x512."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from fetch import Picture, pictures
from renders import render_all

EVALUATION_SIDE = 512
SCALES = (384, 512, 768)
"""Shorter sides that training pictures are reduced to, never enlarged. 512 is how pictures are evaluated."""

RENDERS = 60
RENDER_SEED = 7
KIND_WEIGHTS = {"photo": 1.0, "graphic": 0.3, "render": 0.2}
"""How often a crop comes from a picture of that kind."""

Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class TrainingSet:
    arrays: list[np.ndarray]
    """uint8 [H, W, 3]."""
    weights: np.ndarray
    """Probability of each array."""


def load(picture: Picture, cache: Path) -> Image.Image:
    """The picture as RGB; transparency is laid over mid grey."""
    image = Image.open(picture.file(cache))
    if image.mode in ("RGBA", "LA", "P"):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (128, 128, 128, 255)), image)
    return image.convert("RGB")


def reduce_to(image: Image.Image, side: int) -> Image.Image:
    """Scales so that the shorter side is `side`, unless the picture is smaller than that."""
    scale = side / min(image.size)
    if scale >= 1:
        return image
    size = (round(image.width * scale), round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def centre_square(image: Image.Image, side: int) -> Image.Image:
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def training_set(cache: Path) -> TrainingSet:
    """All training pictures at every scale they allow, and the renders; prepared once, then read from the cache."""
    arrays: list[np.ndarray] = []
    weights: list[float] = []
    prepared = cache / "prepared"
    prepared.mkdir(exist_ok=True)
    for picture in (p for p in pictures() if p.split == "train"):
        stored = prepared / f"{picture.sha256[:16]}.npz"
        if not stored.exists():
            image = load(picture, cache)
            sizes = {reduced.size: reduced for reduced in (reduce_to(image, side) for side in SCALES)}
            np.savez(stored, *(np.asarray(reduced) for reduced in sizes.values()))
        with np.load(stored) as file:
            scales = [file[name] for name in file.files]
        arrays.extend(scales)
        weights.extend([KIND_WEIGHTS[picture.kind] / len(scales)] * len(scales))
    arrays.extend(render_all(RENDERS, RENDER_SEED))
    weights.extend([KIND_WEIGHTS["render"]] * RENDERS)
    return TrainingSet(arrays, np.array(weights) / np.sum(weights))


def held_out(cache: Path) -> dict[str, np.ndarray]:
    """Held-out photographs by name, uint8 [512, 512, 3]: reduced to a shorter side of 512, the middle square kept."""
    squares: dict[str, np.ndarray] = {}
    for picture in (p for p in pictures() if p.split == "held-out"):
        name = Path(picture.path).stem if "/contents/" not in picture.path else Path(picture.path).parts[3]
        reduced = reduce_to(load(picture, cache), EVALUATION_SIDE)
        squares[name] = np.asarray(centre_square(reduced, EVALUATION_SIDE))
    return squares


def to_tensor(pixels: np.ndarray) -> torch.Tensor:
    """uint8 [..., H, W, 3] -> float32 [..., 3, H, W] in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(pixels, -1, -3))).float() / 127.5 - 1


def to_pixels(sample: np.ndarray) -> np.ndarray:
    """float [3, H, W] in [-1, 1] -> uint8 [H, W, 3], as diffusers rounds: half to even."""
    return np.moveaxis(np.rint(np.clip(sample * 0.5 + 0.5, 0, 1) * 255), 0, -1).astype(np.uint8)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio of two uint8 pictures in dB, over all colour samples."""
    error = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return float(10 * np.log10(255**2 / error))
