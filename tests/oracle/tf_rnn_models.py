"""Recurrent Keras layers of both generations, as sequence models use them: first states from inputs, states given back, stacked, both directions, masks,
unrolled, stateful, time first, fixed batches (tf_models.py)."""
import tf_keras
import tensorflow as tf
from tf_models import A, BATCHES, LETTERS, keras


def steps(r, k, time=6):
    """Sequences of different lengths: zeros behind each."""
    n = BATCHES[k]
    x = r.uniform(-1, 1, (n, time or LETTERS['t'][k], 3))
    for b in range(n): x[b, 2 + (b + k) % 4:] = 0
    return x


def rnn(name, make, *shapes, only=None, batch=None, data=None, saves=('export', 'saved_model'), stateful=False):
    """make(layers) gives a function of the inputs; shapes: of the inputs, without the batch."""
    for gen, K in (('k3', tf.keras), ('k2', tf_keras)):
        if only and gen != only: continue

        def build(r, K=K):
            K.utils.set_random_seed(5)
            xs = [K.Input(s, batch_size=batch) for s in shapes]
            m = K.Model(xs if len(xs) > 1 else xs[0], make(K.layers)(*xs))
            for w in m.weights:
                if 'float' in str(w.dtype) and 'seed' not in w.name and 'state' not in getattr(w, 'path', w.name): w.assign(r.uniform(-.6, .6, w.shape))
            return m
        args = [A(batch, *['t' if n is None else n for n in s], data=(lambda r, k, s=s: data(r, k, s[0])) if data and i == 0 else None) for i, s in enumerate(shapes)]
        keras(f'rnn_{name}.{gen}', 'recurrent', build, *args, save=saves[gen == 'k2'], stateful=stateful)


def states(cell): return 2 if cell == 'LSTM' else 1


def begin(L, cell, **k):
    return lambda x, *s: getattr(L, cell)(4, **k)(x, initial_state=list(s) if len(s) > 1 else s[0])


for cell in ('LSTM', 'GRU', 'SimpleRNN'):
    n, low = states(cell), cell.lower()
    first = ((4,),) * n
    rnn(f'{low}_begin', lambda L, cell=cell: begin(L, cell), (6, 3), *first)
    rnn(f'{low}_begin_open', lambda L, cell=cell: begin(L, cell, return_state=True, return_sequences=True), (None, 3), *first)
    rnn(f'{low}_begin_batch1', lambda L, cell=cell: begin(L, cell, return_state=True), (6, 3), *first, batch=1)
    rnn(f'{low}_begin_batch3', lambda L, cell=cell: begin(L, cell, return_state=True), (None, 3), *first, batch=3)
    rnn(f'{low}_begin_backwards', lambda L, cell=cell: begin(L, cell, go_backwards=True, return_sequences=True), (6, 3), *first)
    rnn(f'{low}_begin_unrolled', lambda L, cell=cell: begin(L, cell, unroll=True, return_state=True), (6, 3), *first)
    rnn(f'{low}_begin_mask', lambda L, cell=cell: lambda x, *s: begin(L, cell, return_sequences=True, return_state=True)(L.Masking(0.)(x), *s), (6, 3), *first, data=steps)
    rnn(f'{low}_states', lambda L, cell=cell: lambda x: getattr(L, cell)(4, return_state=True, return_sequences=True)(x), (6, 3))
    rnn(f'{low}_states_open', lambda L, cell=cell: lambda x: getattr(L, cell)(4, return_state=True)(x), (None, 3))
    rnn(f'{low}_states_batch1', lambda L, cell=cell: lambda x: getattr(L, cell)(4, return_state=True)(x), (6, 3), batch=1)
    rnn(f'{low}_mask', lambda L, cell=cell: lambda x: getattr(L, cell)(4, return_sequences=True)(L.Masking(0.)(x)), (None, 3), data=steps)
    rnn(f'{low}_mask_states', lambda L, cell=cell: lambda x: getattr(L, cell)(4, return_state=True)(L.Masking(0.)(x)), (6, 3), data=steps)
    rnn(f'{low}_mask_backwards', lambda L, cell=cell: lambda x: getattr(L, cell)(4, go_backwards=True)(L.Masking(0.)(x)), (6, 3), data=steps)
    rnn(f'{low}_mask_zeros', lambda L, cell=cell: lambda x: getattr(L, cell)(4, return_sequences=True, zero_output_for_mask=True)(L.Masking(0.)(x)), (6, 3), data=steps)
    rnn(f'{low}_unrolled_mask', lambda L, cell=cell: lambda x: getattr(L, cell)(4, unroll=True, return_sequences=True)(L.Masking(0.)(x)), (6, 3), data=steps)
    rnn(f'{low}_stateful', lambda L, cell=cell: lambda x: getattr(L, cell)(4, stateful=True)(x), (6, 3), batch=2, stateful=True)
    rnn(f'{low}_stateful_sequences', lambda L, cell=cell: lambda x: getattr(L, cell)(4, stateful=True, return_sequences=True)(x), (None, 3), batch=1, stateful=True)
    rnn(f'{low}_time_first', lambda L, cell=cell: lambda x: getattr(L, cell)(4, time_major=True, return_sequences=True)(x), (2, 3), only='k2')
    rnn(f'{low}_time_first_last', lambda L, cell=cell: lambda x: getattr(L, cell)(4, time_major=True, return_state=True)(x), (2, 3), only='k2')
    rnn(f'{low}_both', lambda L, cell=cell: lambda x: L.Bidirectional(getattr(L, cell)(4, return_state=True, return_sequences=True))(x), (None, 3))
    rnn(f'{low}_both_mask', lambda L, cell=cell: lambda x: L.Bidirectional(getattr(L, cell)(4, return_sequences=True))(L.Masking(0.)(x)), (6, 3), data=steps)
    rnn(f'{low}_both_begin', lambda L, cell=cell: lambda x, *s: L.Bidirectional(getattr(L, cell)(4))(x, initial_state=list(s)), (6, 3), *first, *first)
    rnn(f'{low}_stacked_states', lambda L, cell=cell: lambda x: stacked(L, cell, x), (6, 3))
    rnn(f'{low}_coder', lambda L, cell=cell: lambda x, y: coder(L, cell, x, y), (None, 3), (5, 3))
    rnn(f'{low}_twice', lambda L, cell=cell: lambda x, y: twice(L, cell, x, y), (6, 3), (4, 3))
    rnn(f'{low}_cell', lambda L, cell=cell: lambda x, *s: L.RNN(getattr(L, f'{cell}Cell')(4), return_state=True)(x, initial_state=list(s)), (None, 3), *first)
    rnn(f'{low}_step', lambda L, cell=cell: lambda x, *s: begin(L, cell, return_state=True)(x, *s), (1, 3), *first)
    rnn(f'{low}_backwards_states', lambda L, cell=cell: lambda x: getattr(L, cell)(4, go_backwards=True, return_state=True)(x), (None, 3))
    rnn(f'{low}_sigmoid', lambda L, cell=cell: lambda x: getattr(L, cell)(4, activation='sigmoid', return_sequences=True)(x), (6, 3))
