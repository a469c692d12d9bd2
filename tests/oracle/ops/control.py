"""IF, WHILE, CALL_ONCE, STABLEHLO_COMPOSITE, STABLEHLO_CASE: fixed and growing shapes, nested, values passed through, no iteration at all."""
import numpy as np
from flatbuffers import flexbuffers
from op_models import M, case, values

F, I32, B = np.float32, np.int32, np.bool_


def branches(m, shapes=([2], [2])):
    """Two graphs of one input: x + 1 and x * x; with another shape the second is a RESHAPE."""
    a, b = m.graph('then'), m.graph('else')
    x = a.input(F, [2])
    a.op('ADD', [x, a.const(F(1))], [a.output(F, shapes[0])])
    x = b.input(F, [2])
    if shapes[1] == [2]:
        b.op('MUL', [x, x], [b.output(F, [2])])
    else:
        b.op('RESHAPE', [x, b.const(np.array(shapes[1], I32))], [b.output(F, shapes[1])])
    return a, b


for shapes in (([2], [2]), ([2], [2, 1])):
    m = M()
    c, x = m.input(B, []), m.input(F, [2])
    a, b = branches(m, shapes)
    y = m.output(F, [2])
    m.op('IF', [c, x], [y], then_subgraph_index=a.index, else_subgraph_index=b.index)
    case('if, shapes %s' % (shapes,), m, [np.array(True), values(F, [2])], [np.array(False), values(F, [2])], [np.array(True), values(F, [2])])

# an IF whose output feeds another operator, so that what follows is dynamic too
m = M()
c, x = m.input(B, []), m.input(F, [2])
a, b = branches(m, ([2], [1, 2]))
t, y = m.tensor(F, [2]), m.output(F, [2])
m.op('IF', [c, x], [t], then_subgraph_index=a.index, else_subgraph_index=b.index)
m.op('EXP', [t], [y])
case('if, then exp', m, [np.array(True), values(F, [2])], [np.array(False), values(F, [2])])


def loop(grow, inner=False):
    """i < n: i += 1, x = x * 2 (or concat(x, x) when it grows)."""
    m = M()
    i, n, x = m.input(I32, []), m.input(I32, []), m.input(F, [2])
    cond, body = m.graph('cond'), m.graph('body')
    ci, cn, _ = cond.input(I32, []), cond.input(I32, []), cond.input(F, [2])
    cond.op('LESS', [ci, cn], [cond.output(B, [])])
    bi, bn, bx = body.input(I32, []), body.input(I32, []), body.input(F, [2])
    o = body.tensor(I32, [])
    y = body.tensor(F, [2])
    body.op('ADD', [bi, body.const(I32(1))], [o])
    if grow:
        body.op('CONCATENATION', [bx, bx], [y], axis=0)
    elif inner:
        a, b = branches(m)
        c = body.tensor(B, [])
        body.op('GREATER', [bi, body.const(I32(2))], [c])
        body.op('IF', [c, bx], [y], then_subgraph_index=a.index, else_subgraph_index=b.index)
    else:
        body.op('MUL', [bx, body.const(F(2))], [y])
    body.t.outputs = [o, bn, y]
    outs = [m.output(I32, []), m.output(I32, []), m.output(F, [2])]
    m.op('WHILE', [i, n, x], outs, cond_subgraph_index=cond.index, body_subgraph_index=body.index)
    return m


for name, m in (('fixed', loop(False)), ('growing', loop(True)), ('if inside', loop(False, True))):
    case('while, ' + name, m, [np.array(0, I32), np.array(4, I32), values(F, [2], -1, 1)], [np.array(3, I32), np.array(0, I32), values(F, [2])],
         [np.array(0, I32), np.array(1, I32), values(F, [2])])

