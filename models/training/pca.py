"""A 16-component PCA of 8x8 RGB patches: the yardstick that the autoencoder must beat, and its starting weights."""

from dataclasses import dataclass

import numpy as np

from data import TrainingSet
from network import FACTOR, LATENT_CHANNELS

PATCH_SAMPLES = 400_000
SEED = 3


@dataclass(frozen=True)
class Pca:
    mean: np.ndarray
    """[192]: colour-major patches, values in [-1, 1]."""
    basis: np.ndarray
    """[16, 192], orthonormal rows."""
    deviations: np.ndarray
    """[16]: standard deviation of each coefficient."""


def patches_of(pixels: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3] with sides multiples of 8 -> [H/8, W/8, 192] in [-1, 1]."""
    height, width = pixels.shape[0] // FACTOR, pixels.shape[1] // FACTOR
    grid = pixels.reshape(height, FACTOR, width, FACTOR, 3).transpose(0, 2, 4, 1, 3)
    return grid.reshape(height, width, -1).astype(np.float32) / 127.5 - 1


def fit(pictures: TrainingSet) -> Pca:
    """Fits on patches drawn as training crops are drawn: same pictures, same scales, same weights."""
    rng = np.random.default_rng(SEED)
    counts = rng.multinomial(PATCH_SAMPLES, pictures.weights)
    drawn = []
    for pixels, count in zip(pictures.arrays, counts, strict=True):
        tops = rng.integers(0, pixels.shape[0] - FACTOR + 1, count)
        lefts = rng.integers(0, pixels.shape[1] - FACTOR + 1, count)
        for top, left in zip(tops, lefts, strict=True):
            drawn.append(pixels[top : top + FACTOR, left : left + FACTOR].transpose(2, 0, 1).ravel())
    samples = np.asarray(drawn, dtype=np.float64) / 127.5 - 1
    mean = samples.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(samples - mean, rowvar=False))
    order = np.argsort(values)[::-1][:LATENT_CHANNELS]
    return Pca(mean, vectors[:, order].T, np.sqrt(values[order]))


def reconstruct(pca: Pca, pixels: np.ndarray) -> np.ndarray:
    """Projects each 8x8 patch on the basis and back; uint8 [H, W, 3] -> uint8 [H, W, 3]."""
    patches = patches_of(pixels) - pca.mean
    back = patches @ pca.basis.T @ pca.basis + pca.mean
    height, width = back.shape[:2]
    grid = back.reshape(height, width, 3, FACTOR, FACTOR).transpose(0, 3, 1, 4, 2)
    values = np.clip(grid.reshape(pixels.shape) * 0.5 + 0.5, 0, 1) * 255
    return np.rint(values).astype(np.uint8)
