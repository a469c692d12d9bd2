#!/usr/bin/env python3
"""check_training.py: ten steps of training beside Keras: same initial weights, same batches, every optimizer, several kinds of models.

    check_training.py LITEC [NAME...]     NAME: part of a case's name

Keras saves the compiled model before it trains; litec opens that file, trains on the same samples in the same order, and saves; the weights
must be equal to 1e-5, and Keras must open what litec saved and predict the same. Needs TensorFlow.
"""
import os
import subprocess
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import keras
import numpy as np
from keras import layers, optimizers

ROWS, BATCH = 320, 32


def mlp():
    return keras.Sequential([keras.Input((12,)), layers.Dense(16, activation="relu"), layers.Dense(8, activation="tanh"), layers.Dense(5, activation="softmax")])


def cnn():
    return keras.Sequential([keras.Input((12, 12, 2)), layers.Conv2D(6, 3, activation="relu"), layers.MaxPooling2D(), layers.Conv2D(8, 3, padding="same", strides=2),
                             layers.ReLU(), layers.Flatten(), layers.Dense(5, activation="softmax")])


def bn_cnn():
    return keras.Sequential([keras.Input((10, 10, 3)), layers.Conv2D(6, 3, use_bias=False), layers.BatchNormalization(), layers.Activation("relu"), layers.DepthwiseConv2D(3, padding="same", use_bias=False),
                             layers.BatchNormalization(momentum=0.9, epsilon=1e-4), layers.ReLU(6), layers.SeparableConv2D(8, 3, activation="swish"), layers.GlobalAveragePooling2D(), layers.Dense(5, activation="softmax")])


def residual():
    x = i = keras.Input((8, 8, 4))
    y = layers.Conv2D(4, 3, padding="same", activation="elu")(x)
    y = layers.Conv2D(4, 3, padding="same", dilation_rate=2)(y)
    x = layers.Add()([x, y])
    z = layers.Concatenate()([x, layers.AveragePooling2D(3, 1, padding="same")(x), layers.Multiply()([x, y])])
    z = layers.Conv2D(6, 1, groups=2)(z)
    z = layers.ZeroPadding2D(1)(z)
    z = layers.GlobalMaxPooling2D()(layers.LeakyReLU(0.2)(z))
    return keras.Model(i, layers.Dense(5, activation="softmax")(layers.LayerNormalization()(z)))


def lstm():
    return keras.Sequential([keras.Input((7,), dtype="int32"), layers.Embedding(20, 6), layers.LSTM(8, return_sequences=True), layers.LSTM(6), layers.Dense(5, activation="softmax")])


# Keras 3 adds up the squares of an embedding's gradients of one batch where it should square their sum (IndexedSlices are not merged), so
# adaptive optimizers are compared without one
def lstm_floats():
    return keras.Sequential([keras.Input((7, 6)), layers.LSTM(8, return_sequences=True), layers.LSTM(6), layers.Dense(5, activation="softmax")])


def gru():
    return keras.Sequential([keras.Input((7, 4)), layers.Bidirectional(layers.GRU(5, return_sequences=True)), layers.GRU(6, reset_after=False), layers.Dense(5, activation="softmax")])


def rnn_mask():
    return keras.Sequential([keras.Input((7,), dtype="int32"), layers.Embedding(20, 6, mask_zero=True), layers.SimpleRNN(8), layers.Dense(5, activation="softmax")])


def attention():
    i = keras.Input((6, 8))
    x = layers.MultiHeadAttention(2, 4)(i, i)
    x = layers.LayerNormalization()(x + i)
    x = layers.Dense(8, activation="gelu")(x)
    return keras.Model(i, layers.Dense(5, activation="softmax")(layers.GlobalAveragePooling1D()(x)))


def conv1d():
    return keras.Sequential([keras.Input((20, 3)), layers.Conv1D(6, 3, padding="causal", activation="relu"), layers.MaxPooling1D(), layers.Conv1D(6, 3, strides=2, activation="sigmoid"), layers.UpSampling1D(),
                             layers.Flatten(), layers.Dense(5, activation="softmax")])


def frozen():
    m = bn_cnn()
    for l in m.layers[:4]:
        l.trainable = False
    return m


def regular():
    return keras.Sequential([keras.Input((12,)), layers.Dense(16, kernel_regularizer="l2", bias_regularizer=keras.regularizers.L1(0.01), activation="selu"),
                             layers.Dense(8, kernel_constraint=keras.constraints.MaxNorm(0.7), activation="softplus"), layers.Dense(5, activation="softmax")])


