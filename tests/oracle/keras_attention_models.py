"""Attention and preprocessing layers for make_keras_models.py: layers x options, both generations where both have the layer."""
import numpy as np


def add(s):
    K2, K3, BOTH, spec, sequential = s.K2, s.K3, s.BOTH, s.spec, s.sequential
    import tensorflow as tf

    def many(name, inputs, f, only=BOTH, batch=None):
        """f(L, K, *tensors) over inputs [(shape, dtype or None)]."""
        def build(K):
            xs = [K.Input(sh, name=f'in_{chr(97 + i)}', batch_size=batch, **({'dtype': dt} if dt else {})) for i, (sh, dt) in enumerate(inputs)]
            return K.Model(xs if len(xs) > 1 else xs[0], f(K.layers, K, *xs))
        s.SPECS[name] = (build, only)

    def shown(L, outputs): return [outputs[0], L.Activation('linear', name='scores')(outputs[1])]

    Q, V = ((5, 8), None), ((7, 6), None)
    # ---- MultiHeadAttention
    many('mha_self', [Q], lambda L, K, x: L.MultiHeadAttention(2, 4)(x, x))
    many('mha_cross', [Q, V], lambda L, K, q, v: L.MultiHeadAttention(3, 4, value_dim=5)(q, v), K3)
    many('mha_cross_same', [Q, ((7, 8), None)], lambda L, K, q, v: L.MultiHeadAttention(3, 4, value_dim=5)(q, v))
    many('mha_key', [Q, ((7, 8), None), ((7, 3), None)], lambda L, K, q, v, k: L.MultiHeadAttention(2, 4)(q, v, key=k))
    many('mha_key_by_place', [Q, ((7, 8), None), ((7, 3), None)], lambda L, K, q, v, k: L.MultiHeadAttention(2, 4)(q, v, k), K3)
    many('mha_by_name', [Q, ((7, 8), None)], lambda L, K, q, v: L.MultiHeadAttention(2, 4)(query=q, value=v, key=v), K3)
    many('mha_nobias', [Q], lambda L, K, x: L.MultiHeadAttention(2, 4, use_bias=False)(x, x))
    many('mha_one_head', [Q], lambda L, K, x: L.MultiHeadAttention(1, 8)(x, x))
    many('mha_output', [Q], lambda L, K, x: L.MultiHeadAttention(2, 4, output_shape=5)(x, x))
    many('mha_output_list', [Q], lambda L, K, x: L.MultiHeadAttention(2, 4, output_shape=(2, 3))(x, x))
    many('mha_dropout', [Q], lambda L, K, x: L.MultiHeadAttention(2, 4, dropout=.3)(x, x))
    many('mha_causal', [Q], lambda L, K, x: L.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True))
    many('mha_causal_cross', [Q, ((7, 8), None)], lambda L, K, q, v: L.MultiHeadAttention(2, 4)(q, v, use_causal_mask=True))
    many('mha_scores', [Q, ((7, 8), None)], lambda L, K, q, v: shown(L, L.MultiHeadAttention(2, 4)(q, v, return_attention_scores=True)))
    many('mha_scores_causal', [Q], lambda L, K, x: shown(L, L.MultiHeadAttention(2, 4, dropout=.1)(x, x, return_attention_scores=True, use_causal_mask=True)))
    many('mha_attention_mask', [Q, ((7, 8), None), ((5, 7), 'bool')], lambda L, K, q, v, m: L.MultiHeadAttention(2, 4)(q, v, attention_mask=m))
    many('mha_attention_mask_int', [Q, ((7, 8), None), ((1, 7), 'int32')],
         lambda L, K, q, v, m: L.MultiHeadAttention(2, 4)(q, v, attention_mask=m), K3)
    many('mha_attention_mask_heads', [Q, ((7, 8), None), ((2, 5, 7), 'bool')], lambda L, K, q, v, m: L.MultiHeadAttention(2, 4)(q, v, attention_mask=m))
    many('mha_attention_mask_causal', [Q, ((5, 5), 'bool')], lambda L, K, x, m: L.MultiHeadAttention(2, 4)(x, x, attention_mask=m, use_causal_mask=True))
    many('mha_open', [((None, 8), None)], lambda L, K, x: L.MultiHeadAttention(2, 4)(x, x))
    many('mha_open_causal', [((None, 8), None)], lambda L, K, x: L.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True))
    many('mha_open_cross', [((None, 8), None), ((None, 8), None)], lambda L, K, q, v: L.MultiHeadAttention(2, 4)(q, v))
    many('mha_fixed_batch', [Q], lambda L, K, x: L.MultiHeadAttention(2, 4)(x, x), batch=3)
    many('mha_4d', [((3, 4, 8), None)], lambda L, K, x: L.MultiHeadAttention(2, 4)(x, x))
    many('mha_axes_1', [((3, 4, 8), None)], lambda L, K, x: L.MultiHeadAttention(2, 4, attention_axes=1)(x, x), K3)
    many('mha_axes_2', [((3, 4, 8), None)], lambda L, K, x: L.MultiHeadAttention(2, 4, attention_axes=(2,))(x, x))
    many('mha_axes_12', [((3, 4, 8), None)], lambda L, K, x: L.MultiHeadAttention(2, 4, attention_axes=(1, 2))(x, x))
    many('mha_axes_5d', [((2, 3, 4, 8), None)], lambda L, K, x: L.MultiHeadAttention(2, 4, attention_axes=(2, 3))(x, x))
    many('mha_4d_cross_scores', [((3, 4, 8), None), ((2, 5, 8), None)],
         lambda L, K, q, v: shown(L, L.MultiHeadAttention(2, 4, attention_axes=(1, 2))(q, v, return_attention_scores=True)))
    many('mha_4d_mask', [((3, 4, 8), None), ((3, 4, 4), 'bool')],
         lambda L, K, x, m: L.MultiHeadAttention(2, 4, attention_axes=(2,))(x, x, attention_mask=m))
    many('mha_window', [((9, 8), None)], lambda L, K, x: L.MultiHeadAttention(2, 4, sliding_window=3)(x, x), K3)
    many('mha_window_causal', [((9, 8), None)], lambda L, K, x: L.MultiHeadAttention(2, 4, sliding_window=2)(x, x, use_causal_mask=True), K3)
    many('mha_gate', [Q], lambda L, K, x: L.MultiHeadAttention(2, 4, value_dim=3, use_gate=True)(x, x), K3)
    many('mha_embedding_mask', [((6,), 'int32')], lambda L, K, x: (lambda e: L.Dense(2)(L.MultiHeadAttention(2, 4)(e, e)))(L.Embedding(101, 8, mask_zero=True)(x)))
    many('mha_masking', [((6, 3), None)], lambda L, K, x: (lambda e: L.MultiHeadAttention(2, 4)(e, e, use_causal_mask=True))(L.Masking()(x)))
    many('mha_masking_key', [((6, 8), None), ((7, 8), None)],
         lambda L, K, q, v: (lambda m: L.MultiHeadAttention(2, 4)(q, m, key=m))(L.Masking()(v)))
    many('mha_query_mask', [Q, ((5,), 'bool')], lambda L, K, x, m: L.MultiHeadAttention(2, 4)(x, x, query_mask=m), K3)
    many('mha_value_mask', [Q, ((5,), 'bool')], lambda L, K, x, m: L.MultiHeadAttention(2, 4)(x, x, value_mask=m, key_mask=m), K3)

    @spec('mha_shared')
    def _(K):
        a, b = K.Input((5, 8), name='a'), K.Input((6, 8), name='b')
        m = K.layers.MultiHeadAttention(2, 4)
        return K.Model([a, b], [K.layers.Dense(2)(m(a, a)), K.layers.Dense(3)(m(b, b))])

    @spec('transformer')
    def _(K):
        L = K.layers
        x = i = K.Input((6, 8))
        for _ in range(2):
            h = L.LayerNormalization(epsilon=1e-6)(x)
            x = L.Add()([x, L.MultiHeadAttention(2, 4, dropout=.1)(h, h)])
            h = L.Dense(16, activation='gelu')(L.LayerNormalization(epsilon=1e-6)(x))
            x = L.Add()([x, L.Dropout(.1)(L.Dense(8)(h))])
        return K.Model(i, L.Dense(3, activation='softmax')(L.GlobalAveragePooling1D()(x)))

    # ---- GroupedQueryAttention
    def gqa(name, inputs, f): many('gqa_' + name, inputs, f, K3)
    G = lambda L, *a, **k: L.GroupQueryAttention(*a, **k)
    gqa('self', [Q], lambda L, K, x: G(L, 4, 6, 2)(x, x))
    gqa('cross', [Q, ((7, 8), None)], lambda L, K, q, v: G(L, 4, 6, 3)(q, v))
    gqa('key', [Q, ((7, 8), None), ((7, 3), None)], lambda L, K, q, v, k: G(L, 4, 4, 2)(q, v, k))
    gqa('multi_query', [Q], lambda L, K, x: G(L, 4, 6, 1, use_bias=False)(x, x))
    gqa('all_heads', [Q], lambda L, K, x: G(L, 4, 2, 2)(x, x))
    gqa('causal', [Q], lambda L, K, x: G(L, 4, 4, 2)(x, x, use_causal_mask=True))
    gqa('scores', [Q, ((7, 8), None)], lambda L, K, q, v: shown(L, G(L, 4, 4, 2)(q, v, return_attention_scores=True)))
    gqa('mask', [Q, ((5, 5), 'bool')], lambda L, K, x, m: G(L, 4, 4, 2)(x, x, attention_mask=m))
    gqa('mask_heads', [Q, ((4, 5, 5), 'bool')], lambda L, K, x, m: G(L, 4, 4, 2)(x, x, attention_mask=m))
    gqa('open', [((None, 8), None)], lambda L, K, x: G(L, 4, 4, 2)(x, x, use_causal_mask=True))
    gqa('window', [((9, 8), None)], lambda L, K, x: G(L, 4, 4, 2, sliding_window=3)(x, x))
    gqa('gate', [Q], lambda L, K, x: G(L, 4, 4, 2, use_gate=True, dropout=.1)(x, x))
    gqa('masking', [((6, 8), None)], lambda L, K, x: (lambda e: G(L, 4, 4, 2)(e, e))(L.Masking()(x)))

    # ---- Attention, AdditiveAttention
    T = ((7, 8), None)
    for name in ('Attention', 'AdditiveAttention'):
        p = {'Attention': 'att', 'AdditiveAttention': 'addatt'}[name]
        A = lambda L, n=name, **k: getattr(L, n)(**k)
        many(f'{p}_two', [Q, T], lambda L, K, q, v, A=A: A(L)([q, v]))
        many(f'{p}_three', [Q, ((7, 4), None), T], lambda L, K, q, v, k, A=A: A(L)([q, v, k]), K3 if p == 'addatt' else BOTH)
        many(f'{p}_scale', [Q, T], lambda L, K, q, v, A=A: A(L, use_scale=True)([q, v]))
        many(f'{p}_noscale', [Q, T], lambda L, K, q, v, A=A: A(L, use_scale=False, dropout=.2)([q, v]))
        many(f'{p}_causal', [Q], lambda L, K, x, A=A: A(L)([x, x], use_causal_mask=True))
        many(f'{p}_scores', [Q, T], lambda L, K, q, v, A=A: shown(L, A(L)([q, v], return_attention_scores=True)))
        many(f'{p}_mask', [Q, T, ((5,), 'bool'), ((7,), 'bool')], lambda L, K, q, v, m, n, A=A: A(L)([q, v], mask=[m, n]))
        many(f'{p}_open', [((None, 8), None)], lambda L, K, x, A=A: A(L)([x, x], use_causal_mask=True))
        many(f'{p}_masking', [Q, T], lambda L, K, q, v, A=A: A(L)([L.Masking()(q), L.Masking()(v)]))
        many(f'{p}_4d', [((3, 5, 8), None), ((3, 7, 8), None)], lambda L, K, q, v, A=A: A(L)([q, v]))
    many('att_concat', [Q, T], lambda L, K, q, v: L.Attention(score_mode='concat')([q, v]))
    many('att_concat_scale', [Q, T], lambda L, K, q, v: L.Attention(score_mode='concat', use_scale=True)([q, v]))
    many('att_pool', [((6,), 'int32'), ((6,), 'int32')], lambda L, K, a, b: (lambda e: L.GlobalAveragePooling1D()(L.Attention()([e(a), e(b)])))(L.Embedding(101, 8)))

    # ---- images
    def pre(name, shape, f, only=BOTH, dtype=None): sequential(name, shape, lambda L, K: f(L), only, dtype)
    for way in ('nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5', 'gaussian', 'area', 'mitchellcubic'):
        pre(f'resizing_{way}', (7, 9, 3), lambda L, w=way: [L.Resizing(10, 6, interpolation=w)], BOTH if way in ('nearest', 'bilinear', 'bicubic') else K2)
    pre('resizing_lanczos_k3', (7, 9, 3), lambda L: [L.Resizing(10, 6, interpolation='lanczos3')], K3)
    pre('resizing_lanczos5_k3', (7, 9, 3), lambda L: [L.Resizing(10, 6, interpolation='lanczos5')], K3)
    for way in ('bilinear', 'bicubic', 'lanczos3', 'nearest'):
        pre(f'resizing_anti_{way}', (14, 19, 3), lambda L, w=way: [L.Resizing(5, 6, interpolation=w, antialias=True)], K3)
    pre('resizing_crop', (7, 12, 3), lambda L: [L.Resizing(6, 6, crop_to_aspect_ratio=True)])
    pre('resizing_crop_tall', (13, 6, 3), lambda L: [L.Resizing(4, 9, crop_to_aspect_ratio=True, interpolation='nearest')])
    pre('resizing_pad', (7, 12, 3), lambda L: [L.Resizing(6, 6, pad_to_aspect_ratio=True)], K3)
    pre('resizing_pad_fill', (13, 6, 3), lambda L: [L.Resizing(8, 9, pad_to_aspect_ratio=True, fill_value=2.5)], K3)
    pre('resizing_open', (None, None, 3), lambda L: [L.Resizing(6, 5), L.Conv2D(2, 3)])
    pre('resizing_open_crop', (None, None, 3), lambda L: [L.Resizing(6, 5, crop_to_aspect_ratio=True)])
    pre('resizing_first', (3, 7, 9), lambda L: [L.Resizing(5, 4, data_format='channels_first')], K3)
    pre('resizing_uint8', (7, 9, 3), lambda L: [L.Resizing(5, 4), L.Rescaling(1 / 255.)], K2, 'uint8') # Keras 3 rounds when called, but not in predict() and export()
    pre('crop_center', (9, 12, 3), lambda L: [L.CenterCrop(4, 7)])
    pre('crop_odd', (9, 12, 3), lambda L: [L.CenterCrop(4, 12)])
    pre('crop_small', (5, 12, 3), lambda L: [L.CenterCrop(8, 7)])
    pre('crop_small_both', (5, 6, 3), lambda L: [L.CenterCrop(8, 7)])
    pre('crop_open', (None, None, 3), lambda L: [L.CenterCrop(4, 7)])
    pre('crop_first', (3, 9, 12), lambda L: [L.CenterCrop(4, 7, data_format='channels_first')], K3)
    pre('random_crop_k2', (9, 12, 3), lambda L: [L.RandomCrop(4, 7)], K2)
    pre('random_crop_k3', (9, 12, 3), lambda L: [L.RandomCrop(4, 7)], K3)
    pre('pipeline', (8, 8, 3), lambda L: [L.Pipeline([L.RandomFlip(), L.Rescaling(1 / 127.5, -1), L.CenterCrop(5, 6)])], K3)
    # ---- numbers to categories
    pre('category_one_hot', (1,), lambda L: [L.CategoryEncoding(100, output_mode='one_hot')], BOTH, 'int32')
    pre('category_multi_hot', (4,), lambda L: [L.CategoryEncoding(100), L.Dense(3)], BOTH, 'int32')
    pre('category_count', (4,), lambda L: [L.CategoryEncoding(100, output_mode='count')], BOTH, 'int64')
    pre('category_one_hot_wide', (4,), lambda L: [L.CategoryEncoding(100, output_mode='one_hot')], K3, 'int32')
    pre('category_3d', (4, 5), lambda L: [L.CategoryEncoding(100, output_mode='multi_hot')], K3, 'int32')
    many('category_weights', [((4,), 'int32'), ((4,), None)], lambda L, K, x, w: L.CategoryEncoding(100, output_mode='count')(x, count_weights=w))
    for mode in ('int', 'one_hot', 'multi_hot', 'count'):
        pre(f'discretization_{mode}', (1,) if mode == 'one_hot' else (4,), lambda L, m=mode: [L.Discretization([-1.5, 0., .25, 1.], output_mode=m)])

    @spec('discretization_adapt')
    def _(K):
        d = K.layers.Discretization(num_bins=5)
        d.adapt(np.random.default_rng(5).normal(0, 2, (60, 1)).astype('f'))
        return s.seq(K, (3,), d)

    # ---- lookups
    words = ['apple', 'pear', 'fig', 'plum', 'kiwi']
    some = lambda rng, sh: np.array(words + ['what', '', 'Fig'], dtype='S')[rng.integers(0, 8, sh)]
    small = lambda dt: lambda rng, sh: rng.integers(-1, 9, sh).astype(dt)

    def look(name, shape, layer, dtype, values, only=BOTH):
        sequential(name, shape, lambda L, K: [layer(L)], only, dtype)
        s.INPUTS[name] = [values]

    for mode in ('int', 'one_hot', 'multi_hot', 'count'):
        sh = (1,) if mode == 'one_hot' else (4,)
        look(f'string_{mode}', sh, lambda L, m=mode: L.StringLookup(vocabulary=words, output_mode=m), 'string', some)
        look(f'integer_{mode}', sh, lambda L, m=mode: L.IntegerLookup(vocabulary=[1, 5, 3, 7], output_mode=m), 'int64', small('int64'))
    look('string_mask', (4,), lambda L: L.StringLookup(vocabulary=words, mask_token=''), 'string', some)
    look('string_mask_multi_hot', (4,), lambda L: L.StringLookup(vocabulary=words, mask_token='', output_mode='multi_hot'), 'string', some)
    look('string_padded', (4,), lambda L: L.StringLookup(vocabulary=words, max_tokens=9, pad_to_max_tokens=True, output_mode='count'), 'string', some)
    look('string_tf_idf', (4,), lambda L: L.StringLookup(vocabulary=words, idf_weights=[.1, .2, .3, .4, .5], output_mode='tf_idf'), 'string', some)
    look('string_special', (4,), lambda L: L.StringLookup(vocabulary=['', '[UNK]'] + words, mask_token=''), 'string', some)
    look('string_invert', (4,), lambda L: L.StringLookup(vocabulary=words, invert=True), 'int64', small('int64'))
    look('string_invert_mask', (4,), lambda L: L.StringLookup(vocabulary=words, invert=True, mask_token='', num_oov_indices=2), 'int64', small('int64'))
    look('integer_run', (4,), lambda L: L.IntegerLookup(vocabulary=[2, 3, 4, 5], mask_token=0), 'int64', small('int64'))
    look('integer_int32', (4,), lambda L: L.IntegerLookup(vocabulary=[2, 9, 4, 5]), 'int32', small('int32'))
    look('integer_oov', (4,), lambda L: L.IntegerLookup(vocabulary=[2, 7, 4, 5], num_oov_indices=3), 'int64', small('int64'))
    look('integer_oov_mask', (4,), lambda L: L.IntegerLookup(vocabulary=[2, 7, 4, 5], num_oov_indices=3, mask_token=0), 'int64', small('int64'))
    look('integer_invert', (4,), lambda L: L.IntegerLookup(vocabulary=[20, 70, 40, 50], invert=True, mask_token=0), 'int64', small('int64'))
    look('integer_tf_idf', (4,), lambda L: L.IntegerLookup(vocabulary=[1, 5, 3], idf_weights=[.1, .2, .3], output_mode='tf_idf'), 'int64', small('int64'))
    look('integer_no_oov', (4,), lambda L: L.IntegerLookup(vocabulary=list(range(-1, 9)), num_oov_indices=0), 'int64', small('int64'))

    def adapted(name, make, data, dtype, values, shape=(4,)):
        @spec(name)
        def _(K):
            l = make(K.layers)
            l.adapt(data)
            return s.seq(K, shape, l, dtype=dtype)
        s.INPUTS[name] = [values]
        s.NO_H5.add(name)

    adapted('string_adapt', lambda L: L.StringLookup(), np.array(words * 2 + ['fig']), 'string', some)
    adapted('string_adapt_mask', lambda L: L.StringLookup(mask_token='', output_mode='int'), np.array(words * 2 + ['fig', '']), 'string', some)
    adapted('string_adapt_multi_hot', lambda L: L.StringLookup(output_mode='multi_hot'), np.array(words * 2 + ['fig']), 'string', some)
    adapted('integer_adapt', lambda L: L.IntegerLookup(), np.array([1, 5, 5, 3]), 'int64', small('int64'))
    adapted('integer_adapt_tf_idf', lambda L: L.IntegerLookup(output_mode='tf_idf'), np.array([[1, 5], [5, 3]]), 'int64', small('int64'))

    @spec('lookup_embedding')
    def _(K):
        L = K.layers
        return s.seq(K, (4,), L.StringLookup(vocabulary=words), L.Embedding(6, 3), L.Flatten(), L.Dense(2), dtype='string')
    s.INPUTS['lookup_embedding'] = [some]

    @spec('lookup_two')
    def _(K):
        L = K.layers
        a, b = K.Input((1,), dtype='string', name='a'), K.Input((1,), dtype='int64', name='b')
        x = L.StringLookup(vocabulary=words, output_mode='one_hot')(a)
        y = L.CategoryEncoding(6, output_mode='one_hot')(L.IntegerLookup(vocabulary=[1, 5, 3, 7])(b))
        return K.Model([a, b], L.Dense(2)(L.Concatenate()([x, y])))
    s.INPUTS['lookup_two'] = [some, small('int64')]

    # ---- sound
    pre('mel', (4000,), lambda L: [L.MelSpectrogram(fft_length=256, sequence_stride=128, num_mel_bins=20, sampling_rate=8000)], K3)
    pre('mel_power', (1500,), lambda L: [L.MelSpectrogram(fft_length=128, sequence_stride=50, sequence_length=100, num_mel_bins=12, sampling_rate=8000, power_to_db=False, mag_exp=1., window='hamming')], K3)
    pre('stft_log', (300, 2), lambda L: [L.STFTSpectrogram(frame_length=32)], K3)
    for mode in ('magnitude', 'psd', 'real', 'imag', 'angle', 'stft'):
        pre(f'stft_{mode}', (600, 2), lambda L, m=mode: [L.STFTSpectrogram(mode=m, frame_length=64, frame_step=20)], K3)
    pre('stft_same', (600, 1), lambda L: [L.STFTSpectrogram(mode='magnitude', frame_length=60, fft_length=128, padding='same', scaling='spectrum', periodic=True, expand_dims=True)], K3)