rnn('stacked_cells_begin', lambda L: lambda x, h, s, g: L.RNN([L.LSTMCell(4), L.GRUCell(2)], return_state=True)(x, initial_state=[[h, s], g] if L is tf_keras.layers else [(h, s), g]), (6, 3), (4,), (4,), (2,), only='k3')
rnn('conv_lstm_states', lambda L: lambda x: L.ConvLSTM1D(3, 3, padding='same', return_state=True)(x), (4, 7, 2))
rnn('time_distributed_lstm', lambda L: lambda x: L.TimeDistributed(L.LSTM(3))(x), (4, 5, 2))
rnn('attention', lambda L: lambda x, y: attention(L, x, y), (None, 3), (None, 3))
rnn('repeat', lambda L: lambda x: L.TimeDistributed(L.Dense(3))(L.LSTM(4, return_sequences=True)(L.RepeatVector(5)(L.LSTM(4)(x)))), (None, 3))
rnn('gru_reset_before', lambda L: lambda x, h: L.GRU(4, reset_after=False, return_state=True)(x, initial_state=h), (None, 3), (4,))
rnn('dropout', lambda L: lambda x: L.LSTM(4, dropout=.3, recurrent_dropout=.2, return_state=True)(x), (6, 3))


def stacked(L, cell, x):
    a = getattr(L, cell)(4, return_state=True, return_sequences=True)(x)
    return getattr(L, cell)(4, return_state=True)(a[0], initial_state=a[1:])


def coder(L, cell, x, y):
    _, *s = L.Bidirectional(getattr(L, cell)(2, return_state=True))(x)
    k = states(cell)
    s = [L.Concatenate()([s[i], s[i + k]]) for i in range(k)]
    return L.Dense(3, activation='softmax')(getattr(L, cell)(4, return_sequences=True)(y, initial_state=s))


def twice(L, cell, x, y):
    layer = getattr(L, cell)(4, return_state=True)
    _, *s = layer(x)
    return layer(y, initial_state=s)


def attention(L, x, y):
    a, h, s = L.LSTM(4, return_state=True, return_sequences=True)(x)
    b = L.LSTM(4, return_sequences=True)(y, initial_state=[h, s])
    return L.Dense(3, activation='softmax')(L.Concatenate()([b, L.Attention()([b, a])]))