def regression():
    return keras.Sequential([keras.Input((12,)), layers.Dense(16, activation="relu"), layers.PReLU(), layers.Dense(3)])


def binary():
    return keras.Sequential([keras.Input((12,)), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")])


def logits():
    return keras.Sequential([keras.Input((12,)), layers.Dense(16, activation="relu"), layers.Dense(5)])


def transposed():
    return keras.Sequential([keras.Input((6, 6, 3)), layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu"), layers.UpSampling2D(2, interpolation="bilinear"), layers.Conv2D(2, 3, strides=3),
                             layers.Cropping2D(1), layers.Flatten(), layers.Dense(5, activation="softmax")])


def nested():
    inner = keras.Sequential([keras.Input((12,)), layers.Dense(9, activation="relu"), layers.Dense(7)], name="inner")
    a, b = keras.Input((12,), name="a"), keras.Input((12,), name="b")
    x = layers.Subtract()([inner(a), inner(b)])
    return keras.Model(a, layers.Dense(5, activation="softmax")(inner(a)))


def volumes():
    return keras.Sequential([keras.Input((5, 6, 4, 2)), layers.Conv3D(3, (3, 2, 3), padding="same", activation="elu"), layers.MaxPooling3D((2, 1, 1), padding="same"), layers.Conv3DTranspose(2, 3, strides=2, padding="same"),
                             layers.Conv3D(4, 2, activation="tanh"), layers.ZeroPadding3D(1), layers.AveragePooling3D(2), layers.Cropping3D(1), layers.Flatten(), layers.Dense(5, activation="softmax")])


def scaled():
    x = i = keras.Input((6, 5, 3))
    x = layers.UpSampling2D((2, 3))(layers.Conv2D(4, 2)(x))
    x = layers.Resizing(7, 9)(x)
    x = layers.Conv2DTranspose(3, (3, 2), strides=(2, 1), activation="elu")(x)
    x = layers.Resizing(6, 6, interpolation="nearest")(x)
    y = layers.Conv1DTranspose(4, 3, strides=2)(layers.Reshape((18, 6))(x))
    return keras.Model(i, layers.Dense(5, activation="softmax")(layers.Flatten()(y)))


def scores():
    a = keras.Input((6, 8))
    q, v = layers.Dense(4)(a), layers.Dense(4)(a)
    x = layers.Attention(use_scale=True)([q, v]) + layers.Attention(score_mode="concat", use_scale=True)([q, v]) + layers.AdditiveAttention()([q, v])
    return keras.Model(a, layers.Dense(5, activation="softmax")(layers.Flatten()(x)))


def norms():
    x = i = keras.Input((6, 8))
    x = layers.GroupNormalization(2)(layers.Dense(8)(x))
    x = layers.RMSNormalization()(layers.Dense(8)(x))
    x = layers.UnitNormalization()(layers.Dense(6)(x))
    x = layers.BatchNormalization(axis=1)(x)
    return keras.Model(i, layers.Dense(5, activation="softmax")(layers.Flatten()(x)))


def masked_norm():
    return keras.Sequential([keras.Input((7,), dtype="int32"), layers.Embedding(20, 6, mask_zero=True), layers.BatchNormalization(), layers.SimpleRNN(4), layers.Dense(5, activation="softmax")])


def functions():
    o = keras.ops
    x = i = keras.Input((6, 8))
    x = layers.Dense(8)(x)
    x = o.cumsum(x, axis=1) + o.flip(x, axis=2) + o.roll(x, 2, axis=1) + o.tile(o.mean(x, axis=1, keepdims=True), (1, 6, 1))
    x = o.concatenate([o.logsumexp(x, axis=-1), o.prod(o.sigmoid(x), axis=-1), o.take(x, [3, 1], axis=2)[:, :, 0], o.max(x, axis=1), o.top_k(x, 2)[0][:, 0], o.pad(x, ((0, 0), (1, 2), (0, 0)), mode="reflect")[:, :, 3]], axis=-1)
    return keras.Model(i, layers.Dense(5, activation="softmax")(o.arctan2(x, o.exp(x)) + o.expm1(-o.square(x)) + o.log1p(o.square(x)) + o.maximum(x, 0.1) + o.erf(x)))


def convlstm():
    return keras.Sequential([keras.Input((4, 5, 5, 2)), layers.ConvLSTM2D(3, 3, padding="same", return_sequences=True), layers.TimeDistributed(layers.Conv2D(2, 2)), layers.ConvLSTM2D(2, 2), layers.Flatten(), layers.Dense(5, activation="softmax")])


def activities():
    return keras.Sequential([keras.Input((12,)), layers.Dense(16, activation="relu", activity_regularizer="l2"), layers.ActivityRegularization(0.01, 0.02), layers.Dense(8, activation="tanh", activity_regularizer=keras.regularizers.L1(0.03)),
                             layers.Dense(5, activation="softmax")])


def tagger():
    return keras.Sequential([keras.Input((7,), dtype="int32"), layers.Embedding(20, 6, mask_zero=True), layers.GRU(8, return_sequences=True), layers.Dense(5, activation="softmax")])


def stateful(layer):
    return lambda: keras.Sequential([keras.Input((7, 4), batch_size=BATCH), layer(5, stateful=True, return_sequences=True), layer(6, stateful=True), layers.Dense(5, activation="softmax")])


def thawed():
    i = keras.Input((6,))
    base = keras.Model(i, layers.BatchNormalization(name="bn")(layers.Dense(6)(i)), name="base")
    x = keras.Input((6,))
    model = keras.Model(x, layers.Dense(5, activation="softmax")(base(x)))
    base.trainable = False
    base.get_layer("bn").trainable = True
    return model


def twice():
    i = keras.Input((6,))
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(6)], name="inner")
    other = keras.Model(i, layers.Dense(6, activation="tanh")(inner(i)), name="other")
    return keras.Model(i, layers.Dense(5, activation="softmax")(layers.Add()([inner(i), other(i)])))


