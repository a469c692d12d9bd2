"""Recurrent layers, wrappers and masks for make_keras_models.py: layers x options, of both generations.

Names that begin with rnn_stateful keep their state from run to run: make_keras_models.py stores what a second call gives, and
check_models.py runs every model twice.
"""
import numpy as np


def add(s):
    import tensorflow as tf
    seq, one, fun, spec, BOTH, K2, K3 = s.sequential, s.seq, s.fun, s.spec, s.BOTH, s.K2, s.K3
    is3 = s.is3
    kinds = {'lstm': 'LSTM', 'gru': 'GRU', 'simple': 'SimpleRNN'}

    def fixed(K, shape, f):
        """A model with a fixed batch of 3."""
        x = K.Input(batch_shape=(3,) + tuple(shape))
        return K.Model(x, f(x))

    def holes(rng, shape):
        """Some rows are zeros: the first ones, the last ones, some between; for words zeros anywhere."""
        x = (rng.normal(size=shape) * 2).astype('f')
        rows = rng.random(shape[:2]) < .4
        rows[0, :2], rows[-1, -2:] = True, True
        x[rows] = 0
        return x

    def words(rng, shape):
        x = rng.integers(1, 100, shape).astype('i')
        x[rng.random(shape) < .4] = 0
        return x

    # ---- an LSTM behind a loop
    seq('rnn_gru_then_lstm', (7, 5), lambda L, K: [L.GRU(4, return_sequences=True), L.LSTM(6)])
    seq('rnn_gru_then_lstm_open', (None, 5), lambda L, K: [L.GRU(4, return_sequences=True), L.LSTM(6)])
    seq('rnn_cells_then_lstm', (7, 5), lambda L, K: [L.RNN([L.GRUCell(2), L.GRUCell(9)], return_sequences=True), L.LSTM(6)])
    seq('rnn_convlstm_then_lstm', (4, 6, 5, 2), lambda L, K: [L.ConvLSTM2D(3, 3, padding='same', return_sequences=True), L.TimeDistributed(L.Flatten()), L.LSTM(6)])
    for n, c in kinds.items():
        for rs in (False, True):
            r = '_seq' if rs else ''
            seq(f'rnn_{n}{r}', (7, 5), lambda L, K, c=c, rs=rs: [getattr(L, c)(6, return_sequences=rs)])
            seq(f'rnn_{n}{r}_open', (None, 5), lambda L, K, c=c, rs=rs: [getattr(L, c)(6, return_sequences=rs)])
            seq(f'rnn_{n}{r}_back', (7, 5), lambda L, K, c=c, rs=rs: [getattr(L, c)(6, return_sequences=rs, go_backwards=True)])
            seq(f'rnn_{n}{r}_unroll', (5, 4), lambda L, K, c=c, rs=rs: [getattr(L, c)(3, return_sequences=rs, unroll=True)])
            SP = lambda K, c=c, rs=rs: fixed(K, (6, 4), lambda x: getattr(K.layers, c)(5, return_sequences=rs)(x))
            s.SPECS[f'rnn_{n}{r}_batch'] = (SP, BOTH)
            SP = lambda K, c=c, rs=rs: fixed(K, (6, 4), lambda x: getattr(K.layers, c)(5, return_sequences=rs, stateful=True)(x))
            s.SPECS[f'rnn_stateful_{n}{r}'] = (SP, BOTH)
            for back in (False, True):
                SP = lambda K, c=c, rs=rs, back=back: fun(K, [('x', (6, 4))], lambda x: getattr(K.layers, c)(5, return_sequences=rs, go_backwards=back)(K.layers.Masking()(x)))
                s.SPECS[f'rnn_{n}{r}_mask' + ('_back' if back else '')] = (SP, BOTH)
            SP = lambda K, c=c, rs=rs: fun(K, [('x', (6, 4))], lambda x: list(getattr(K.layers, c)(5, return_sequences=rs, return_state=True)(x)))
            s.SPECS[f'rnn_{n}{r}_state'] = (SP, BOTH)
        seq(f'rnn_{n}_nobias', (7, 5), lambda L, K, c=c: [getattr(L, c)(6, use_bias=False)])
        seq(f'rnn_{n}_relu', (7, 5), lambda L, K, c=c: [getattr(L, c)(6, activation='relu', return_sequences=True)])
        seq(f'rnn_{n}_dropout', (7, 5), lambda L, K, c=c: [getattr(L, c)(6, dropout=.3, recurrent_dropout=.2)])
        if n != 'simple':
            seq(f'rnn_{n}_hard', (7, 5), lambda L, K, c=c: [getattr(L, c)(6, recurrent_activation='hard_sigmoid', return_sequences=True)])
            seq(f'rnn_{n}_odd', (7, 5), lambda L, K, c=c: [getattr(L, c)(6, activation='softsign', recurrent_activation='softmax')])
            seq(f'rnn_{n}_impl1', (7, 5), lambda L, K, c=c: [getattr(L, c)(6, implementation=1)], only=K2)
        else:
            seq('rnn_simple_linear', (7, 5), lambda L, K: [L.SimpleRNN(6, activation=None), L.Dense(3)])
            seq('rnn_simple_sigmoid', (7, 5), lambda L, K: [L.SimpleRNN(6, activation='sigmoid', return_sequences=True)])
        seq(f'rnn_{n}_stack', (7, 5), lambda L, K, c=c: [getattr(L, c)(6, return_sequences=True), L.Dropout(.2), getattr(L, c)(4), L.Dense(2)])
        seq(f'rnn_{n}_time_major', (7, 5), lambda L, K, c=c: [L.Permute((1, 2)), getattr(L, c)(6, return_sequences=True, time_major=True)], only=K2)
        SP = lambda K, c=c: fixed(K, (6, 4), lambda x: getattr(K.layers, c)(5, return_sequences=True, stateful=True)(K.layers.Masking()(x)))
        s.SPECS[f'rnn_stateful_{n}_mask'] = (SP, BOTH)
        SP = lambda K, c=c: fixed(K, (6, 4), lambda x: list(getattr(K.layers, c)(5, return_state=True, stateful=True)(x)))
        s.SPECS[f'rnn_stateful_{n}_state'] = (SP, BOTH)
        seq(f'rnn_{n}_length1', (1, 5), lambda L, K, c=c: [getattr(L, c)(6)])
        seq(f'rnn_{n}_conv', (12, 5), lambda L, K, c=c: [L.Conv1D(8, 3, activation='relu'), L.MaxPooling1D(2), getattr(L, c)(6), L.Dense(2, activation='softmax')])
        seq(f'rnn_{n}_text', (9,), lambda L, K, c=c: [L.Embedding(120, 8), getattr(L, c)(6), L.Dense(1, activation='sigmoid')], dtype='int32')
        seq(f'rnn_{n}_text_masked', (9,), lambda L, K, c=c: [L.Embedding(100, 8, mask_zero=True), getattr(L, c)(6, return_sequences=True), L.Dropout(.1), getattr(L, c)(5)], dtype='int32')
        # ---- initial states
        states = 2 if n == 'lstm' else 1

        def given(K, c=c, states=states, **kw):
            ins = [('x', (6, 4))] + [(f's{i}', (5,)) for i in range(states)]
            def f(x, *st):
                y = getattr(K.layers, c)(5, **kw)(x, initial_state=list(st) if states > 1 else st[0])
                return list(y) if isinstance(y, (list, tuple)) else y
            return fun(K, ins, f)
        s.SPECS[f'rnn_{n}_initial'] = (lambda K, g=given: g(K), BOTH)
        s.SPECS[f'rnn_{n}_initial_seq'] = (lambda K, g=given: g(K, return_sequences=True, return_state=True), BOTH)

        def given_masked(K, c=c, states=states):
            ins = [('x', (6, 4))] + [(f's{i}', (5,)) for i in range(states)]
            return fun(K, ins, lambda x, *st: getattr(K.layers, c)(5, return_sequences=True)(K.layers.Masking()(x), initial_state=list(st)))
        s.SPECS[f'rnn_{n}_initial_mask'] = (given_masked, BOTH)
        # ---- bidirectional
        for mode in ('concat', 'sum', 'mul', 'ave'):
            for rs in (False, True):
                seq(f'rnn_bi_{n}_{mode}' + ('_seq' if rs else ''), (6, 4), lambda L, K, c=c, m=mode, rs=rs: [L.Bidirectional(getattr(L, c)(5, return_sequences=rs), merge_mode=m)])
        SP = lambda K, c=c: fun(K, [('x', (6, 4))], lambda x: list(K.layers.Bidirectional(getattr(K.layers, c)(5, return_sequences=True), merge_mode=None)(x)))
        s.SPECS[f'rnn_bi_{n}_none'] = (SP, BOTH)
        SP = lambda K, c=c: fun(K, [('x', (6, 4))], lambda x: list(K.layers.Bidirectional(getattr(K.layers, c)(5, return_state=True))(x)))
        s.SPECS[f'rnn_bi_{n}_state'] = (SP, BOTH)
        SP = lambda K, c=c: fun(K, [('x', (6, 4))], lambda x: K.layers.Bidirectional(getattr(K.layers, c)(5, return_sequences=True))(K.layers.Masking()(x)))
        s.SPECS[f'rnn_bi_{n}_mask'] = (SP, BOTH)
        SP = lambda K, c=c: fun(K, [('x', (6, 4))], lambda x: K.layers.Bidirectional(getattr(K.layers, c)(5))(K.layers.Masking()(x)))
        s.SPECS[f'rnn_bi_{n}_mask_last'] = (SP, BOTH)
        SP = lambda K, c=c: fixed(K, (6, 4), lambda x: K.layers.Bidirectional(getattr(K.layers, c)(5, stateful=True))(x))
        s.SPECS[f'rnn_stateful_bi_{n}'] = (SP, BOTH)
    seq('rnn_gru_before', (7, 5), lambda L, K: [L.GRU(6, reset_after=False, return_sequences=True)])
    seq('rnn_gru_before_nobias', (7, 5), lambda L, K: [L.GRU(6, reset_after=False, use_bias=False)])
    seq('rnn_gru_before_open', (None, 5), lambda L, K: [L.GRU(6, reset_after=False)])
    seq('rnn_gru_before_unroll', (4, 5), lambda L, K: [L.GRU(6, reset_after=False, unroll=True, return_sequences=True)])
    seq('rnn_lstm_noforget', (7, 5), lambda L, K: [L.LSTM(6, unit_forget_bias=False, bias_initializer='normal')])
    seq('rnn_zero_masked', (6, 4), lambda L, K: [L.Masking(), L.LSTM(5, return_sequences=True, zero_output_for_mask=True)])
    seq('rnn_zero_masked_gru', (6, 4), lambda L, K: [L.Masking(), L.GRU(5, return_sequences=True, zero_output_for_mask=True)])
    seq('rnn_masked_unroll', (5, 4), lambda L, K: [L.Masking(), L.GRU(4, return_sequences=True, unroll=True), L.LSTM(3, unroll=True)])
    seq('rnn_bi_other', (6, 4), lambda L, K: [L.Bidirectional(L.LSTM(5, return_sequences=True), backward_layer=L.GRU(5, return_sequences=True, go_backwards=True))])
    seq('rnn_bi_turned', (6, 4), lambda L, K: [L.Bidirectional(L.LSTM(5, activation='relu'), backward_layer=L.LSTM(3, go_backwards=True))])
    seq('rnn_bi_stack', (9,), lambda L, K: [L.Embedding(100, 8), L.Bidirectional(L.LSTM(6, return_sequences=True)), L.Bidirectional(L.LSTM(5)), L.Dense(3, activation='softmax')], dtype='int32')
    seq('rnn_bi_open', (None, 4), lambda L, K: [L.Bidirectional(L.LSTM(5, return_sequences=True)), L.Bidirectional(L.GRU(3))])

    @spec('rnn_bi_initial')
    def _(K):
        ins = [('x', (6, 4))] + [(f's{i}', (5,)) for i in range(4)]
        return fun(K, ins, lambda x, *st: K.layers.Bidirectional(K.layers.LSTM(5, return_sequences=True))(x, initial_state=list(st)))

    # ---- cells
    for n, c in kinds.items():
        seq(f'rnn_cell_{n}', (6, 4), lambda L, K, c=c: [L.RNN(getattr(L, c + 'Cell')(5), return_sequences=True)])
        seq(f'rnn_cell_{n}_last_back', (6, 4), lambda L, K, c=c: [L.RNN(getattr(L, c + 'Cell')(5), go_backwards=True)])
    cells = lambda L: [L.LSTMCell(5), L.GRUCell(4), L.SimpleRNNCell(3), L.LSTMCell(2)]
    seq('rnn_cells', (6, 4), lambda L, K: [L.RNN(cells(L), return_sequences=True)])
    seq('rnn_cells_last', (6, 4), lambda L, K: [L.RNN(cells(L))])
    seq('rnn_cells_open', (None, 4), lambda L, K: [L.RNN(cells(L))])
    seq('rnn_cells_33', (5, 4), lambda L, K: [L.RNN([(L.GRUCell, L.LSTMCell)[i % 2](2) for i in range(33)])])
    seq('rnn_cells_object', (6, 4), lambda L, K: [L.RNN(L.StackedRNNCells([L.GRUCell(3), L.GRUCell(4, reset_after=False), L.GRUCell(2, use_bias=False)]), return_sequences=True)])
    seq('rnn_cells_unroll', (4, 4), lambda L, K: [L.RNN(cells(L), unroll=True)])
    seq('rnn_cells_many', (3, 2), lambda L, K: [L.RNN([L.SimpleRNNCell(2) for _ in range(12)])])
    seq('rnn_cells_mask', (6, 4), lambda L, K: [L.Masking(), L.RNN(cells(L), return_sequences=True)])
    seq('rnn_bi_cells', (6, 4), lambda L, K: [L.Bidirectional(L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True))])
    seq('rnn_bi_cell', (6, 4), lambda L, K: [L.Bidirectional(L.RNN(L.LSTMCell(3)))])
    s.SPECS['rnn_stateful_cells'] = (lambda K: fixed(K, (6, 4), lambda x: K.layers.RNN([K.layers.LSTMCell(3), K.layers.GRUCell(2)], stateful=True)(x)), BOTH)
    s.SPECS['rnn_cell_state'] = (lambda K: fun(K, [('x', (6, 4))], lambda x: list(K.layers.RNN(K.layers.GRUCell(3), return_state=True, return_sequences=True)(x))), BOTH)
    # ---- convolution
    for rank, size in ((1, (10,)), (2, (7, 6)), (3, (4, 5, 6))):
        name = f'ConvLSTM{rank}D'
        if rank == 2: variants = {'': {}, '_seq': dict(return_sequences=True), '_same': dict(padding='same', return_sequences=True), '_strides': dict(strides=2, padding='same'), '_dilated': dict(dilation_rate=2),
                                  '_nobias': dict(use_bias=False), '_back': dict(go_backwards=True, return_sequences=True), '_relu': dict(activation='relu', recurrent_activation='sigmoid')}
        else: variants = {'': {}, '_seq': dict(return_sequences=True, padding='same'), '_strides': dict(strides=2)}
        for v, kw in variants.items():
            seq(f'rnn_conv{rank}d{v}', (4,) + size + (2,), lambda L, K, n=name, kw=kw: [getattr(L, n)(3, 3 if 'dilation_rate' not in kw else 2, **kw)])
        seq(f'rnn_conv{rank}d_open', (None,) + size + (2,), lambda L, K, n=name: [getattr(L, n)(3, 2, return_sequences=True, padding='same')])
    seq('rnn_conv2d_mask', (4, 5, 5, 2), lambda L, K: [L.TimeDistributed(L.Conv2D(2, 1)), L.ConvLSTM2D(3, 3, return_sequences=True)])
    seq('rnn_conv2d_norm', (4, 8, 8, 2), lambda L, K: [L.ConvLSTM2D(3, 3, padding='same', return_sequences=True), L.BatchNormalization(), L.ConvLSTM2D(2, 3, padding='same'), L.Conv2D(1, 3)])
    s.SPECS['rnn_conv2d_state'] = (lambda K: fun(K, [('x', (4, 6, 6, 2))], lambda x: list(K.layers.ConvLSTM2D(3, 3, return_state=True)(x))), BOTH)
    s.SPECS['rnn_stateful_conv2d'] = (lambda K: fixed(K, (4, 6, 6, 2), lambda x: K.layers.ConvLSTM2D(3, 3, stateful=True)(x)), BOTH)
    seq('rnn_bi_conv2d', (4, 6, 6, 2), lambda L, K: [L.Bidirectional(L.ConvLSTM2D(3, 3, return_sequences=True))])
    # ---- time distributed
    inner = {'dense': lambda L, K: L.Dense(3, activation='relu'), 'conv': lambda L, K: L.Conv2D(3, 3, strides=2, activation='relu'), 'flatten': lambda L, K: L.Flatten(),
             'pool': lambda L, K: L.MaxPooling2D(), 'gap': lambda L, K: L.GlobalAveragePooling2D(), 'bn': lambda L, K: L.BatchNormalization(), 'dropout': lambda L, K: L.Dropout(.2),
             'reshape': lambda L, K: L.Reshape((-1, 2)), 'permute': lambda L, K: L.Permute((3, 1, 2)), 'model': lambda L, K: K.Sequential([K.Input((6, 6, 2)), L.Conv2D(3, 3), L.BatchNormalization(), L.Flatten(), L.Dense(4)])}
    for n, f in inner.items():
        seq(f'rnn_td_{n}', (3, 6, 6, 2), lambda L, K, f=f: [L.TimeDistributed(f(L, K))])
    for n in ('dense', 'conv', 'gap'):
        seq(f'rnn_td_{n}_open', (None, 6, 6, 2), lambda L, K, f=inner[n]: [L.TimeDistributed(f(L, K))])
    seq('rnn_td_dense_3d', (5, 4), lambda L, K: [L.TimeDistributed(L.Dense(3, activation='softmax'))])
    seq('rnn_td_twice', (2, 3, 4), lambda L, K: [L.TimeDistributed(L.TimeDistributed(L.Dense(3)))])
    seq('rnn_td_lstm', (2, 3, 4), lambda L, K: [L.TimeDistributed(L.LSTM(3, return_sequences=True)), L.TimeDistributed(L.Bidirectional(L.GRU(2)))])
    seq('rnn_td_video', (3, 10, 10, 2), lambda L, K: [L.TimeDistributed(L.Conv2D(4, 3, activation='relu')), L.TimeDistributed(L.MaxPooling2D()), L.TimeDistributed(L.Flatten()), L.LSTM(5), L.Dense(2)])
    seq('rnn_td_after_lstm', (6, 4), lambda L, K: [L.Masking(), L.LSTM(5, return_sequences=True), L.TimeDistributed(L.Dense(4, activation='relu')), L.GRU(3)])

    @spec('rnn_td_functional')
    def _(K):
        L = K.layers
        i = K.Input((6, 6, 2)); h = L.Conv2D(3, 3, name='c1')(i)
        m = K.Model(i, L.Concatenate()([L.GlobalAveragePooling2D()(h), L.GlobalMaxPooling2D()(h)]), name='frame')
        return fun(K, [('x', (3, 6, 6, 2))], lambda x: L.LSTM(4)(L.TimeDistributed(m)(x)))

    # ---- masks
    seq('rnn_masking_value', (6, 4), lambda L, K: [L.Masking(mask_value=.5), L.LSTM(5)])
    seq('rnn_masking_alone', (6, 4), lambda L, K: [L.Masking(), L.Dense(3)])
    seq('rnn_embedding', (9,), lambda L, K: [L.Embedding(100, 8)])
    seq('rnn_embedding_float', (9,), lambda L, K: [L.Rescaling(0.), L.Embedding(100, 8), L.Flatten(), L.Dense(2)])
    seq('rnn_embedding_2d', (4, 5), lambda L, K: [L.Embedding(100, 3)], dtype='int32')
    seq('rnn_embedding_average', (9,), lambda L, K: [L.Embedding(100, 8, mask_zero=True), L.GlobalAveragePooling1D(), L.Dense(2)], dtype='int32')

    @spec('rnn_mask_concat')
    def _(K):
        L = K.layers
        a, b = K.Input((7,), dtype='int32', name='a'), K.Input((5,), dtype='int32', name='b')
        e = L.Embedding(100, 6, mask_zero=True)
        return K.Model([a, b], L.LSTM(4)(L.Concatenate(axis=1)([e(a), e(b)])))

    @spec('rnn_mask_add')
    def _(K):
        L = K.layers
        a, b = K.Input((7,), dtype='int32', name='a'), K.Input((7,), dtype='int32', name='b')
        e, f = L.Embedding(100, 6, mask_zero=True), L.Embedding(100, 6, mask_zero=True)
        return K.Model([a, b], L.GRU(4, return_sequences=True)(L.Add()([e(a), f(b)])))

    @spec('rnn_mask_argument', K3)
    def _(K):
        L = K.layers
        a, m = K.Input((7, 3), name='a'), K.Input((7,), dtype='bool', name='m')
        return K.Model([a, m], L.LSTM(4, return_sequences=True)(a, mask=m))

    # ---- what people build
    @spec('rnn_encoder_decoder')
    def _(K):
        L = K.layers
        a, b = K.Input((None, 7), name='source'), K.Input((None, 6), name='target')
        _, h, c = L.LSTM(8, return_state=True)(a)
        y, _, _ = L.LSTM(8, return_sequences=True, return_state=True)(b, initial_state=[h, c])
        return K.Model([a, b], L.Dense(6, activation='softmax')(y))

    @spec('rnn_encoder_decoder_text')
    def _(K):
        L = K.layers
        a, b = K.Input((8,), dtype='int32', name='source'), K.Input((6,), dtype='int32', name='target')
        _, h = L.GRU(8, return_state=True)(L.Embedding(100, 5, mask_zero=True)(a))
        y = L.GRU(8, return_sequences=True)(L.Embedding(100, 5, mask_zero=True)(b), initial_state=h)
        return K.Model([a, b], L.TimeDistributed(L.Dense(9, activation='softmax'))(y))

    @spec('rnn_repeat_vector')
    def _(K):
        L = K.layers
        return one(K, (6, 4), L.LSTM(5), L.RepeatVector(6), L.LSTM(5, return_sequences=True), L.TimeDistributed(L.Dense(4)))

    @spec('rnn_shared')
    def _(K):
        L = K.layers
        e, l = L.Embedding(100, 6), L.LSTM(5)
        a, b = K.Input((7,), dtype='int32', name='a'), K.Input((7,), dtype='int32', name='b')
        return K.Model([a, b], L.Dense(1)(L.Subtract()([l(e(a)), l(e(b))])))

    @spec('rnn_in_nested')
    def _(K):
        L = K.layers
        inner = K.Sequential([K.Input((6, 4)), L.Bidirectional(L.LSTM(3, return_sequences=True)), L.TimeDistributed(L.Dense(2)), L.GRU(3)], name='inner')
        return fun(K, [('x', (6, 4))], lambda x: L.Dense(2)(inner(x)))

    @spec('rnn_lstm_after_gru')
    def _(K):
        L = K.layers
        return one(K, (None, 4), L.GRU(5, return_sequences=True), L.LSTM(3, return_sequences=True), L.SimpleRNN(2))

    @spec('rnn_big')
    def _(K):
        L = K.layers
        return one(K, (40,), L.Embedding(100, 32), L.SpatialDropout1D(.2), L.LSTM(64, dropout=.2, recurrent_dropout=.2), L.Dense(3, activation='softmax'), dtype='int32')

    # ---- where weights are in the file
    @spec('rnn_frozen')
    def _(K):
        L = K.layers
        b, g = L.Bidirectional(L.LSTM(3, return_sequences=True)), L.GRU(4, return_sequences=True)
        t = L.TimeDistributed(K.Sequential([K.Input((4,)), L.Dense(3), L.BatchNormalization(), L.Dense(2)]))
        b.trainable = t.trainable = False
        return one(K, (6, 4), b, g, t, L.LSTM(3))

    @spec('rnn_frozen_nested')
    def _(K):
        L = K.layers
        inner = K.Sequential([K.Input((6, 4)), L.Bidirectional(L.GRU(3, return_sequences=True), name='both'), L.TimeDistributed(L.Dense(2), name='each'), L.BatchNormalization(), L.LSTM(3, name='last')], name='inner')
        inner.layers[0].trainable = False
        return fun(K, [('x', (6, 4)), ('y', (6, 4))], lambda x, y: L.Add()([inner(x), inner(y)]))

    @spec('rnn_td_nested_model')
    def _(K):
        L = K.layers
        frame = K.Sequential([K.Input((6, 6, 2)), L.Conv2D(3, 3, name='conv'), L.BatchNormalization(name='norm'), L.GlobalAveragePooling2D()], name='frame')
        clip = K.Sequential([K.Input((3, 6, 6, 2)), L.TimeDistributed(frame), L.LSTM(4, return_sequences=True), L.TimeDistributed(L.Dense(3, name='conv'))], name='clip')
        return fun(K, [('x', (3, 6, 6, 2))], lambda x: L.GlobalAveragePooling1D()(clip(x)))

    @spec('rnn_bi_none_state')
    def _(K):
        return fun(K, [('x', (6, 4))], lambda x: list(K.layers.Bidirectional(K.layers.LSTM(3, return_sequences=True, return_state=True), merge_mode=None)(x)))

    @spec('rnn_mask_nested', K2)
    def _(K):
        L = K.layers
        inner = K.Sequential([K.Input((7, 6)), L.Dense(5, activation='tanh'), L.LSTM(4, return_sequences=True)], name='inner')
        a = K.Input((7,), dtype='int32', name='a')
        return K.Model(a, L.GRU(3)(inner(L.Embedding(100, 6, mask_zero=True)(a))))

    @spec('rnn_bi_state_chain')
    def _(K):
        L = K.layers
        a, b = K.Input((5, 3), name='a'), K.Input((4, 3), name='b')
        _, fh, fc, bh, bc = L.Bidirectional(L.LSTM(4, return_state=True))(a)
        y = L.LSTM(8, return_sequences=True)(b, initial_state=[L.Concatenate()([fh, bh]), L.Concatenate()([fc, bc])])
        return K.Model([a, b], L.Dense(2)(y))

    seq('rnn_units1', (3, 1), lambda L, K: [L.LSTM(1, return_sequences=True), L.GRU(1, return_sequences=True), L.SimpleRNN(1)])
    seq('rnn_long', (300, 3), lambda L, K: [L.GRU(4, return_sequences=True), L.LSTM(4)])
    seq('rnn_simple_relu6', (7, 5), lambda L, K: [L.Bidirectional(L.SimpleRNN(4, activation='relu', return_sequences=True)), L.SimpleRNN(3, activation='linear', go_backwards=True)])
    seq('rnn_reversed_twice', (7, 5), lambda L, K: [L.LSTM(4, return_sequences=True, go_backwards=True), L.LSTM(3, go_backwards=True, return_sequences=True), L.Flatten(), L.Dense(2)])
    seq('rnn_autoencoder', (6, 4), lambda L, K: [L.LSTM(5, return_sequences=True), L.LSTM(3), L.RepeatVector(6), L.LSTM(3, return_sequences=True), L.LSTM(5, return_sequences=True), L.TimeDistributed(L.Dense(4))])
    seq('rnn_gru_conv_first', (8, 8, 1), lambda L, K: [L.Conv2D(4, 3, activation='relu'), L.Reshape((6, 24)), L.Bidirectional(L.GRU(5, return_sequences=True)), L.GlobalMaxPooling1D(), L.Dense(3)])
    seq('rnn_conv2d_first', (4, 2, 6, 7), lambda L, K: [L.ConvLSTM2D(3, 3, data_format='channels_first', return_sequences=True, recurrent_activation='sigmoid')], only=K2)

    for name in list(s.SPECS):
        if not name.startswith('rnn_'): continue
        if name in ('rnn_mask_concat', 'rnn_mask_add', 'rnn_encoder_decoder_text'): s.INPUTS[name] = [words, words]
        elif name.endswith('text_masked') or name in ('rnn_mask_nested', 'rnn_embedding_average'): s.INPUTS[name] = [words]
        elif name == 'rnn_embedding': s.INPUTS[name] = [lambda rng, shape: words(rng, shape).astype('f')]
        elif name == 'rnn_masking_value': s.INPUTS[name] = [lambda rng, shape: np.where(holes(rng, shape) == 0, np.float32(.5), holes(rng, shape))]
        elif 'mask' in name and name not in ('rnn_mask_argument', 'rnn_conv2d_mask'):
            s.INPUTS[name] = [holes] + [lambda rng, shape: rng.normal(size=shape).astype('f')] * 4
        elif name == 'rnn_td_after_lstm': s.INPUTS[name] = [holes]
