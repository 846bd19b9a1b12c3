"""Procedural pictures: what generated art has and photographs lack (flat areas, hard edges, ramps, lettering)."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIDE = 512
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789&%?!@#"


def colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = rng.integers(0, 256, 3)
    return int(red), int(green), int(blue)


def gradient(rng: np.random.Generator) -> Image.Image:
    """A bilinear ramp between four random colours."""
    corners = rng.integers(0, 256, (2, 2, 3)).astype(np.uint8)
    return Image.fromarray(corners).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def noise_field(rng: np.random.Generator) -> Image.Image:
    """A sum of octaves of smooth colour noise whose amplitude falls with frequency as in natural pictures."""
    field = np.zeros((SIDE, SIDE, 3))
    falloff = rng.uniform(0.35, 0.65)
    for octave in range(2, 9):
        cells = rng.normal(0, 1, (2**octave, 2**octave, 3)).astype(np.float32)
        planes = [
            np.asarray(Image.fromarray(cells[..., c]).resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for c in range(3)
        ]
        grey = np.mean(planes, axis=0)
        field += falloff ** (octave - 2) * np.stack([0.7 * grey + 0.3 * plane for plane in planes], axis=-1)
    return Image.fromarray(np.clip(128 + 70 * field, 0, 255).astype(np.uint8))


def background(rng: np.random.Generator) -> Image.Image:
    kind = rng.integers(0, 3)
    if kind == 0:
        return Image.new("RGB", (SIDE, SIDE), colour(rng))
    return gradient(rng) if kind == 1 else noise_field(rng)


def shapes(rng: np.random.Generator) -> Image.Image:
    """Anti-aliased ellipses, polygons and lines: drawn at twice the size, then reduced."""
    canvas = background(rng).resize((2 * SIDE, 2 * SIDE), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(10, 60))):
        x, y = (int(v) for v in rng.integers(-100, 2 * SIDE, 2))
        width, height = (int(v) for v in rng.integers(8, 400, 2))
        kind = rng.integers(0, 4)
        if kind == 0:
            draw.ellipse((x, y, x + width, y + height), fill=colour(rng))
        elif kind == 1:
            draw.line(
                (x, y, x + width, y + int(rng.integers(-300, 300))), fill=colour(rng), width=int(rng.integers(1, 14))
            )
        elif kind == 2:
            draw.arc(
                (x, y, x + width, y + height),
                0,
                int(rng.integers(90, 360)),
                fill=colour(rng),
                width=int(rng.integers(2, 12)),
            )
        else:
            corners = rng.integers(0, 400, (int(rng.integers(3, 7)), 2)) + (x, y)
            draw.polygon([(int(a), int(b)) for a, b in corners], fill=colour(rng))
    return canvas.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def lettering(rng: np.random.Generator) -> Image.Image:
    canvas = background(rng)
    draw = ImageDraw.Draw(canvas)
    for _ in range(int(rng.integers(10, 40))):
        text = "".join(rng.choice(list(LETTERS), int(rng.integers(3, 16))))
        x, y = (int(v) for v in rng.integers(-40, SIDE, 2))
        draw.text((x, y), text, fill=colour(rng), font=ImageFont.load_default(size=int(rng.integers(12, 96))))
    return canvas


def depth_of_field(rng: np.random.Generator) -> Image.Image:
    """Sharp shapes over a blurred copy of others, as a portrait's background."""
    blurred = shapes(rng).filter(ImageFilter.GaussianBlur(float(rng.uniform(3, 15))))
    mask = Image.new("L", (SIDE, SIDE), 0)
    x, y = (int(v) for v in rng.integers(50, 250, 2))
    ImageDraw.Draw(mask).ellipse((x, y, x + 220, y + 220), fill=255)
    return Image.composite(shapes(rng), blurred, mask.filter(ImageFilter.GaussianBlur(2)))


RENDERERS = (gradient, noise_field, shapes, lettering, depth_of_field)


def render_all(count: int, seed: int) -> list[np.ndarray]:
    """`count` pictures, uint8 [512, 512, 3], the same for the same seed."""
    rng = np.random.default_rng(seed)
    return [np.asarray(RENDERERS[i % len(RENDERERS)](rng).convert("RGB")) for i in range(count)]