# a layer that looks at the whole batch, once a step; and the same layer called twice: its moving averages go two steps
def stepwise():
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(5), layers.BatchNormalization(momentum=0.8), layers.ReLU()])
    x = i = keras.Input((4, 6))
    x = layers.TimeDistributed(layers.BatchNormalization(momentum=0.9))(x)
    x = layers.TimeDistributed(inner)(x)
    norm = layers.BatchNormalization(momentum=0.7)
    x = norm(layers.Dense(4)(norm(layers.Dense(4)(x))))
    return keras.Model(i, layers.Dense(5, activation="softmax")(layers.Flatten()(x)))


def stepwise_cnn():
    inner = keras.Sequential([keras.Input((5, 5, 2)), layers.Conv2D(3, 2), layers.BatchNormalization(), layers.ReLU(), layers.GlobalAveragePooling2D()])
    return keras.Sequential([keras.Input((4, 5, 5, 2)), layers.TimeDistributed(inner), layers.GRU(4), layers.Dense(5, activation="softmax")])


def stepwise_mask():
    return keras.Sequential([keras.Input((7,), dtype="int32"), layers.Embedding(20, 6, mask_zero=True), layers.TimeDistributed(layers.BatchNormalization()), layers.SimpleRNN(4), layers.Dense(5, activation="softmax")])


SPARSE = "sparse_categorical_crossentropy"
ALL = [optimizers.SGD(0.1), optimizers.SGD(0.05, momentum=0.9), optimizers.SGD(0.05, momentum=0.9, nesterov=True), optimizers.Adam(0.01), optimizers.Adam(0.01, amsgrad=True), optimizers.AdamW(0.01, weight_decay=0.1),
       optimizers.RMSprop(0.01), optimizers.RMSprop(0.01, momentum=0.5, centered=True), optimizers.Adagrad(0.1), optimizers.Adadelta(1.0), optimizers.Adamax(0.01), optimizers.Nadam(0.01), optimizers.Ftrl(0.1), optimizers.Lion(0.001),
       optimizers.Adam(optimizers.schedules.ExponentialDecay(0.01, 3, 0.5)), optimizers.SGD(0.1, clipnorm=0.1), optimizers.Adam(0.01, global_clipnorm=0.1, use_ema=True, ema_overwrite_frequency=3), optimizers.SGD(0.1, gradient_accumulation_steps=2)]
