"""What kind of file a stranger sent, by its first bytes alone. No Django, no Pillow."""

#: How many bytes decide.
HEAD = 32

#: Kinds taken, by the names Pillow gives them, with their MIME types and file name endings.
KINDS = {
    "JPEG": ("image/jpeg", ".jpg"),
    "PNG": ("image/png", ".png"),
    "WEBP": ("image/webp", ".webp"),
    "AVIF": ("image/avif", ".avif"),
    "GIF": ("image/gif", ".gif"),
    "HEIF": ("image/heic", ".heic"),
}

#: Pictures that are known and not taken: their loaders are where the holes are.
OTHERS = "other picture"

_STARTS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", OTHERS),
    (b"II*\0", OTHERS),
    (b"MM\0*", OTHERS),
    (b"II+\0", OTHERS),
    (b"MM\0+", OTHERS),
    (b"8BPS", OTHERS),
    (b"\xff\x0a", OTHERS),
    (b"\0\0\0\x0cJXL ", OTHERS),
    (b"\0\0\0\x0cjP  ", OTHERS),
    (b"\xff\x4f\xff\x51", OTHERS),
    (b"\0\0\1\0", OTHERS),
    (b"\0\0\2\0", OTHERS),
    (b"%!PS", OTHERS),
    (b"gimp xcf", OTHERS),
    (b"DDS ", OTHERS),
    (b"qoif", OTHERS),
    (b"icns", OTHERS),
    (b"\x76\x2f\x31\x01", OTHERS),
    (b"#?RADIANCE", OTHERS),
    (b"\x01\xda", OTHERS),
    (b"SIMPLE  =", OTHERS),
    (b"\x59\xa6\x6a\x95", OTHERS),
    (b"<svg", OTHERS),
)
_NETPBM = {b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"P7", b"Pf", b"PF"}
_AVIF = {b"avif", b"avis"}
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def kind_of(head: bytes) -> str:
    """One of `KINDS`, `OTHERS` for a picture of another kind, or "" for no picture at all."""
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    return OTHERS if head[:2] in _NETPBM and head[2:3].isspace() else ""


def _by_brand(head: bytes) -> str:
    """The kind of an ISO media file: its own brand, then those it says it is compatible with."""
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, HEAD, 4))]
    if any(brand in _AVIF for brand in brands):
        return "AVIF"
    return "HEIF" if any(brand in _HEIF for brand in brands) else ""
