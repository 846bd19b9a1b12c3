"""Trains the bundled autoencoder on the CPU; stops and resumes at any time.

    python train.py CACHE CHECKPOINT --minutes 60

CACHE is the folder that fetch.py filled, CHECKPOINT a file outside the repository. A run continues CHECKPOINT where
it exists. The learning rate follows the share of `--steps` that is done, so `--minutes` only says when to pause.
Weights for use are the exponential moving average. One row per LOG_EVERY steps is appended to log.csv.

Convolutions run in bfloat16, several times faster where the CPU has AMX; `--float32` is for CPUs without it. On a busy
machine one thread is faster than two, which wait for each other.
"""

import argparse
import csv
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from data import TrainingSet, held_out, psnr, to_pixels, to_tensor, training_set
from muon import Muon
from network import FACTOR, LATENT_CHANNELS, Decoder, Encoder
from pca import Pca, fit

SEED = 20
BATCH = 8
CROP = 128
PEAK_RATE = 1e-3
FINAL_RATE = 1e-5
WARM_UP_STEPS = 100
LATENT_NOISE = 0.005
"""Standard deviation of noise on the whitened latent: keeps detail out of digits that fp16 storage rounds away."""

GRADIENT_WEIGHT = 0.1
EMA_DECAY = 0.999
LOG_EVERY = 500
LOG = Path(__file__).with_name("log.csv")


class Autoencoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()

    def forward(self, picture: Tensor) -> Tensor:
        latent = self.encoder(picture)
        return self.decoder(latent + LATENT_NOISE * torch.randn_like(latent))


@torch.no_grad()
def start_from_pca(model: Autoencoder, pca: Pca) -> None:
    """Makes the untrained model exactly the PCA: whitened coefficients out, their reconstruction back."""
    basis = torch.from_numpy(pca.basis).float()
    mean = torch.from_numpy(pca.mean).float()
    deviations = torch.from_numpy(pca.deviations).float()
    analysis = basis / deviations[:, None]
    model.encoder.skip.weight.copy_(analysis.reshape(LATENT_CHANNELS, 3, FACTOR, FACTOR))
    model.encoder.skip.bias.copy_(-(analysis @ mean))
    synthesis = (basis * deviations[:, None]).T
    order = skip_order()
    model.decoder.skip.weight.zero_()
    model.decoder.skip.weight[:, :, 1, 1] = synthesis[order]
    model.decoder.skip.bias.copy_(mean[order])


def skip_order() -> Tensor:
    """Which of a patch's 192 values each channel of the decoder's skip gives, before its two pixel shuffles (2, 4)."""
    patch = torch.arange(3 * FACTOR * FACTOR, dtype=torch.float32).reshape(1, 3, FACTOR, FACTOR)
    quarter = nn.functional.pixel_unshuffle(patch, 4)
    return nn.functional.pixel_unshuffle(quarter, 2).flatten().long()


def crops(pictures: TrainingSet, rng: np.random.Generator) -> Tensor:
    """A batch of random crops, mirrored and turned at random, [BATCH, 3, CROP, CROP] in [-1, 1]."""
    batch = np.empty((BATCH, CROP, CROP, 3), dtype=np.uint8)
    for i, index in enumerate(rng.choice(len(pictures.arrays), BATCH, p=pictures.weights)):
        pixels = pictures.arrays[index]
        top = rng.integers(0, pixels.shape[0] - CROP + 1)
        left = rng.integers(0, pixels.shape[1] - CROP + 1)
        crop = pixels[top : top + CROP, left : left + CROP]
        crop = np.rot90(crop, rng.integers(0, 4))
        batch[i] = crop[:, ::-1] if rng.random() < 0.5 else crop
    return to_tensor(batch)


def loss_of(output: Tensor, target: Tensor) -> Tensor:
    """Root-mean-square error of each crop, so that hard ones do not drown easy ones, plus L1 of gradients."""
    error = output - target
    rms = (error.square().mean(dim=(1, 2, 3)) + 1e-5).sqrt().mean()
    slopes = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    return rms + GRADIENT_WEIGHT * slopes


