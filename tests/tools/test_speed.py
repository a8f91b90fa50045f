# SPDX-License-Identifier: GPL-2.0
"""Speed against the tool lz4, on the same data in the same run; two cores.

What one core does is told by CPU time, which other programs disturb little, the
best of some runs that take turns. How much two cores gain is told by the CPU time
of one thread over the wall time of two: what disturbs the second makes it worse,
never better, so there are more runs while it is not good enough. What is written is
written to a new file: the kernel frees the pages of one that is replaced, in rename(),
which is no part of the work and for 512 MiB a sixth of the time of two threads.
"""

import os
import resource
import subprocess

MIB = 1 << 20
# The bounds: times the CPU time of lz4, times as fast with two cores.
SLOWER = 1.3
SCALING = 1.6
MOST_RUNS = 25


class Measured:
    """What a run took: seconds of CPU and of the clock, KiB at most."""

    def __init__(self, t, *arguments, written=None):
        times = t.path('time')
        if written and os.path.exists(written):
            os.unlink(written)
        subprocess.run(['time', '-q', '-f', '%U %S %e %M', '-o', times,
                        *arguments], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        with open(times) as file:
            user, system, self.wall, self.kib = map(float, file.read().split())
        self.cpu = user + system


def program_bytes(wanted):
    """Real program files, as much as wanted."""
    data = b''
    for directory in ('/usr/bin', '/usr/lib/x86_64-linux-gnu', '/usr/sbin'):
        if not os.path.isdir(directory):
            continue
        for name in sorted(os.listdir(directory)):
            path = os.path.join(directory, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, 'rb') as file:
                    data += file.read(wanted - len(data))
            if len(data) == wanted:
                return data
    return data


def commands(t):
    """What is compared: ours, without the number of threads, and lz4's; and the
    files they write."""
    src, layer, raw, packed = map(t.path, ('src', 'l', 'e', 'z'))
    return {
        'create': ([t.program, 'create', src, '-o', layer],
                   ['lz4', '-1', '-q', '-B4', src, packed], layer, packed),
        'extract': ([t.program, 'extract', layer, '-o', raw],
                    ['lz4', '-d', '-q', packed, raw], raw, raw),
        'check': ([t.program, 'check', layer], ['lz4', '-t', '-q', packed], None, None),
    }


def one_core(t, runs):
    t.write('src', program_bytes(64 * MIB))
    for verb, (ours, theirs, layer, packed) in commands(t).items():
        pairs = [(Measured(t, *ours, '--threads', '1', written=layer).cpu,
                  Measured(t, *theirs, written=packed).cpu) for _ in range(runs)]
        mine, other = map(min, zip(*pairs))
        print('# %s %.2f s, %s %.2f s: %.2f times' % (
            verb, mine, ' '.join(theirs[:2]), other, mine / other))
        t.check('%s takes at most %.1f times the CPU time of %s' % (
            verb, SLOWER, ' '.join(theirs[:2])), mine <= SLOWER * other,
            '%.2f s and %.2f s' % (mine, other))


def two_cores(t):
    cpus = sorted(os.sched_getaffinity(0))[:2]
    if len(cpus) < 2:
        t.check('scaling # SKIP there is one CPU only', True)
        return
    pinned = ['taskset', '-c', ','.join(map(str, cpus))]
    # Who may, goes before all others.
    if not os.geteuid():
        pinned = ['nice', '-n', '-20', *pinned]
    for verb, (ours, _, written, _) in commands(t).items():
        alone, together = [], []
        while len(alone) < 5 or (len(alone) < MOST_RUNS and
                                 min(alone) < SCALING * min(together)):
            alone.append(Measured(t, *ours, '--threads', '1', written=written).cpu)
            together.append(Measured(t, *pinned, *ours, '--threads', '2',
                                     written=written).wall)
        gain = min(alone) / min(together)
        print('# %s: one core %.2f s, two cores %.2f s: %.2f times as fast, '
              'best of %d runs' % (verb, min(alone), min(together), gain,
                                   len(alone)))
        t.check('%s is at least %.1f times as fast with two cores' % (
            verb, SCALING), gain >= SCALING, '%.2f times' % gain)


def run(t):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    one_core(t, 9)
    # Long enough for what happens once, and for the clock.
    t.write('src', 2 * program_bytes(256 * MIB))
    two_cores(t)
