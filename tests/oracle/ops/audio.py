"""AudioSpectrogram and Mfcc, alone and one behind the other, as speech models have them; NumericVerify and aeq.hadamard_rotation."""
import numpy as np
from flatbuffers import flexbuffers
from op_models import M, case, values

F, I32 = np.float32, np.int32


def steps(a, n=32):
    return (np.round(a * n) / n).astype(F)  # few bits, so that the file stays small


def options(**o):
    return bytes(flexbuffers.Dumps(o))


def spectrogram(m, x, window, stride, squared, shape):
    y = m.tensor(F, shape)
    m.op('CUSTOM', [x], [y], custom='AudioSpectrogram', custom_options=options(window_size=window, stride=stride, magnitude_squared=squared))
    return y


for n, channels, window, stride in ((64, 1, 16, 8), (50, 2, 12, 5), (33, 3, 32, 1), (20, 1, 2, 3), (40, 2, 33, 40), (10, 1, 16, 8), (90, 1, 64, 13), (7, 0, 4, 2), (30, 1, 3, 30)):
    for squared in (True, False):
        m = M()
        x = m.input(F, [n, channels])
        length = 1 << (window - 1).bit_length()
        rows = max(0, 1 + (n - window) // stride) if n >= window else 0
        m.t.outputs.append(spectrogram(m, x, window, stride, squared, [channels, rows, 1 + length // 2]))
        case('spectrogram %d x %d, window %d, stride %d, squared %s' % (n, channels, window, stride, squared), m, [steps(values(F, [n, channels], -1, 1))])


def mfcc(m, x, rate, shape, **o):
    y = m.output(F, shape)
    m.op('CUSTOM', [x, rate], [y], custom='Mfcc', custom_options=options(**o))


for bins, rate, o in ((33, 16000, dict(upper_frequency_limit=4000, lower_frequency_limit=20, filterbank_channel_count=8, dct_coefficient_count=5)),
                      (65, 8000, dict(upper_frequency_limit=3000, lower_frequency_limit=0, filterbank_channel_count=13, dct_coefficient_count=13)),
                      (17, 22050, dict(upper_frequency_limit=4000.0, lower_frequency_limit=20.9, filterbank_channel_count=40, dct_coefficient_count=13)),
                      (33, 6000, dict(upper_frequency_limit=4000, lower_frequency_limit=20, filterbank_channel_count=8, dct_coefficient_count=5)),
                      (9, 8000, dict(upper_frequency_limit=4000, lower_frequency_limit=20, filterbank_channel_count=3, dct_coefficient_count=1)),
                      (33, 16000, dict(upper_frequency_limit=7999, lower_frequency_limit=300, filterbank_channel_count=1, dct_coefficient_count=1))):
    for fixed in (True, False):
        m = M()
        x = m.input(F, [2, 3, bins])
        r = m.const(np.array([rate], I32)) if fixed else m.input(I32, [1])
        mfcc(m, x, r, [2, 3, o['dct_coefficient_count']], **o)
        case('mfcc %d bins at %d Hz, %d channels%s' % (bins, rate, o['filterbank_channel_count'], '' if fixed else ', rate given'), m,
             [steps(np.abs(values(F, [2, 3, bins])))] + ([] if fixed else [np.array([rate], I32)]))
m = M()
x = m.input(F, [200, 1])
mfcc(m, spectrogram(m, x, 64, 32, True, [1, 5, 33]), m.const(np.array([16000], I32)), [1, 5, 10], upper_frequency_limit=4000, lower_frequency_limit=20,
     filterbank_channel_count=12, dct_coefficient_count=10)
case('speech front end', m, [steps(np.sin(np.arange(200) * .3).reshape(200, 1) + values(F, [200, 1], -.1, .1))])

for t, s, z in ((np.int8, 0.05, 3), (np.uint8, 0.1, 128), (np.int16, 0.001, 0), (np.float16, None, 0)):
    for o in (dict(tolerance=5.0, log_if_failed=False), dict(tolerance=40000.0, log_if_failed=True), dict(tolerance=0.05, log_if_failed=True)):
        if t == np.float16 and o['tolerance'] > 1000:
            continue
        m = M()
        x, ref = m.input(t, [3, 5], scale=s, zero=z), m.input(F, [3, 5])
        m.op('CUSTOM', [x, ref], [m.output(F, [3, 5])], custom='NumericVerify', custom_options=options(**o))
        case('verify %s %s' % (np.dtype(t).name, o), m, [values(t, [3, 5]), values(F, [3, 5])])

for shape, size in (([3, 8], 8), ([2, 3, 4], 4), ([2, 3, 16], 4), ([5, 1], 1), ([2, 256], 256), ([3, 128], 64), ([2, 10], 4), ([2, 3], 8)):
    m = M()
    x = m.input(F, shape)
    m.op('CUSTOM', [x], [m.output(F, shape)], custom='aeq.hadamard_rotation', custom_options=options(hadamard_size=size, random_binary_vector=[1, -1] * (size // 2)))
    case('hadamard %s by %d' % (shape, size), m, [steps(values(F, shape))], use='fast')