CASES = [(f"{m.__name__} {i} {type(o).__name__}", m, o, SPARSE) for m in (mlp, cnn) for i, o in enumerate(ALL)]
CASES += [(f"{m.__name__} SGD", m, optimizers.SGD(0.05), SPARSE) for m in (bn_cnn, residual, lstm, gru, rnn_mask, attention, conv1d, frozen, regular, transposed, nested, volumes, scaled, scores, norms, masked_norm, functions, convlstm, activities, stepwise, stepwise_cnn, stepwise_mask)]
CASES += [(f"{m.__name__} Adam", m, optimizers.Adam(0.002), SPARSE) for m in (bn_cnn, lstm_floats, attention)]
CASES += [(f"regression {l}", regression, optimizers.SGD(0.01), l) for l in ("mse", "mae", "huber", "log_cosh", "cosine_similarity")]
CASES += [("binary", binary, optimizers.SGD(0.1), "binary_crossentropy"), ("binary hinge", binary, optimizers.SGD(0.1), "hinge"), ("binary poisson", binary, optimizers.SGD(0.1), "poisson")]
CASES += [("tagger", tagger, optimizers.SGD(0.1), SPARSE), ("thawed", thawed, optimizers.Adam(0.01), SPARSE), ("twice", twice, optimizers.Adam(0.01), SPARSE)]
CASES += [(f"stateful {l.__name__}", stateful(l), optimizers.SGD(0.1), SPARSE) for l in (layers.LSTM, layers.GRU, layers.SimpleRNN)]
CASES += [("softmax bce", mlp, optimizers.SGD(0.1), "binary_crossentropy"), ("loss scale", mlp, optimizers.SGD(0.1, loss_scale_factor=8.0), SPARSE)]
CASES += [("logits", logits, optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True)), ("one-hot", mlp, optimizers.SGD(0.1), keras.losses.CategoricalCrossentropy(label_smoothing=0.1))]


def data(model, loss, rng):
    shape, dtype = model.input_shape[1:], model.inputs[0].dtype
    x = rng.integers(0, 20, (ROWS,) + shape).astype("int32") if dtype == "int32" else rng.normal(0, 1, (ROWS,) + shape).astype("float32")
    out = model.output_shape[1]
    kind = loss if isinstance(loss, str) else loss.name
    if kind.startswith("sparse"):
        y = rng.integers(0, model.output_shape[-1], (ROWS,) + model.output_shape[1:-1]).astype("int32")
    elif kind.startswith("categorical"):
        y = np.eye(out, dtype="float32")[rng.integers(0, out, ROWS)]
    elif out == 1:
        y = rng.integers(0, 2, (ROWS, 1)).astype("float32")
    else:
        y = rng.normal(0, 1, (ROWS, out)).astype("float32")
    return x, y


def run(litec, case, folder, seed):
    name, build, optimizer, loss = case
    keras.utils.set_random_seed(seed)
    model = build()
    model.compile(optimizer=type(optimizer).from_config(optimizer.get_config()), loss=loss)
    x, y = data(model, loss, np.random.default_rng(seed))
    path = lambda f: os.path.join(folder, f)
    model.save(path("m.keras"))
    np.save(path("x.npy"), x)
    np.save(path("y.npy"), y)
    start = [w.copy() for w in model.get_weights()]
    losses = model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0).history["loss"]
    r = subprocess.run([litec, "train", path("m.keras"), "-d", path("x.npy"), "-l", path("y.npy"), "--no-shuffle", "-b", str(BATCH), "-o", path("o.keras")], capture_output=True, text=True, timeout=120)
    if r.returncode:
        return f"{r.stderr.strip()[:300]}"
    ours = keras.saving.load_model(path("o.keras"))
    worst = moved = 0.0
    for w, a, b in zip(model.weights, model.get_weights(), ours.get_weights()):
        worst = max(worst, float(np.abs(a.astype("float64") - b).max(initial=0)))
    for a, b in zip(start, model.get_weights()):
        moved = max(moved, float(np.abs(a.astype("float64") - b).max(initial=0)))
    state = 0.0
    for a, b in zip(model.optimizer.variables, ours.optimizer.variables):
        state = max(state, float(np.abs(np.array(a, "float64") - np.array(b)).max(initial=0)))
    text = f"weights {worst:.1e} of {moved:.1e} moved, optimizer {state:.1e}, loss {losses[0]:.4f} {r.stdout.strip().splitlines()[-1].split('loss: ')[-1]}"
    # Adam makes steps of full size of gradients that are noise around zero: the key's bias of attention has no effect at all
    limit = 1e-4 if name == "attention Adam" else 1e-5
    return text if worst > limit or state > 1e-4 else (text, True)


def run_cases(cases, run, width):
    """Runs the cases whose names hold a word of the command line (behind the program); a tuple of run is good. The exit code."""
    program, wanted, bad = sys.argv[1], sys.argv[2:], 0
    for i, case in enumerate(cases):
        if wanted and not any(w in case[0] for w in wanted):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                result = run(program, case, folder, i + 1)
            except Exception as e:
                result = f"{type(e).__name__}: {str(e)[:300]}"
        good = isinstance(result, tuple)
        bad += not good
        print(f"{'ok ' if good else 'BAD'} {case[0]:{width}} {result[0] if good else result}", flush=True)
    print(f"{bad} of them differ" if bad else "all equal")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(run_cases(CASES, run, 28))
