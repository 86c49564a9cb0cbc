"""wf1: an image descriptor without weights. numpy and Pillow only, fixed: no training, no PCA.

A picture becomes 475 float32 numbers of unit length. The cosine of two of them is close to a
weighted mean of how well six blocks agree: the layout of light, the layout of colour, a colour
histogram, oriented edges by place, their profile, and texture. It sees form, light and colour; it
knows no subject.

Any change of a constant here makes another model: it must then be called wf2, because vectors of
different constants are not comparable and are never searched together.

Sources of formulas: sRGB and CIE L*a*b* (IEC 61966-2-1, CIE 15); the GIST layout of Gabor energy
(Oliva and Torralba 2001); uniform local binary patterns (Ojala and others 2002); square-rooted
histograms compared by their inner product (Hellinger).
"""

from functools import cache
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

#: Real numbers inside this module; float32 wherever speed matters.
Array: TypeAlias = NDArray[np.floating[Any]]

#: Blocks in their order: name, how many numbers, weight. The weights add up to 1.
BLOCKS: Final = (
    ("lum", 63, 0.20),
    ("chr", 32, 0.10),
    ("hist", 54, 0.13),
    ("gist", 288, 0.38),
    ("tex", 18, 0.09),
    ("lbp", 20, 0.10),
)
SIDE: Final = 128
SCALES: Final = 3
ORIENTATIONS: Final = 6
CELLS: Final = 4

_D65 = np.array([0.95047, 1.0, 1.08883])
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


class Wf1:
    """The descriptor as an engine of the kind `Embeds`."""

    name = "wf1"
    dimensions = 475

    def embed(self, picture: Image.Image) -> NDArray[np.float32]:
        """Float32 of shape (475,), L2-normalised. Any mode and size; about 7 ms."""
        light, green_red, blue_yellow = lab(small(picture))
        edges = _gabor_energy(light)
        parts = (
            _layout_of_light(light),
            _layout_of_colour(green_red, blue_yellow),
            _colours(light, green_red, blue_yellow),
            _edges_by_place(edges),
            _edge_profile(edges),
            _texture(light),
        )
        weighted = [
            np.sqrt(weight) * part for (_, _, weight), part in zip(BLOCKS, parts, strict=True)
        ]
        joined = np.concatenate(weighted).astype(np.float32)
        return np.asarray(joined / np.linalg.norm(joined), np.float32)


