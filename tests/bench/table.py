#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Turns the results of tests/bench/run into tables and a picture.

table.py DIR: reads DIR/*.results, prints the tables and the figures that the
design has to reach, and writes DIR/RESULTS.md and DIR/results.svg. What is not
reached is explained in not-reached.md beside this file.
"""

import glob
import html
import os
import re
import statistics
import sys
from collections import defaultdict

WORKLOADS = [
    ('direct-4k', '4 KiB random'),
    ('direct-4k-qd32', '4 KiB random, 32 in flight'),
    ('direct-seq', 'sequential, per MiB'),
    ('buffered-4k', '4 KiB random, buffered'),
    ('buffered-seq', 'sequential buffered, per MiB'),
    ('direct-512', '512 bytes random'),
    ('direct-128k', '128 KiB random'),
    ('four-readers', '4 KiB random, 4 readers of one device'),
    ('four-devices', '4 KiB random, 4 readers of 4 devices'),
]

SETUPS = [
    ('raw', 'ramdisk'),
    ('linear', 'dm-linear'),
    ('zfile_lz4_4k', 'zfile LZ4 4K'),
    ('zfile_created_lz4_4k', 'zfile LZ4 4K by overlaybd'),
    ('zfile_lz4_4k_nocrc', 'zfile LZ4 4K, no CRC'),
    ('zfile_lz4_16k', 'zfile LZ4 16K'),
    ('zfile_lz4_64k', 'zfile LZ4 64K'),
    ('zfile_lz4_64k_nocrc', 'zfile LZ4 64K, no CRC'),
    ('zfile_zstd_4k', 'zfile ZSTD 4K'),
    ('zfile_zstd_64k', 'zfile ZSTD 64K'),
    ('lsmt_plain_1', 'lsmt, 1 plain layer'),
    ('lsmt_plain_8', 'lsmt, 8 plain layers'),
    ('lsmt_plain_64', 'lsmt, 64 plain layers'),
    ('lsmt_plain_255', 'lsmt, 255 plain layers'),
    ('lsmt_fused_1', 'lsmt on 1 LZ4 4K layer'),
    ('lsmt_fused_8', 'lsmt on 8 LZ4 4K layers'),
    ('lsmt_fused_255', 'lsmt on 255 LZ4 4K layers'),
    ('lsmt_stacked_8', 'lsmt on 8 zfile devices'),
    ('zfile_lz4_4k_null_blk', 'zfile LZ4 4K on null_blk'),
    ('zfile_lz4_4k_loop_direct', 'zfile LZ4 4K on loop, direct'),
    ('zfile_lz4_4k_loop_buffered', 'zfile LZ4 4K on loop, buffered'),
    ('lsmt_fused_8_null_blk', 'lsmt on 8 LZ4 4K layers on null_blk'),
    ('lsmt_fused_8_loop_direct', 'lsmt on 8 LZ4 4K layers on loop, direct'),
    ('lsmt_fused_8_loop_buffered', 'lsmt on 8 LZ4 4K layers on loop, buffered'),
    ('erofs_lz4_4k', 'erofs LZ4 4K (no CRC)'),
    ('erofs_lz4_64k', 'erofs LZ4 64K (no CRC)'),
    ('squashfs_lz4_4k', 'squashfs LZ4 4K (no CRC)'),
    ('squashfs_lz4_128k', 'squashfs LZ4 128K (no CRC)'),
    ('files_erofs_linear', 'file in erofs on dm-linear'),
    ('files_erofs_zfile', 'file in erofs on zfile LZ4 4K'),
    ('files_erofs_created', 'file in erofs on zfile LZ4 4K by overlaybd'),
    ('files_erofs_lsmt_8', 'file in erofs on lsmt on 8 LZ4 4K layers'),
    ('files_ext4_linear', 'file in ext4 on dm-linear'),
    ('files_ext4_zfile', 'file in ext4 on zfile LZ4 4K'),
    ('files_ext4_created', 'file in ext4 on zfile LZ4 4K by overlaybd'),
    ('files_ext4_lsmt_8', 'file in ext4 on lsmt on 8 LZ4 4K layers'),
    ('libs_linear', 'libs: dm-linear'),
    ('libs_zfile_lz4_4k', 'libs: zfile LZ4 4K'),
    ('libs_zfile_created_lz4_4k', 'libs: zfile LZ4 4K by overlaybd'),
    ('libs_erofs_lz4_4k', 'libs: erofs LZ4 4K (no CRC)'),
    ('overlaybd_tcmu_lz4_4k', 'overlaybd-tcmu, 1 LZ4 4K layer'),
    ('overlaybd_tcmu_lz4_4k_8', 'overlaybd-tcmu, 8 LZ4 4K layers'),
    ('overlaybd_tcmu_zstd_4k', 'overlaybd-tcmu, 1 ZSTD 4K layer'),
    ('overlaybd_tcmu_plain', 'overlaybd-tcmu, 1 plain layer'),
    ('verity', 'dm-verity on the ramdisk'),
    ('nbd_compressed', 'qemu-nbd, compressed qcow2'),
    ('nbd_chain_1', 'qemu-nbd, 1 qcow2 (not compressed)'),
    ('nbd_chain_8', 'qemu-nbd, chain of 8 qcow2 (not compressed)'),
    ('nbd_chain_64', 'qemu-nbd, chain of 64 qcow2 (not compressed)'),
    ('nbd_chain_255', 'qemu-nbd, chain of 255 qcow2 (not compressed)'),
]

BLOCKS_PER_MIB = 256


def read_lines(path):
    """None of them, if there is no such file."""
    if not os.path.exists(path):
        return []
    with open(path, encoding='utf-8') as lines:
        return [line.rstrip('\n') for line in lines]


class Results:
    """What the guests said; of several starts the median."""

    def __init__(self, folder):
        self.cost = defaultdict(dict)
        self.counted = {}
        self.floor = {}
        self.tables = {}
        self.memory = {}
        self.sharing = {}
        self.two_cpus = defaultdict(list)
        self.spread = {}
        self.repeated = {}
        self.versions = []
        self.made_by = set()
        values = defaultdict(list)
        for path in sorted(glob.glob(os.path.join(folder, '*.results'))):
            again = path.endswith('.again.results')
            with open(path, encoding='utf-8') as lines:
                for line in lines:
                    self._line(line.split(), values, again)
        for (setup, workload), found in values.items():
            self.cost[setup][workload] = statistics.median(found)
            if len(found) > 1:
                self.spread[setup, workload] = max(found) / min(found) - 1
        self.repeated = {key: value / values[key][0] - 1
                         for key, value in self.repeated.items() if key in values}
        self.lookup = self._lookup(os.path.join(folder, 'zfile_lz4_4k.direct-4k.profile'))
        self.shared = self._shared(os.path.join(folder, 'zfile_lz4_4k.two-readers.profile'))
        self.versions = read_lines(os.path.join(folder, 'versions'))
        self.sizes = {name: int(size) for name, size in (
            line.split() for line in read_lines(os.path.join(folder, 'sizes')))}
        self.index_time = self._index_time(os.path.join(folder, 'segment-index-time'))

    def _line(self, words, values, again):
        if len(words) < 3 or words[0] == 'error:':
            return
        if words[:2] == ['made', 'by']:
            self.made_by.add(' '.join(words[2:]))
        elif words[0] == 'floor':
            if not again and len(words) > 5:
                self._floor(words)
        elif words[0] == 'tables':
            self.tables[words[1]] = int(words[2]), int(words[3])
        elif words[0] == 'memory':
            self.memory[words[1], int(words[2])] = (
                [int(word) for word in words[3:11]], words[11:])
        elif words[0] == 'sharing':
            self.sharing[words[1]] = [int(word) for word in words[2:]]
        elif words[0] == 'two_cpus':
            self.two_cpus[words[1]].append((int(words[2]), int(words[3])))
        elif words[1].startswith('count-'):
            self.counted[words[0], words[1]] = int(words[2]) / int(words[3])
        elif words[1] != 'calibrate':
            value = int(words[2]) / int(words[3])
            if again:
                self.repeated[words[0], words[1]] = value
            else:
                values[words[0], words[1]].append(value)

    def _floor(self, words):
        _, image, _, _, order, _, *rest = words
        blocks, rest = int(rest[0]), rest[1:]
        pairs = dict(zip(rest[::2], rest[1::2]))
        self.floor[image, order] = {
            key: int(pairs[key]) / blocks
            for key in ('payload', 'crc', 'decompress', 'copy')}

    @staticmethod
    def _lookup(path):
        """Instructions a read spends on finding its block, from a profile."""
        if not os.path.exists(path):
            return None
        total = 0
        with open(path, encoding='utf-8') as lines:
            for line in lines:
                words = line.split()
                if len(words) < 5 or not words[0][0].isdigit():
                    continue
                if words[-1] == '[dm_bufio]' or words[4].startswith((
                        'jump_table_', 'bdev_cache_', 'zfile_sum_entries')):
                    total += float(words[0])
        return total

    @staticmethod
    def _shared(path):
        """Cache lines that two CPUs write to: by dm_overlaybd, by anybody."""
        if not os.path.exists(path):
            return None, None
        with open(path, encoding='utf-8') as lines:
            words = next(lines).split()
        return int(words[8]), int(words[0])

    @staticmethod
    def _index_time(path):
        """(layers, segments of each) -> milliseconds, see tests/unit."""
        found, what = {}, None
        for line in read_lines(path):
            words = re.match(r'(?:not )?ok \d+ - (\d+) layers of (\d+) segments', line)
            time = re.match(r'# ([\d.]+) ms,', line)
            if words:
                what = int(words[1]), int(words[2])
            elif time and what:
                found[what] = float(time[1])
        return found

    def speedup(self, what):
        """Median of how many times as much two processes do as one."""
        if what not in self.two_cpus:
            return None
        return statistics.median(2 * one / two for one, two in self.two_cpus[what])

    def get(self, setup, workload):
        return self.cost.get(setup, {}).get(workload)

    def floor_of(self, image, workload):
        """dm-linear, and for each block CRC and decompression."""
        order = 'sequential' if workload.endswith('seq') else 'random'
        linear, block = self.get('linear', workload), self.floor.get((image, order))
        if linear is None or block is None:
            return None
        blocks = BLOCKS_PER_MIB if order == 'sequential' else 1
        return linear + blocks * (block['crc'] + block['decompress'])


def number(value):
    return '' if value is None else format(round(value), ',')


class Gate:
    """One figure the design has to reach, and the command that shows it: the names
    for tests/bench/run, or anything with a slash."""

    def __init__(self, how, text, value, limit, below=False, form=number):
        self.how = how if '/' in how else 'tests/bench/run ' + how
        self.text, self.value, self.limit = text, value, limit
        self.form = form
        if value is None or limit is None:
            self.verdict = 'not measured'
        elif value < limit or (value == limit and not below):
            self.verdict = 'reached'
        else:
            self.verdict = 'NOT REACHED'

    def row(self):
        return [self.text, self.form(self.value) if self.value is not None else '',
                self.form(self.limit) if self.limit is not None else '', self.verdict,
                '`%s`' % self.how]


def ratio(value, base):
    return None if value is None or not base else value / base


def factor(value):
    return '%.3f' % value


def zfile_gates(res):
    how = 'linear floor zfile_lz4_4k'
    for workload, text in WORKLOADS[:2]:
        cost = res.get('zfile_lz4_4k', workload)
        yield Gate(how, 'zfile LZ4 4K, %s: times the floor' % text,
                   ratio(cost, res.floor_of('zfile-lz4-4k', workload)), 1.25, form=factor)
        yield Gate('zfile_lz4_4k', 'zfile LZ4 4K, %s: instructions' % text, cost, 24300)
    yield Gate(how, 'zfile LZ4 4K, sequential O_DIRECT: times the floor',
               ratio(res.get('zfile_lz4_4k', 'direct-seq'),
                     res.floor_of('zfile-lz4-4k', 'direct-seq')), 1.1, form=factor)
    yield from erofs_gates(res)
    yield Gate('linear floor zfile_zstd_4k', 'zfile ZSTD 4K, 4 KiB random: times the floor',
               ratio(res.get('zfile_zstd_4k', 'direct-4k'),
                     res.floor_of('zfile-zstd-4k', 'direct-4k')), 1.08, form=factor)
    yield Gate('zfile_lz4_64k',
               '64 KiB blocks in shuffled reads of 4 KiB: decompressions a block',
               res.counted.get(('zfile_lz4_64k', 'count-shuffled-64k')), 1.3, form=factor)
    yield Gate('tests/bench/profile direct-4k',
               'jump-table leaves on demand, warm: all of finding a block', res.lookup, 900)


def erofs_gates(res):
    """What the registries' tools write is plain LZ4; ours is what ours writes."""
    names = dict(SETUPS)
    for content in '', 'libs_':
        peer = (content or '') + 'erofs_lz4_4k'
        for mine in 'zfile_lz4_4k', 'zfile_created_lz4_4k':
            mine = content + mine
            yield Gate('%s %s' % (mine, peer),
                       '%s, sequential buffered, per MiB: below erofs LZ4 4K' % names[mine],
                       res.get(mine, 'buffered-seq'), res.get(peer, 'buffered-seq'),
                       below=True)


def lsmt_gates(res):
    for layers in 1, 255:
        mine = 'lsmt_plain_%d' % layers
        for workload, text in WORKLOADS[:2]:
            yield Gate('linear ' + mine,
                       'lsmt, %d plain layers, %s: times dm-linear' % (layers, text),
                       ratio(res.get(mine, workload), res.get('linear', workload)), 1.05,
                       form=factor)
    for layers in 1, 8, 255:
        mine = 'lsmt_fused_%d' % layers
        for workload, text in WORKLOADS[:2]:
            yield Gate('zfile_lz4_4k ' + mine,
                       'lsmt on %d LZ4 4K layers, %s: times zfile' % (layers, text),
                       ratio(res.get(mine, workload), res.get('zfile_lz4_4k', workload)),
                       1.03, form=factor)


def load_gates(res):
    for what, limit in ((1, 1000000), 100), ((255, 10000), 400):
        yield Gate('tests/unit/run',
                   '%d x %s segments: milliseconds to validate and merge (CPU time, here)' % (
                       what[0], number(what[1])), res.index_time.get(what), limit,
                   form=lambda value: '%.1f' % value)


def further_device(res, name):
    """Bytes that slab, vmalloc and percpu grow by for each device but the first,
    beyond what a dm-linear takes."""
    def growth(table, count):
        words = res.memory[table, count][0]
        return sum(words[5:]) - sum(words[1:4])
    if (name, 64) not in res.memory or ('linear', 64) not in res.memory:
        return None
    mine, linear = (growth(table, 64) - growth(table, 1) for table in (name, 'linear'))
    return (mine - linear) * 1024 / 63


def memory_gates(res):
    large = res.memory.get(('zfile-large', 1))
    limit = (16 * 24 + 128) << 10
    yield Gate('memory',
               'zfile of 16 GiB, 4 KiB blocks: resident bytes as its status has it',
               int(large[1][5]) if large else None, limit)
    yield Gate('memory', 'zfile of 16 GiB: bytes as /proc has it (slab, vmalloc, percpu)',
               (sum(large[0][5:8]) - sum(large[0][1:4])) * 1024 if large else None, limit)
    stack = res.memory.get(('stack-plain-8', 1))
    yield Gate('memory', 'lsmt: bytes for each packed entry, as its status has it',
               int(stack[1][5]) / int(stack[1][4]) if stack else None, 12.01,
               form=lambda value: '%.2f' % value)
    yield Gate('memory',
               'each further zfile device: bytes as /proc has it, beyond dm-linear',
               further_device(res, 'zfile-lz4-4k'), 4096)
    more = further_device(res, 'stack-lz4-8')
    index = -(-int(stack[1][5]) // 4096) * 4096 if stack else 0
    yield Gate('memory',
               'each further lsmt device: the same, without the pages of its merged index',
               more - index if stack and more is not None else None, 4096)


class LowerGate(Gate):
    """One that has to reach its limit from below."""

    def __init__(self, how, text, value, limit):
        super().__init__(how, text, value, limit, form=factor)
        if value is not None:
            self.verdict = 'reached' if value >= limit else 'NOT REACHED'


def cpu_gates(res):
    mine, every = res.shared
    how = 'tests/bench/profile -s'
    yield Gate(how, 'two readers of whole blocks: cache lines that dm_overlaybd writes on both CPUs', mine, 0)
    yield Gate(how, 'the same, by whatever it calls and the block layer', every, 0)
    reading, computing = res.speedup('direct'), res.speedup('spin')
    text = 'two readers on two CPUs: times one'
    if computing:
        text += ' (real time; processes that only compute: %.2f)' % computing
    gate = LowerGate('two_cpus', text, reading, 1.6)
    if computing and computing < 1.8:
        gate.verdict = 'not measured: busy host'
    yield gate


def gates(res):
    return [*zfile_gates(res), *lsmt_gates(res), *load_gates(res), *memory_gates(res), *cpu_gates(res)]


def floor_rows(res):
    for (image, order), block in sorted(res.floor.items()):
        yield [image, order, number(block['payload']), number(block['crc']),
               number(block['decompress']), number(block['copy'])]


def cost_rows(res, workloads):
    for setup, text in SETUPS:
        if setup in res.cost:
            yield [text] + [number(res.get(setup, key)) for key, _ in workloads]


def table_rows(res):
    base = res.tables.get('linear', (0, 0))[1]
    for name, (first, later) in res.tables.items():
        yield [name, number(first), number(later), number(later - base)]


def memory_rows(res):
    for (name, count), (words, status) in res.memory.items():
        change = [after - before for before, after in zip(words[:4], words[4:])]
        yield [name, str(count), number(-change[0]), *map(number, change[1:]),
               ' '.join(status)]


OURS_FOR_TCMU = {
    'overlaybd_tcmu_lz4_4k': 'lsmt_fused_1',
    'overlaybd_tcmu_lz4_4k_8': 'lsmt_fused_8',
    'overlaybd_tcmu_zstd_4k': 'zfile_zstd_4k',
    'overlaybd_tcmu_plain': 'lsmt_plain_1',
}


def ours_for(peer):
    """What of ours does what the peer does."""
    if 'chain' in peer:
        return [peer.replace('nbd_chain', 'lsmt_plain')]
    if peer in OURS_FOR_TCMU:
        return [OURS_FOR_TCMU[peer]]
    content = 'libs_' if peer.startswith('libs_') else ''
    mine = [content + 'zfile_lz4_4k', content + 'zfile_created_lz4_4k']
    if peer.startswith(('erofs', 'squashfs')):
        mine += ['files_erofs_zfile', 'files_erofs_created']
    return mine


def better_peers(res):
    """Where somebody else does the same for less."""
    names = dict(SETUPS)
    for peer, _ in SETUPS:
        if not peer.startswith(('erofs', 'squashfs', 'verity', 'nbd', 'libs_erofs',
                                'overlaybd_tcmu')):
            continue
        for mine in ours_for(peer):
            for workload, text in WORKLOADS:
                ours, theirs = res.get(mine, workload), res.get(peer, workload)
                if ours and theirs and theirs < ours:
                    yield '%s: %s needs %s, %s %s (%.2f times)' % (
                        text, names[peer], number(theirs), names[mine], number(ours),
                        ours / theirs)
    yield from smaller_peers(res)


def smaller_peers(res):
    """Images of the same unit of compression, or of the least that a peer has."""
    for peer, mine in (('erofs-lz4-4k', 'zfile-lz4-4k'), ('erofs-lz4-4k', 'created-lz4-4k'),
                       ('squashfs-lz4-4k', 'zfile-lz4-4k'),
                       ('squashfs-lz4-4k', 'created-lz4-4k'),
                       ('qcow2-compressed', 'zfile-zstd-4k')):
        ours, theirs = res.sizes.get(mine), res.sizes.get(peer)
        if ours and theirs and theirs < ours:
            yield 'size of the image: %s has %s bytes, %s %s (%.3f times)' % (
                peer, number(theirs), mine, number(ours), ours / theirs)


def size_rows(res):
    content = res.sizes.get('raw')
    for name, size in res.sizes.items():
        yield [name, number(size), '%.3f' % (size / content)]


def markdown(head, rows):
    rows = [[str(cell) for cell in row] for row in rows]
    width = [max(len(row[i]) for row in [head] + rows) for i in range(len(head))]

    def line(cells):
        return '| ' + ' | '.join(
            cell.ljust(width[i]) if not i else cell.rjust(width[i])
            for i, cell in enumerate(cells)) + ' |'
    return '\n'.join([line(head), '|' + '|'.join(
        '-' * (w + 1) + ('-' if not i else ':') for i, w in enumerate(width)) + '|',
        *map(line, rows)])


def repeat_text(res):
    if not res.repeated:
        return ''
    worst = max(res.repeated, key=lambda key: abs(res.repeated[key]))
    same = sum(not value for value in res.repeated.values())
    names = dict(SETUPS)
    guests = ', '.join(sorted({names.get(setup, setup) for setup, _ in res.repeated}))
    return ('Two boots each of %s: %d of %d figures are equal to the digit, the largest '
            'difference is %.3f %% (%s %s).' % (
                guests, same, len(res.repeated), 100 * abs(res.repeated[worst]), *worst))


def document(res):
    parts = ['# What reading costs', '',
             'Instructions, counted in a deterministic virtual machine with one CPU; made by '
             '`tests/bench/run`,\nsee there. O_DIRECT unless it says buffered. '
             'All images have the same content, but for "libs": other\nfiles. "zfile LZ4" is '
             'plain LZ4, as most images have it; "by overlaybd": as our command writes it.'
             + ('' if any(setup.startswith('overlaybd_tcmu') for setup in res.cost) else
                '\noverlaybd-tcmu is not among the peers: it has to be built first, see PEER_OBD '
                'there.'), '',
             '![results](results.svg)', '']
    made_by = 'tree      ' + ', '.join(sorted(res.made_by))
    parts += ['    ' + line for line in [made_by] + res.versions] + ['']
    for begin, end in (0, 5), (5, 9):
        rows = [row for row in cost_rows(res, WORKLOADS[begin:end]) if any(row[1:])]
        if rows:
            parts += [markdown([''] + [text for _, text in WORKLOADS[begin:end]], rows), '']
    sections = [
        ('The floor: one block inside the kernel',
         ['image', 'order', 'bytes', 'crc32c', 'decompress', 'memcpy'], list(floor_rows(res))),
        ('Loading a table: instructions', ['table', 'first', 'again', 'beyond dm-linear'],
         list(table_rows(res))),
        ('Memory of so many devices, KiB',
         ['image', 'devices', 'free', 'slab', 'vmalloc', 'percpu', 'status'],
         list(memory_rows(res))),
        ('Two images that share seven of eight layers, all of each read',
         ['image', 'page cache, KiB', 'sectors read below', 'decompressions'],
         [[name, *map(number, words)] for name, words in res.sharing.items()]),
        ('Size of the images', ['image', 'bytes', 'to the content'], list(size_rows(res))),
        ('Figures to reach', ['what', 'is', 'limit', '', 'shown by'],
         [gate.row() for gate in gates(res)])]
    for title, head, rows in sections:
        if rows:
            parts += ['## ' + title, '', markdown(head, rows), '']
    if res.counted:
        parts += ['Decompressions for each block in shuffled reads of 4 KiB: ' + ', '.join(
            '%s %.3f' % (setup, value) for (setup, _), value in res.counted.items()) + '.', '']
    if any(gate.verdict == 'NOT REACHED' for gate in gates(res)):
        parts += read_lines(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                         'not-reached.md')) + ['']
    peers = list(better_peers(res))
    if peers:
        parts += ['## Where a peer needs less', ''] + ['- ' + peer for peer in peers] + ['']
    if repeat_text(res):
        parts += [repeat_text(res), '']
    return '\n'.join(parts)


BAR, ROW, LABEL, PANEL = 260, 18, 320, 350
PANELS = [('direct-4k', 130000), ('buffered-4k', 130000), ('buffered-seq', 12000000)]
COLOURS = {'zfile': '#1a7f5a', 'lsmt': '#4aa884', 'raw': '#999999', 'linear': '#999999'}


def bar(res, setup, workload, limit, x, y):
    value = res.get(setup, workload)
    if value is None:
        return []
    width = max(1, BAR * min(value, limit) / limit)
    colour = COLOURS.get(setup.split('_', maxsplit=1)[0], '#c0784a')
    inside = width >= BAR * 0.6
    text = number(value) + (' (off the scale)' if value > limit else '')
    return ['<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>'
            % (x, y, width, ROW - 5, colour),
            '<text x="%.1f" y="%d" class="value%s">%s</text>' % (
                x + 6 if inside else x + width + 4, y + ROW - 8,
                ' inside' if inside else '', text)]


def picture(res):
    setups = [(setup, text) for setup, text in SETUPS
              if any(res.get(setup, workload) is not None for workload, _ in PANELS)]
    width, height = LABEL + PANEL * len(PANELS), 50 + ROW * len(setups)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
           'font-family="sans-serif" font-size="12">' % (width, height),
           '<style>.value { font-size: 10px } .inside { fill: white }</style>',
           '<rect width="100%" height="100%" fill="white"/>']
    titles = dict(WORKLOADS)
    for column, (workload, limit) in enumerate(PANELS):
        x = LABEL + column * PANEL
        out.append('<text x="%d" y="24" font-weight="bold">%s</text>'
                   % (x, titles[workload]))
        for row, (setup, _) in enumerate(setups):
            out += bar(res, setup, workload, limit, x, 36 + row * ROW)
    for row, (_, text) in enumerate(setups):
        out.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (
            LABEL - 8, 36 + row * ROW + ROW - 8, html.escape(text)))
    return '\n'.join(out + ['</svg>', ''])


def main():
    folder = sys.argv[1]
    res = Results(folder)
    text = document(res)
    print(text)
    with open(os.path.join(folder, 'RESULTS.md'), 'w', encoding='utf-8') as out:
        out.write(text)
    with open(os.path.join(folder, 'results.svg'), 'w', encoding='utf-8') as out:
        out.write(picture(res))
    repeated = [abs(value) for value in res.repeated.values()]
    return int(bool(repeated) and max(repeated) > 0.005)


if __name__ == '__main__':
    sys.exit(main())
