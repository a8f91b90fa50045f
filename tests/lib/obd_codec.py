# SPDX-License-Identifier: GPL-2.0
"""LZ4 blocks and ZSTD frames through liblz4 and libzstd (ctypes).

The single-shot calls are used, because these are the calls a kernel has: they
need no window, they take an exact source length and an exact capacity, and
what they accept (several frames, frames without a content size, an LZ4 match
with offset 0, which yields zeros) is what a kernel accepts. Both libraries are
on every Debian system; no Python package is needed.
"""

import ctypes
import struct

_lz4 = ctypes.CDLL('liblz4.so.1')
_zstd = ctypes.CDLL('libzstd.so.1')
for _function in ('ZSTD_decompress', 'ZSTD_compress2', 'ZSTD_compressBound',
                  'ZSTD_CCtx_setParameter'):
    getattr(_zstd, _function).restype = ctypes.c_size_t
_zstd.ZSTD_createCCtx.restype = ctypes.c_void_p
_zstd.ZSTD_isError.argtypes = [ctypes.c_size_t]

ZSTD_MAGIC = 0xFD2FB528
_ZSTD_SKIPPABLE = 0x184D2A50
_WINDOW_LOG, _CONTENT_SIZE_FLAG, _CHECKSUM_FLAG = 101, 200, 201


class CodecError(Exception):
    """The compressed bytes are malformed or do not fit."""


def lz4_bound(size):
    return size + size // 255 + 16


def zstd_bound(size):
    return size + size // 256 + (max(0, 131072 - size) >> 11)


def lz4_compress(data):
    capacity = lz4_bound(len(data))
    out = ctypes.create_string_buffer(capacity)
    done = _lz4.LZ4_compress_default(bytes(data), out, len(data), capacity)
    if done <= 0:
        raise CodecError('LZ4 compression failed')
    return out.raw[:done]


def lz4_decompress(data, capacity):
    out = ctypes.create_string_buffer(max(capacity, 1))
    done = _lz4.LZ4_decompress_safe(bytes(data), out, len(data), capacity)
    if done < 0:
        raise CodecError('malformed LZ4 block')
    return out.raw[:done]


def zstd_compress(data, content_size=True, checksum=False, window_log=0):
    context = ctypes.c_void_p(_zstd.ZSTD_createCCtx())
    capacity = _zstd.ZSTD_compressBound(ctypes.c_size_t(len(data)))
    out = ctypes.create_string_buffer(capacity)
    for parameter, value in ((_CONTENT_SIZE_FLAG, int(content_size)),
                             (_CHECKSUM_FLAG, int(checksum)),
                             (_WINDOW_LOG, window_log)):
        _zstd.ZSTD_CCtx_setParameter(context, parameter, value)
    done = _zstd.ZSTD_compress2(context, out, ctypes.c_size_t(capacity),
                                bytes(data), ctypes.c_size_t(len(data)))
    _zstd.ZSTD_freeCCtx(context)
    if _zstd.ZSTD_isError(done):
        raise CodecError('ZSTD compression failed')
    return out.raw[:done]


def zstd_decompress(data, capacity):
    # Debian's library also reads the formats before 1.0, a kernel does not.
    magic = struct.unpack_from('<I', data)[0] if len(data) >= 4 else 0
    if magic != ZSTD_MAGIC and magic & ~15 != _ZSTD_SKIPPABLE:
        raise CodecError('not a ZSTD frame')
    out = ctypes.create_string_buffer(max(capacity, 1))
    done = _zstd.ZSTD_decompress(out, ctypes.c_size_t(capacity),
                                 bytes(data), ctypes.c_size_t(len(data)))
    if _zstd.ZSTD_isError(done):
        raise CodecError('malformed ZSTD frame')
    return out.raw[:done]


# algo number -> (name, bound, compress, decompress)
CODECS = {
    1: ('lz4', lz4_bound, lz4_compress, lz4_decompress),
    2: ('zstd', zstd_bound, zstd_compress, zstd_decompress),
}
ALGO_NUMBER = {codec[0]: number for number, codec in CODECS.items()}