# CALL_ONCE assigns a variable, the main graph reads, adds and assigns it: state from run to run
m = M()
x = m.input(F, [3])
init = m.graph('init')
h = init.tensor(13, [1])
init.op('VAR_HANDLE', [], [h], container='', shared_name='v')
init.op('ASSIGN_VARIABLE', [h, init.const(np.array([1, 2, 3], F))], [])
m.op('CALL_ONCE', [], [], init_subgraph_index=init.index)
h, v = m.tensor(13, [1]), m.tensor(F, [3])
y = m.output(F, [3])
m.op('VAR_HANDLE', [], [h], container='', shared_name='v')
m.op('READ_VARIABLE', [h], [v])
m.op('ADD', [v, x], [y])
m.op('ASSIGN_VARIABLE', [h, y], [])
case('call once, variable', m, *[[values(F, [3])] for _ in range(3)])

# a composite is run by its decomposition; a CALL of two levels
m = M()
x, y = m.input(F, [2, 2]), m.output(F, [2, 2])
g = m.graph('impl')
a = g.input(F, [2, 2])
g.op('TANH', [a], [g.output(F, [2, 2])])
m.op('STABLEHLO_COMPOSITE', [x], [y], name='my.tanh', decomposition_subgraph_index=g.index,
     composite_attributes=list(flexbuffers.Dumps({'a': 1})))
case('composite', m, [values(F, [2, 2])])

m = M()
i, x, y = m.input(I32, []), m.input(F, [2]), m.output(F, [2])
a, b = branches(m)
c = m.graph('third')
cx = c.input(F, [2])
c.op('NEG', [cx], [c.output(F, [2])])
m.op('STABLEHLO_CASE', [i, x], [y], branch_subgraph_indices=[a.index, b.index, c.index])
case('case', m, *[[np.array(k, I32), values(F, [2])] for k in (0, 1, 2, 7, -1)])

# CALL and STABLEHLO_WHILE: LiteRT's stock resolver has neither; the answers are those of the graphs they run.
m = M()
x, y = m.input(F, [2]), m.output(F, [2])
a, _ = branches(m)
m.op('CALL', [x], [y], subgraph=a.index)
v = values(F, [2])
case('call', m, [v], expect=[[v + F(1)]])

m = M()
i, x = m.input(I32, []), m.input(F, [2])
cond, body = m.graph('cond'), m.graph('body')
ci, _ = cond.input(I32, []), cond.input(F, [2])
cond.op('LESS', [ci, cond.const(I32(5))], [cond.output(B, [])])
bi, bx = body.input(I32, []), body.input(F, [2])
body.op('ADD', [bi, body.const(I32(1))], [body.output(I32, [])])
body.op('ADD', [bx, bx], [body.output(F, [2])])
m.op('STABLEHLO_WHILE', [i, x], [m.output(I32, []), m.output(F, [2])], cond_subgraph_index=cond.index, body_subgraph_index=body.index)
case('stablehlo while', m, [np.array(2, I32), v], expect=[[np.array(5, I32), v * F(8)]])

# a body that exchanges its inputs, three times. LiteRT copies one over the other and answers the second twice: the answer here is worked out.
m = M()
outer = [m.input(I32, []), m.input(F, [2]), m.input(F, [2])]
cond, body = m.graph('cond'), m.graph('body')
c = [cond.input(I32, []), cond.input(F, [2]), cond.input(F, [2])]
cond.op('LESS', [c[0], cond.const(I32(3))], [cond.output(B, [])])
b = [body.input(I32, []), body.input(F, [2]), body.input(F, [2])]
o = body.tensor(I32, [])
body.op('ADD', [b[0], body.const(I32(1))], [o])
body.t.outputs = [o, b[2], b[1]]
m.op('WHILE', outer, [m.output(I32, []), m.output(F, [2]), m.output(F, [2])], cond_subgraph_index=cond.index, body_subgraph_index=body.index)
one, two = np.array([1, 2], F), np.array([3, 4], F)
case('while, inputs exchanged', m, [I32(0), one, two], expect=[[I32(3), two, one]])
