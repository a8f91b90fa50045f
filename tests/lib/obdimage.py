#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""An independent reader, builder and breaker of OverlayBD images.

Written from the format description alone; shares no code with the driver or
with the command overlaybd, so that each can be checked against the other.

As a module: open_image(), open_payload(), open_device(), ImageError (from
obd_reader), the builder (obd_builder), the hostile set (obd_hostile).
"""

import argparse
import hashlib
import json
import os
import sys

from obd_golden import check_set, sha256_of
from obd_hostile import write_set
from obd_mutate import write_mutants
from obd_reader import (
    SECTOR, Device, Image, ImageError, Lsmt, ZFile, errno_name, is_zfile,
    open_device, open_image, open_payload, survey, unwrap)

__all__ = ['Device', 'Image', 'ImageError', 'Lsmt', 'ZFile', 'errno_name',
           'is_zfile', 'open_device', 'open_image', 'open_payload', 'survey']
CHUNK = 1 << 20


def open_arguments(args):
    return (open_payload(args.image[0]) if args.payload
            else open_image(args.image))


def device_size(args, content):
    """What a device shows: an image has whole sectors only."""
    return content.size if args.payload else content.size & -SECTOR


def flatten(args):
    content = open_arguments(args)
    size = device_size(args, content)
    with open(args.output, 'wb') as out:
        for offset in range(0, size, CHUNK):
            piece = content.read(offset, min(CHUNK, size - offset))
            if args.sparse and not any(piece):
                out.seek(len(piece), os.SEEK_CUR)
            else:
                out.write(piece)
        out.truncate(size)


def sha256(args):
    print(sha256_of(open_arguments(args)))


def probe(args):
    piece = open_arguments(args).read(args.offset, args.length)
    print(hashlib.sha256(piece).hexdigest())


def text(field):
    return field.split(b'\0')[0].decode('ascii', 'replace')


def zfile_info(zfile):
    info = zfile.info
    return {'algorithm': {1: 'lz4', 2: 'zstd'}[info.algo],
            'block_size': info.block_size, 'verify': info.verify,
            'flags': info.flags, 'blocks': info.index_size,
            'index_offset': info.index_offset,
            'original_size': info.original_file_size}


def lsmt_info(layer):
    trailer = layer.trailer
    return {'size': layer.source.size, 'virtual_size': layer.virtual_size,
            'index_offset': trailer.index_offset,
            'index_size': trailer.index_size,
            'entries': len(layer.entries),
            'zeroed': sum(entry.zeroed for entry in layer.entries),
            'header_flags': layer.header.flags,
            'trailer_flags': trailer.flags, 'uuid': text(trailer.uuid),
            'parent_uuid': text(trailer.parent_uuid),
            'user_tag': text(trailer.user_tag),
            'version': [trailer.version, trailer.sub_version]}


def layer_info(path, layers):
    """Describes one file; a layer found in it is added to LAYERS."""
    source, tar = unwrap(path)
    result = {'file': path, 'size': source.size, 'tar': tar and {
        'offset': tar[0], 'size': tar[1]}, 'zfile': None, 'lsmt': None}
    if is_zfile(source):
        source = ZFile(source)
        result['zfile'] = zfile_info(source)
    layer = Lsmt(source)
    layers.append(layer)
    result['lsmt'] = lsmt_info(layer)
    return result


def info(args):
    layers = []
    result = {'layers': [layer_info(path, layers) for path in args.image]}
    image = Image(layers)
    result['virtual_size'] = image.size
    result['segments'] = len(image.segments())
    if args.json:
        print(json.dumps(result, indent=1))
        return
    for layer in result['layers']:
        for part in ('tar', 'zfile', 'lsmt'):
            print(layer['file'], part, layer[part] or '-')
    print('virtual size %d, %d segments' % (image.size, result['segments']))


def golden(args):
    results = check_set(args.directory)
    print('TAP version 13\n1..%d' % len(results))
    for number, (name, problem) in enumerate(results, 1):
        print('%sok %d - %s' % ('not ' if problem else '', number, name))
        if problem:
            print('# ' + problem)
    return int(any(problem for _, problem in results))


def hostile(args):
    print('%d cases' % write_set(args.directory))


def mutate(args):
    write_mutants(args.seed, args.count, args.directory, args.image)


def parser():
    top = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    verbs = top.add_subparsers(required=True, metavar='VERB')

    def verb(function, summary, images=True):
        result = verbs.add_parser(function.__name__, help=summary)
        result.set_defaults(function=function)
        if images:
            result.add_argument('image', nargs='+', metavar='IMAGE',
                                help='layer files, lowest first')
        return result

    def content_verb(function, summary):
        result = verb(function, summary)
        result.add_argument('--payload', action='store_true',
                            help='the content of one ZFile, whatever it is')
        return result

    one = content_verb(flatten, 'write the device an image describes')
    one.add_argument('-o', '--output', required=True)
    one.add_argument('--sparse', action='store_true')
    content_verb(sha256, 'SHA-256 of the whole content')
    one = content_verb(probe, 'SHA-256 of a range of bytes')
    one.add_argument('offset', type=int)
    one.add_argument('length', type=int)
    one = verb(info, 'describe layers and stack')
    one.add_argument('--json', action='store_true')
    one = verb(golden, 'check a set of golden images (TAP)', images=False)
    one.add_argument('directory')
    one = verb(hostile, 'write the set of hostile images', images=False)
    one.add_argument('directory')
    one = verb(mutate, 'write damaged variants of images', images=False)
    one.add_argument('seed')
    one.add_argument('count', type=int)
    one.add_argument('directory')
    one.add_argument('image', nargs='+', metavar='IMAGE')
    return top


def main():
    """0 done, 1 environment or failed checks, 2 refused or corrupt, 3 an
    unreadable block."""
    args = parser().parse_args()
    try:
        return args.function(args) or 0
    except ImageError as error:
        print('obdimage: %s' % error, file=sys.stderr)
        return 3 if errno_name(error.errno) == 'EIO' else 2
    except OSError as error:
        print('obdimage: %s' % error, file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main())
