"""Files that mean harm, made in code, each named after its harm. None is a downloaded file.

`MAKERS` lists those that must be refused, `EITHER` those of which only a clean answer is asked.
"""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

from PIL import Image

from tests.forum.images.odd import END, SIGNATURE, chunk, encoded, header, photograph, png, quarters

Maker = Callable[[], bytes]
MAKERS: dict[str, Maker] = {}
EITHER: dict[str, Maker] = {}


def harmful(make: Maker) -> Maker:
    """List a maker of what must be refused."""
    MAKERS[make.__name__] = make
    return make


def doubtful(make: Maker) -> Maker:
    """List a maker of what may be taken or refused, never with a fault."""
    EITHER[make.__name__] = make
    return make


# --- PNG: true check sums over false claims -------------------------------------------------------


def claiming(width: int, height: int, depth: int = 8, colours: int = 2) -> bytes:
    """A PNG whose header claims a size that its few pixels do not have."""
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 64))
    return SIGNATURE + header(width, height, depth, colours) + pixels + END


@harmful
def png_claims_65536_squared() -> bytes:
    return claiming(65_536, 65_536)


@harmful
def png_claims_largest_sides() -> bytes:
    return claiming(2**31 - 1, 2**31 - 1)


@harmful
def png_claims_121_megapixels() -> bytes:
    return claiming(11_000, 11_000)


@harmful
def png_without_width() -> bytes:
    return claiming(0, 64)


@harmful
def png_of_illegal_depth() -> bytes:
    return claiming(64, 64, depth=3)


@harmful
def png_of_illegal_colours() -> bytes:
    return claiming(64, 64, colours=5)


@harmful
def png_pixels_end_early() -> bytes:
    return claiming(64, 64)


@harmful
def png_wrong_checksum() -> bytes:
    data = bytearray(png())
    data[-len(END) - 1] ^= 0xFF  # the last byte of the check sum of the pixels
    return bytes(data)


@harmful
def png_wrong_checksum_in_header() -> bytes:
    data = bytearray(png())
    data[29] ^= 0xFF
    return bytes(data)


@harmful
def png_palette_missing() -> bytes:
    return png(8, 3).replace(chunk(b"PLTE", bytes([10, 10, 10, 240, 240, 240])), b"")


@harmful
def png_chunk_of_four_gigabytes() -> bytes:
    return SIGNATURE + header(64, 64) + struct.pack(">I", 2**32 - 1) + b"IDAT" + b"\0" * 50


@harmful
def png_header_alone() -> bytes:
    return SIGNATURE + header(64, 64)


@harmful
def png_without_pixels() -> bytes:
    return SIGNATURE + header(64, 64) + END


@harmful
def png_cut_in_half() -> bytes:
    whole = encoded(photograph(), "PNG")
    return whole[: len(whole) // 2]


@harmful
def png_text_unpacks_to_100_mb() -> bytes:
    return png(before=chunk(b"zTXt", b"note\0\0" + zlib.compress(b"\0" * 100_000_000, 9)))


@harmful
def png_of_one_pixel() -> bytes:
    return encoded(Image.new("RGB", (1, 1)), "PNG")


@harmful
def png_thin_as_a_thread() -> bytes:
    return encoded(Image.new("RGB", (4000, 2)), "PNG")


@doubtful
def png_of_ten_thousand_chunks() -> bytes:
    return png(before=chunk(b"prVt", b"") * 10_000)


@doubtful
def png_profile_unpacks_to_100_mb() -> bytes:
    return png(before=chunk(b"iCCP", b"name\0\0" + zlib.compress(b"\0" * 100_000_000, 9)))


@doubtful
def png_pixels_unpack_far_beyond_their_size() -> bytes:
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 100_000_000, 9))
    return SIGNATURE + header(64, 64) + pixels + END


# --- JPEG, made by Pillow, then patched -------------------------------------------------------------