def on_white(picture: Image.Image) -> Image.Image:
    """The picture as people see it: turned by its EXIF orientation, transparency on white, RGB."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode == "RGB" and "transparency" not in picture.info:
        return picture
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        above = picture.convert("RGBA")
        paper = Image.new("RGBA", above.size, "white")
        paper.alpha_composite(above)
        picture = paper
    return picture.convert("RGB")


def small(picture: Image.Image) -> NDArray[np.uint8]:
    """The picture as uint8 of shape (128, 128, 3); its proportions do not matter."""
    # Draft mode only makes opening a large JPEG faster; it does nothing to other pictures.
    picture.draft("RGB", (SIDE * 4, SIDE * 4))
    return np.asarray(on_white(picture).resize((SIDE, SIDE), Image.Resampling.BOX))


def lab(rgb: NDArray[np.uint8]) -> tuple[Array, Array, Array]:
    """CIE L*, a*, b* (D65) of uint8 sRGB with shape (h, w, 3): three float32 arrays (h, w)."""
    xyz = _linear()[rgb] @ (_TO_XYZ / _D65[:, None]).astype(np.float32).T
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    fx, fy, fz = (f[..., i].astype(np.float32) for i in range(3))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _layout_of_light(light: Array) -> Array:
    """63 low frequencies of lightness; half of it ranks, which no tone curve changes."""
    q = _means(light, 4)
    order = np.argsort(q.ravel(), kind="stable")
    ranks = np.empty(order.size, np.float32)
    ranks[order] = np.arange(order.size, dtype=np.float32)
    z = 1.7 * (ranks.reshape(q.shape) / 1023 - 0.5) + 0.5 * (q - q.mean()) / (q.std() + 4)
    u = np.arange(8)
    falloff = 1 / (1 + u[:, None] + u) ** 0.25
    low = _dct(8, 32) @ z @ _dct(8, 32).T * falloff
    return _unit(low.ravel()[1:])


def _layout_of_colour(green_red: Array, blue_yellow: Array) -> Array:
    """32 low frequencies of a* and b*, damped so that near-grey pictures say nothing."""
    low = [_dct(4, 16) @ _means(z, 8) @ _dct(4, 16).T for z in (green_red, blue_yellow)]
    c = np.stack(low).ravel() / 16
    return np.asarray(c / (np.linalg.norm(c) + 6), np.float32)


def _colours(light: Array, green_red: Array, blue_yellow: Array) -> Array:
    """Soft histogram: 8 hues x 2 chromas x 3 lightnesses, and 6 lightnesses of what is neutral."""
    L, a, b = (_means(z, 2).ravel() for z in (light, green_red, blue_yellow))
    chroma = np.hypot(a, b)
    neutral = np.clip(1 - (chroma - 4) / 8, 0, 1)
    turn = 8 * np.arctan2(b, a) / (2 * np.pi) % 8
    # Rounding can carry a tiny negative angle to exactly 8, which is hue 0 again.
    hue = np.floor(turn).astype(np.intp)
    hues = ((hue % 8, 1 - (turn - hue)), ((hue + 1) % 8, turn - hue))
    vivid = np.clip((chroma - 14) / 26, 0, 1)
    coloured = np.zeros(48)
    for hue_bin, hue_share in hues:
        for level, level_share in _between(3 * L / 100 - 0.5, 2):
            for chroma_bin, chroma_share in ((0, 1 - vivid), (1, vivid)):
                index = (hue_bin * 2 + chroma_bin) * 3 + level
                weight = (1 - neutral) * hue_share * level_share * chroma_share
                coloured += np.bincount(index, weights=weight, minlength=48)
    greys = np.zeros(6)
    for level, share in _between(6 * L / 100 - 0.5, 5):
        greys += np.bincount(level, weights=neutral * share, minlength=6)
    return _square_rooted(np.concatenate([coloured, greys]) / L.size)


def _gabor_energy(light: Array) -> Array:
    """Strength of 18 oriented edge filters in 4 x 4 soft cells: float32 (18, 4, 4)."""
    wide = _gaussian(SIDE, 8.0)
    local = light - wide @ light @ wide.T
    contrast = np.sqrt(np.maximum(wide @ (local * local) @ wide.T, 0))
    spectrum = np.fft.fft2((local / (contrast + 3)).astype(np.float32))
    pool = _triangles(SIDE, CELLS)
    # Scale by scale, because all eighteen planes at once are slower: they leave the cache.
    moduli = (np.abs(np.fft.ifft2(spectrum * filters)) for filters in np.split(_gabor(), SCALES))
    return np.concatenate([pool @ modulus @ pool.T for modulus in moduli]).astype(np.float32)


def _edges_by_place(energy: Array) -> Array:
    """288 numbers: where edges of each size and direction are."""
    r = np.log1p(8 * energy)
    r = r - np.float32(0.85) * r.mean(axis=(1, 2), keepdims=True)
    return _unit((r - r.mean()).ravel())


def _edge_profile(energy: Array) -> Array:
    """18 numbers: how much of each size and direction there is, wherever it is."""
    t = np.log1p(8 * energy.mean(axis=(1, 2)))
    return _unit(t - t.mean())


def _texture(light: Array) -> Array:
    """20 numbers: rotation-invariant uniform local binary patterns at two sizes."""
    half = _means(light, 2)
    histograms = []
    for z in (light, half):
        soft = _gaussian(len(z), 0.8)
        histograms.append(_binary_patterns(soft @ z @ soft.T))
    return _square_rooted(np.concatenate(histograms))


def _binary_patterns(z: Array) -> NDArray[np.float64]:
    """Shares of the ten patterns: nine by the number of brighter neighbours, one for the rest."""
    height, width = z.shape
    level = z[1:-1, 1:-1] + np.float32(0.3)
    circle = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    brighter = np.stack([z[y : height - 2 + y, x : width - 2 + x] > level for y, x in circle])
    changes = (brighter != np.roll(brighter, 1, axis=0)).sum(axis=0, dtype=np.int8)
    ones = brighter.sum(axis=0, dtype=np.int8)
    patterns = np.where(changes <= 2, ones, np.int8(9))
    return np.bincount(patterns.ravel(), minlength=10) / level.size


def _between(position: Array, last: int) -> tuple[tuple[NDArray[np.intp], Array], ...]:
    """Bins below and above a position from 0 to `last`, each with its linear share."""
    position = np.clip(position, 0, last)
    below = np.minimum(position.astype(np.intp), last - 1)
    above = position - below
    return (below, 1 - above), (below + 1, above)


def _means(z: Array, m: int) -> Array:
    """Means over m x m blocks."""
    height, width = z.shape[0] // m, z.shape[1] // m
    return np.asarray(z.reshape(height, m, width, m).mean(axis=(1, 3)), np.float32)


def _unit(v: Array) -> Array:
    return np.asarray(v / (np.linalg.norm(v) + 1e-6), np.float32)


def _square_rooted(shares: NDArray[np.float64]) -> Array:
    root = np.sqrt(shares)
    return _unit(root - root.mean())


@cache
def _linear() -> Array:
    """Linear light of each sRGB value from 0 to 255."""
    c = np.arange(256) / 255
    light = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return np.asarray(light, np.float32)


@cache
def _dct(rows: int, n: int) -> Array:
    """First rows of the orthonormal DCT-II of length n."""
    k, i = np.arange(rows)[:, None], np.arange(n)
    matrix = np.cos(np.pi * (2 * i + 1) * k / (2 * n)) * np.sqrt(2 / n)
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix, np.float32)


@cache
def _gaussian(n: int, sigma: float) -> Array:
    """Matrix (n, n) of a Gaussian blur; the border is mirrored, the edge pixel repeated."""
    radius = int(4 * sigma) + 1
    at = np.arange(n)
    matrix = np.zeros((n, n))
    for offset in range(-radius, radius + 1):
        near = at + offset
        near = np.where(near < 0, -near - 1, near)
        near = np.where(near >= n, 2 * n - 1 - near, near)
        np.add.at(matrix, (at, near), np.exp(-(offset**2) / (2 * sigma**2)))
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True), np.float32)


@cache
def _triangles(n: int, cells: int) -> Array:
    """Matrix (cells, n) that pools n pixels into overlapping triangular cells."""
    x = (np.arange(n) + 0.5) / n * cells - 0.5
    weight = np.maximum(0, 1 - np.abs(x - np.arange(cells)[:, None]))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), np.float32)


@cache
def _gabor() -> Array:
    """Eighteen one-sided filters in the frequency plane, scale outer, orientation inner."""
    fy, fx = np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)
    radius = np.hypot(fy, fx)
    radius[0, 0] = 1e-6
    angle = np.arctan2(fy, fx)
    filters = []
    for scale in range(SCALES):
        octave = np.log(radius / (0.30 / 2**scale))
        ring = np.exp(-(octave**2) / (2 * np.log(0.55) ** 2))
        for orientation in range(ORIENTATIONS):
            off = angle - np.pi * orientation / ORIENTATIONS
            off = np.arctan2(np.sin(off), np.cos(off))
            wedge = np.exp(-(off**2) / (2 * (0.75 * np.pi / ORIENTATIONS) ** 2))
            filters.append(ring * wedge)
    plane = np.array(filters, np.float32)
    plane[:, 0, 0] = 0
    return plane