def optimisers_of(model: Autoencoder) -> list[torch.optim.Optimizer]:
    """Muon for the kernels between hidden layers; Adam for biases and for kernels next to pixels or latents."""
    hidden, others = [], []
    for name, parameter in model.named_parameters():
        layer = name.split(".")[1]
        inside = parameter.ndim == 4 and layer not in ("skip", "stem", "out")
        (hidden if inside else others).append(parameter)
    return [Muon(hidden, PEAK_RATE), torch.optim.Adam(others, PEAK_RATE, betas=(0.9, 0.99))]


def rate_at(step: int, steps: int) -> float:
    """Linear warm-up, then a cosine from PEAK_RATE to FINAL_RATE."""
    if step < WARM_UP_STEPS:
        return PEAK_RATE * (step + 1) / WARM_UP_STEPS
    done = min(1.0, (step - WARM_UP_STEPS) / max(1, steps - WARM_UP_STEPS))
    return FINAL_RATE + (PEAK_RATE - FINAL_RATE) * 0.5 * (1 + float(np.cos(np.pi * done)))


@torch.no_grad()
def held_out_psnr(model: nn.Module, pictures: dict[str, np.ndarray]) -> float:
    """Mean PSNR over the held-out photographs; watched, never trained on."""
    values = []
    for pixels in pictures.values():
        output = model.decoder(model.encoder(to_tensor(pixels)[None]))[0].numpy()
        values.append(psnr(to_pixels(output), pixels))
    return float(np.mean(values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--minutes", type=float, default=85)
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--float32", action="store_true")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(SEED)
    pictures = training_set(arguments.cache)
    tests = held_out(arguments.cache)
    model = Autoencoder()
    start_from_pca(model, fit(pictures))
    model.to(memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(EMA_DECAY)
    )
    optimisers = optimisers_of(model)
    step = 0
    seconds = 0.0
    if arguments.checkpoint.exists():
        state = torch.load(arguments.checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        for optimiser, saved in zip(optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        step, seconds = state["step"], state["seconds"]
    elif not LOG.exists():
        LOG.write_text("step,minutes,rate,loss,held_out_psnr_db\n", encoding="utf-8")

    began = time.monotonic() - seconds
    paused = began + seconds + 60 * arguments.minutes
    losses: list[float] = []
    while step < arguments.steps and time.monotonic() < paused:
        # Drawn from the step's own generator, so that a resumed run sees what an unbroken one would.
        batch = crops(pictures, np.random.default_rng((SEED, step))).to(memory_format=torch.channels_last)
        rate = rate_at(step, arguments.steps)
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=not arguments.float32):
            output = model(batch)
        loss = loss_of(output.float(), batch)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
        average.update_parameters(model)
        losses.append(loss.item())
        step += 1
        if step % LOG_EVERY == 0:
            seconds = time.monotonic() - began
            row = [step, f"{seconds / 60:.1f}", f"{rate:.2e}", f"{np.mean(losses):.5f}"]
            row.append(f"{held_out_psnr(average.module, tests):.3f}")
            with LOG.open("a", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerow(row)
            print(*row, flush=True)
            losses.clear()
            save(arguments.checkpoint, model, average, optimisers, step, seconds)
    save(arguments.checkpoint, model, average, optimisers, step, time.monotonic() - began)


def save(
    path: Path, model: nn.Module, average: nn.Module, optimisers: list[torch.optim.Optimizer], step: int, seconds: float
) -> None:
    """Writes the checkpoint beside its place, then moves it there, so that an interrupted save harms nothing."""
    state = {
        "model": model.state_dict(),
        "average": average.state_dict(),
        "optimisers": [optimiser.state_dict() for optimiser in optimisers],
        "step": step,
        "seconds": seconds,
    }
    temporary = path.with_suffix(".partial")
    torch.save(state, temporary)
    temporary.replace(path)


if __name__ == "__main__":
    main()
