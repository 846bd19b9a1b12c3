"""The bundled autoencoder: a learned correction around a 16-component PCA of 8x8 RGB patches.

Both halves are plain feed-forward convolutions with SiLU. Nearly all work is done at 1/8 and 1/4 of the picture's
resolution, so that a CPU decodes a 512x512 picture in tens of milliseconds, and every operator (Conv,
Sigmoid, Mul, Add, DepthToSpace) has a one-line vector-Jacobian product.
"""

from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, silu

LATENT_CHANNELS = 16
FACTOR = 8
ENCODER_FINE = 48
ENCODER_COARSE = 80
ENCODER_BLOCKS = 3
DECODER_COARSE = 80
DECODER_BLOCKS = 4
DECODER_FINE = 48


def conv3(inputs: int, outputs: int) -> nn.Conv2d:
    """A 3x3 convolution that keeps the resolution."""
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class ResidualBlock(nn.Module):
    """x + conv(silu(conv(x))); starts as the identity, which stands in for normalisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv3(channels, channels)
        self.second = conv3(channels, channels)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(silu(self.first(x)))


class Encoder(nn.Module):
    """RGB in [-1, 1], [B, 3, H, W] with sides multiples of 8 -> latent means [B, 16, H/8, W/8]."""

    def __init__(self) -> None:
        super().__init__()
        self.skip = nn.Conv2d(3, LATENT_CHANNELS, FACTOR, stride=FACTOR)
        self.stem = nn.Conv2d(3, ENCODER_FINE, 8, stride=4, padding=2)
        self.fine = conv3(ENCODER_FINE, ENCODER_FINE)
        self.down = nn.Conv2d(ENCODER_FINE, ENCODER_COARSE, 4, stride=2, padding=1)
        self.blocks = nn.ModuleList(ResidualBlock(ENCODER_COARSE) for _ in range(ENCODER_BLOCKS))
        self.out = conv3(ENCODER_COARSE, LATENT_CHANNELS)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, picture: Tensor) -> Tensor:
        x = silu(self.fine(silu(self.stem(picture))))
        x = self.down(x)
        for block in self.blocks:
            x = block(x)
        return self.skip(picture) + self.out(silu(x))


class Decoder(nn.Module):
    """Latents [B, 16, h, w] -> RGB nominally in [-1, 1], not clamped, [B, 3, 8h, 8w].

    `skip` begins as the inverse PCA; its 192 values per latent cell are arranged as 48 per quarter-resolution cell
    (channel-major, a 4x4 patch of each colour), where the learned branch adds its correction.
    """

    def __init__(self) -> None:
        super().__init__()
        self.skip = conv3(LATENT_CHANNELS, 4 * DECODER_FINE)
        self.stem = conv3(LATENT_CHANNELS, DECODER_COARSE)
        self.blocks = nn.ModuleList(ResidualBlock(DECODER_COARSE) for _ in range(DECODER_BLOCKS))
        self.up = conv3(DECODER_COARSE, 4 * DECODER_FINE)
        self.fine = ResidualBlock(DECODER_FINE)
        self.out = conv3(DECODER_FINE, 48)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, latent: Tensor) -> Tensor:
        x = self.stem(latent)
        for block in self.blocks:
            x = block(x)
        x = pixel_shuffle(silu(self.up(silu(x))), 2)
        x = self.out(silu(self.fine(x)))
        x = x + pixel_shuffle(self.skip(latent), 2)
        return pixel_shuffle(x, 4)