def with_frame_size(width: int, height: int) -> bytes:
    """A JPEG whose frame header says another size."""
    data = bytearray(encoded(photograph(), "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def without_segments(marker: bytes) -> bytes:
    """A JPEG without its tables of one kind."""
    data = encoded(photograph(), "JPEG")
    while (at := data.find(marker)) >= 0:
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        data = data[:at] + data[at + 2 + length :]
    return data


@harmful
def jpeg_claims_65500_squared() -> bytes:
    return with_frame_size(65_500, 65_500)


@harmful
def jpeg_claims_144_megapixels() -> bytes:
    return with_frame_size(12_000, 12_000)


@harmful
def jpeg_without_height() -> bytes:
    return with_frame_size(320, 0)


@harmful
def jpeg_quantisation_dropped() -> bytes:
    return without_segments(b"\xff\xdb")


@harmful
def jpeg_header_alone() -> bytes:
    return encoded(photograph(), "JPEG")[:400]


@harmful
def jpeg_start_alone() -> bytes:
    return b"\xff\xd8\xff"


@harmful
def jpeg_of_nothing_but_markers() -> bytes:
    return b"\xff\xd8" + b"\xff\xe1\x00\x02" * 5000


@doubtful
def jpeg_claims_twice_its_height() -> bytes:
    return with_frame_size(320, 480)


@doubtful
def jpeg_huffman_tables_dropped() -> bytes:
    return without_segments(b"\xff\xc4")


@doubtful
def jpeg_noise_behind_its_header() -> bytes:
    whole = encoded(photograph(), "JPEG")
    return whole[: whole.index(b"\xff\xda") + 14] + bytes(range(255)) * 300


# --- WebP, GIF, AVIF, HEIC --------------------------------------------------------------------------


@harmful
def webp_flat_of_40_megapixels() -> bytes:
    """A few kilobytes that would take most of a gigabyte."""
    return encoded(
        Image.new("RGBA", (8000, 5000), (10, 20, 30, 40)), "WEBP", lossless=True, method=0
    )


@harmful
def webp_canvas_claims_more_than_its_frame() -> bytes:
    picture = quarters()
    picture.putalpha(100)
    data = bytearray(encoded(picture, "WEBP", exif=b"Exif\0\0"))
    at = data.index(b"VP8X") + 12
    data[at : at + 6] = (16_000).to_bytes(3, "little") + (16_000).to_bytes(3, "little")
    return bytes(data)


@harmful
def webp_header_alone() -> bytes:
    return encoded(photograph(), "WEBP")[:30]


@harmful
def webp_cut_in_half() -> bytes:
    whole = encoded(photograph(), "WEBP")
    return whole[: len(whole) // 2]


@harmful
def webp_of_another_kind_of_riff() -> bytes:
    return b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\0" * 40


@harmful
def gif_canvas_of_65535_squared() -> bytes:
    data = bytearray(encoded(quarters().convert("P"), "GIF"))
    data[6:10] = struct.pack("<HH", 65_535, 65_535)
    return bytes(data)


@harmful
def gif_header_alone() -> bytes:
    return encoded(quarters().convert("P"), "GIF")[:13]


@harmful
def gif_without_a_frame() -> bytes:
    return b"GIF89a" + struct.pack("<HH", 64, 64) + b"\0\0\0;"


@harmful
def gif_cut_in_half() -> bytes:
    whole = encoded(photograph().convert("P"), "GIF")
    return whole[: len(whole) // 2]


@doubtful
def gif_frame_outside_its_canvas() -> bytes:
    data = bytearray(encoded(quarters().convert("P"), "GIF"))
    at = data.index(b"\x2c", 13 + 3 * 2 ** ((data[10] & 7) + 1))
    data[at + 1 : at + 5] = struct.pack("<HH", 60_000, 60_000)
    return bytes(data)


@harmful
def avif_header_alone() -> bytes:
    return encoded(photograph(), "AVIF")[:40]


@harmful
def avif_cut_in_half() -> bytes:
    whole = encoded(photograph(), "AVIF")
    return whole[: len(whole) // 2]


@harmful
def avif_of_nothing() -> bytes:
    return b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + b"\0" * 200


@harmful
def heic_of_nothing() -> bytes:
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 200


@harmful
def video_in_the_same_container() -> bytes:
    return b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + b"\0" * 200


# --- what is no picture, or of a kind not taken -----------------------------------------------------

for _kind in (
    "BMP",
    "TIFF",
    "PPM",
    "ICO",
    "TGA",
    "PCX",
    "SGI",
    "JPEG2000",
    "DDS",
    "PDF",
    "EPS",
    "MSP",
    "SPIDER",
    "XBM",
    "QOI",
    "ICNS",
):
    _mode = {"MSP": "1", "XBM": "1", "SPIDER": "F"}.get(_kind, "RGB")
    MAKERS[f"foreign_{_kind.lower()}"] = lambda k=_kind, m=_mode: encoded(
        quarters((128, 128)).convert("L").convert(m) if m != "RGB" else quarters((128, 128)), k
    )

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PLAIN: dict[str, bytes] = {
    "nothing": b"",
    "one_byte": b"\0",
    "only_zeroes": b"\0" * 5000,
    "svg": SVG,
    "svg_behind_a_declaration": b'<?xml version="1.0"?>' + SVG,
    "svg_gzipped": gzip.compress(SVG, mtime=0),
    "html": b"<!doctype html><script>alert(1)</script>",
    "shell_script": b"#!/bin/sh\nrm -rf /\n",
    "php": b"<?php system($_GET['c']); ?>",
    "plain_text": "对影成三人".encode(),
    "psd": b"8BPS\0\1" + b"\0" * 60,
    "xcf": b"gimp xcf v011\0" + b"\0" * 60,
    "jxl": b"\xff\x0a" + b"\0" * 60,
    "exr": b"\x76\x2f\x31\x01\2\0\0\0" + b"\0" * 60,
    "wmf": b"\xd7\xcd\xc6\x9a" + b"\0" * 60,
    "imagemagick_script": b"push graphic-context\nimage over 0,0 0,0 'https://example.org/'\n",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file\n",
    "elf": b"\x7fELF\2\1\1" + b"\0" * 60,
    "pickle": b"\x80\x04\x95\x20\0\0\0\0\0\0\0cposix\nsystem\n",
}
for _name, _data in PLAIN.items():
    MAKERS[f"foreign_{_name}"] = lambda d=_data: d


@harmful
def archive_with_a_way_out() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../../picture.png", png())
    return out.getvalue()


@harmful
def archive_with_a_link() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        link = tarfile.TarInfo("picture.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return out.getvalue()


# --- polyglots: a good picture and a marker that must reach nobody -------------------------------------

MARKER = b"<?php echo 'LEAKED-MARKER-7351'; ?>"


def marked() -> dict[str, bytes]:
    """Pictures that carry the marker in front, inside and behind; some are no pictures any more."""
    comment = MARKER.decode()
    found = {
        f"{kind}_behind": encoded(quarters(), kind) + MARKER for kind in ("JPEG", "PNG", "WEBP")
    }
    found |= {
        f"{kind}_in_front": MARKER + encoded(quarters(), kind) for kind in ("JPEG", "PNG", "GIF")
    }
    found |= {
        "jpeg_comment": encoded(quarters(), "JPEG", comment=MARKER),
        "jpeg_exif": encoded(quarters(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0" + MARKER),
        "jpeg_profile": encoded(quarters(), "JPEG", icc_profile=MARKER),
        "jpeg_xmp": encoded(quarters(), "JPEG", xmp=MARKER),
        "png_text": png(before=chunk(b"tEXt", b"Comment\0" + MARKER)),
        "png_after_pixels": png(after=chunk(b"tEXt", b"Comment\0" + MARKER)),
        "png_unknown_chunk": png(before=chunk(b"prVt", MARKER)),
        "png_after_end": png() + MARKER,
        "gif_comment": encoded(quarters().convert("P"), "GIF", comment=comment),
        "gif_behind": encoded(quarters().convert("P"), "GIF") + MARKER,
        "webp_exif": encoded(quarters(), "WEBP", exif=b"Exif\0\0" + MARKER),
        "webp_xmp": encoded(quarters(), "WEBP", xmp=MARKER),
        "avif_xmp": encoded(quarters(), "AVIF", xmp=MARKER),
    }
    return found
