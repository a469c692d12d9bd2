"""CONV_3D and CONV_3D_TRANSPOSE: strides, dilation, padding, bias, activations, an output shape that comes with the run."""
import numpy as np
from op_models import M, case, values

F, I32 = np.float32, np.int32


def conv(name, shape=(1, 4, 5, 4, 2), filter=(3, 2, 3, 2, 3), bias=True, **options):
    o = dict(padding=0, stride_d=1, stride_w=1, stride_h=1)
    o.update(options)
    m = M()
    x, w = m.input(F, shape), m.const(values(F, filter, -1, 1))
    inputs = [x, w, m.const(values(F, filter[4:])) if bias else None]
    m.op('CONV_3D', inputs, [m.output(F)], **o)
    case(name, m, [values(F, shape, -1, 1)])


conv('same')
conv('valid', padding=1)
conv('stride', stride_d=2, stride_h=3, stride_w=2, shape=(2, 5, 6, 7, 2))
conv('dilated', dilation_d_factor=2, dilation_h_factor=2, dilation_w_factor=1)
conv('relu6, no bias', fused_activation_function=3, bias=False)
conv('1x1x1', filter=(1, 1, 1, 2, 5))


def transposed(name, out, shape=(1, 2, 3, 2, 2), filter=(3, 2, 3, 4, 2), bias=True, late=False, **options):
    o = dict(padding=0, stride_d=2, stride_w=2, stride_h=2)
    o.update(options)
    m = M()
    want = np.array([shape[0], *out, filter[3]], I32)
    size = m.input(I32, [5]) if late else m.const(want)
    w, x = m.const(values(F, filter, -1, 1)), m.input(F, shape)
    m.op('CONV_3D_TRANSPOSE', [size, w, x, m.const(values(F, filter[3:4])) if bias else None], [m.output(F)], **o)
    a = values(F, shape, -1, 1)
    case('transposed: ' + name, m, [want, a] if late else [a])


transposed('same', (4, 6, 4))
transposed('odd sizes', (3, 5, 4))
transposed('valid', (5, 6, 5), padding=1)
transposed('no bias, relu', (4, 6, 4), bias=False, fused_activation_function=1)
transposed('stride 1', (2, 3, 2), stride_d=1, stride_w=1, stride_h=1)
transposed('dilated', (4, 6, 4), dilation_d_factor=1, dilation_h_factor=2, dilation_w_factor=2)
transposed('shape from the run', (4, 6, 4), late=True)
