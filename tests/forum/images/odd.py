"""Pictures that are unusual and valid, made in code. All of them must be taken.

`QUARTERS` is a picture whose corners tell its orientation: red, green / blue, white.
"""

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image, ImageCms, PngImagePlugin

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 190, 60), (40, 60, 220), (250, 250, 250)
SIZE = (96, 64)

MAKERS: dict[str, Callable[[], bytes]] = {}


def valid(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """List a maker under its name."""
    MAKERS[make.__name__] = make
    return make


def quarters(size: tuple[int, int] = SIZE) -> Image.Image:
    """Four coloured quarters."""
    width, height = size[0] // 2, size[1] // 2
    picture = Image.new("RGB", size)
    for number, colour in enumerate((RED, GREEN, BLUE, WHITE)):
        picture.paste(colour, (number % 2 * width, number // 2 * height, size[0], size[1]))
    picture.paste(GREEN, (width, 0, size[0], height))
    return picture


def encoded(picture: Image.Image, kind: str, **settings: object) -> bytes:
    """The picture as a file of this kind."""
    out = io.BytesIO()
    picture.save(out, kind, **settings)
    return out.getvalue()


def photograph(size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Something with texture: soft noise over a gradient, the same each time."""
    ramp = Image.linear_gradient("L").resize(size)
    noise = Image.radial_gradient("L").resize((size[0] // 3, size[1] // 3)).resize(size)
    return Image.merge("RGB", (ramp, noise, ramp.transpose(Image.Transpose.ROTATE_180)))


def chunk(name: bytes, data: bytes) -> bytes:
    """A PNG chunk with its true length and check sum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


SIGNATURE, END = b"\x89PNG\r\n\x1a\n", chunk(b"IEND", b"")
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def header(width: int, height: int, depth: int = 8, colours: int = 2, interlaced: int = 0) -> bytes:
    """The IHDR chunk."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, interlaced))


def rows(width: int, height: int, depth: int, colours: int) -> bytes:
    """Unfiltered rows: the left half dark, the right half bright."""
    bits = depth * CHANNELS[colours]
    bright = (1 << depth) - 1 if colours != 3 else min((1 << depth) - 1, 1)
    line = 0
    for x in range(width):
        value = bright if x >= width // 2 else 0
        for channel in range(CHANNELS[colours]):
            opaque = colours in (4, 6) and channel == CHANNELS[colours] - 1
            line = line << depth | ((1 << depth) - 1 if opaque else value)
    padding = -width * bits % 8
    return (b"\0" + (line << padding).to_bytes((width * bits + 7) // 8, "big")) * height


def png(depth: int = 8, colours: int = 2, before: bytes = b"", after: bytes = b"") -> bytes:
    """A PNG of any colour type and depth, 32 pixels square, with chunks before and after its pixels."""
    palette = chunk(b"PLTE", bytes([10, 10, 10, 240, 240, 240])) if colours == 3 else b""
    pixels = chunk(b"IDAT", zlib.compress(rows(32, 32, depth, colours)))
    return SIGNATURE + header(32, 32, depth, colours) + palette + before + pixels + after + END


PNG_FORMS = [
    *((depth, 0) for depth in (1, 2, 4, 8, 16)),
    *((depth, 3) for depth in (1, 2, 4, 8)),
    *((depth, colours) for colours in (2, 4, 6) for depth in (8, 16)),
]
for _depth, _colours in PNG_FORMS:
    MAKERS[f"png_type_{_colours}_depth_{_depth}"] = lambda d=_depth, c=_colours: png(d, c)


@valid
def png_with_unknown_chunks() -> bytes:
    return png(before=chunk(b"prVt", b"what") + chunk(b"gAMA", struct.pack(">I", 45455)))


@valid
def png_with_compressed_text() -> bytes:
    return png(before=chunk(b"zTXt", b"note\0\0" + zlib.compress(b"said " * 100)))


@valid
def png_with_raw_exif_profile() -> bytes:
    return png(before=chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 8\n4578696600004d4d\n"))


@valid
def png_see_through_by_colour() -> bytes:
    return png(before=chunk(b"tRNS", struct.pack(">HHH", 0, 0, 0)))


@valid
def png_palette_see_through() -> bytes:
    return encoded(quarters().convert("P"), "PNG", transparency=0)


@valid
def png_interlaced() -> bytes:
    # The seven passes of Adam7 over 32 pixels square.
    sizes = ((4, 4), (4, 4), (8, 4), (8, 8), (16, 8), (16, 16), (32, 16))
    pixels = b"".join(rows(w, h, 8, 2) for w, h in sizes)
    return SIGNATURE + header(32, 32, interlaced=1) + chunk(b"IDAT", zlib.compress(pixels)) + END


@valid
def png_animated() -> bytes:
    frames = [quarters().rotate(90 * n) for n in range(3)]
    return encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=50)


@valid
def jpeg_progressive() -> bytes:
    return encoded(photograph(), "JPEG", progressive=True)


@valid
def jpeg_grey() -> bytes:
    return encoded(photograph().convert("L"), "JPEG")


@valid
def jpeg_cmyk() -> bytes:
    return encoded(photograph().convert("CMYK"), "JPEG")


@valid
def jpeg_restart_markers() -> bytes:
    return encoded(photograph(), "JPEG", restart_marker_blocks=4)


@valid
def jpeg_odd_sampling() -> bytes:
    return encoded(photograph((321, 239)), "JPEG", subsampling="4:1:1")


@valid
def jpeg_with_bytes_after_its_end() -> bytes:
    return encoded(photograph(), "JPEG") + b"and more" * 500


@valid
def jpeg_with_gain_map() -> bytes:
    """Phones write these: they open as MPO."""
    return encoded(
        photograph(), "MPO", save_all=True, append_images=[photograph((80, 60)).convert("L")]
    )


def with_exif(picture: Image.Image, kind: str, payload: bytes) -> bytes:
    """The picture with an EXIF block of any content."""
    return encoded(picture, kind, exif=payload)


def gps_exif() -> bytes:
    """EXIF with a place, an owner, and orientation 1."""
    exif = Image.Exif()
    exif[0x010F], exif[0x8298], exif[0x0112] = "CameraMaker", "Somebody's Name", 1
    exif.get_ifd(0x8825).update({1: "N", 2: (64.0, 8.0, 11.5), 3: "W", 4: (21.0, 56.0, 2.25)})
    return exif.tobytes()


@valid
def jpeg_with_a_place() -> bytes:
    return with_exif(photograph(), "JPEG", gps_exif())


@valid
def webp_with_a_place() -> bytes:
    return with_exif(photograph(), "WEBP", gps_exif())


@valid
def jpeg_exif_cut_off() -> bytes:
    return with_exif(photograph(), "JPEG", gps_exif()[:25])


@valid
def jpeg_exif_directory_points_at_itself() -> bytes:
    entry = struct.pack("<HHHII", 1, 0x8769, 4, 1, 8)
    return with_exif(photograph(), "JPEG", b"Exif\0\0II*\0\x08\0\0\0" + entry + b"\x08\0\0\0")


@valid
def jpeg_exif_in_the_wrong_byte_order() -> bytes:
    return with_exif(photograph(), "JPEG", b"Exif\0\0MM\0*" + gps_exif()[10:])


@valid
def jpeg_exif_absurdly_large() -> bytes:
    return with_exif(photograph(), "JPEG", gps_exif() + b"\xab" * 60_000)


@valid
def jpeg_broken_colour_profile() -> bytes:
    return encoded(photograph(), "JPEG", icc_profile=b"not a profile" * 20)


@valid
def jpeg_profile_of_another_space() -> bytes:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    return encoded(photograph(), "JPEG", icc_profile=lab)


def swapped_profile() -> bytes:
    """sRGB with the columns of red and green exchanged: who applies it sees green where red was."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = data.index(b"rXYZ", 128), data.index(b"gXYZ", 128)
    data[red + 4 : red + 12], data[green + 4 : green + 12] = (
        data[green + 4 : green + 12],
        data[red + 4 : red + 12],
    )
    return bytes(data)


@valid
def jpeg_with_a_profile_to_apply() -> bytes:
    return encoded(quarters(), "JPEG", icc_profile=swapped_profile(), quality=95)


@valid
def webp_lossy() -> bytes:
    return encoded(photograph(), "WEBP", quality=70)


@valid
def webp_lossless_see_through() -> bytes:
    picture = quarters()
    picture.putalpha(Image.linear_gradient("L").resize(SIZE))
    return encoded(picture, "WEBP", lossless=True)


@valid
def webp_animated() -> bytes:
    frames = [quarters().rotate(90 * n) for n in range(3)]
    return encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])


@valid
def gif_of_many_frames() -> bytes:
    frames = [quarters().rotate(n).convert("P") for n in range(40)]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], loop=0)


@valid
def gif_frame_smaller_than_its_canvas() -> bytes:
    data = bytearray(encoded(quarters().convert("P"), "GIF"))
    data[6:10] = struct.pack("<HH", 200, 150)
    return bytes(data)


@valid
def avif_see_through() -> bytes:
    picture = quarters()
    picture.putalpha(128)
    return encoded(picture, "AVIF")


@valid
def avif_plain() -> bytes:
    return encoded(photograph(), "AVIF", quality=60)


@valid
def png_made_by_a_generator() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a fox\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1")
    return encoded(quarters(), "PNG", pnginfo=info)
