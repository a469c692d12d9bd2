"""How a TensorFlow model of the conversion check is described: MODELS, and the few words its makers use (tf_op_models.py, tf_other_op_models.py,
tf_nn_models.py, tf_structure_models.py, tf_rnn_models.py add to it; make_tf_models.py makes them).

A model is a function with an input_signature, or a module whose functions are signatures. Inputs are described by A: a shape, a type and how
to draw values. A size of None is open; so is a size given as a letter, and the same letter is the same size in all inputs of a set. Sets differ in
the sizes of what is open: the second set is another batch, the third a batch of 1.
"""
import inspect
import os
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np
import tensorflow as tf

MODELS = {}
LISTS = 'must should rare flex custom control pattern recurrent ops layers'.split()
BATCHES = (2, 3, 1)
LETTERS = {'n': (4, 6, 3), 'm': (5, 3, 7), 'k': (3, 2, 5), 't': (6, 9, 4), 'h': (9, 12, 7), 'w': (11, 8, 10)}


class A:
    """One input: shape, type, values between lo and hi (integers: hi excluded), or data(rng, set) -> array."""

    def __init__(self, *shape, t='float32', lo=None, hi=None, data=None, unknown=False):
        self.dims, self.t, self.data, self.unknown = shape, t, data, unknown
        self.lo = lo if lo is not None else -2 if t[0] in 'fc' else 0 if t[0] in 'ub' else -6
        self.hi = hi if hi is not None else 2 if t[0] in 'fc' else 2 if t == 'bool' else 7

    def spec(self, name):
        shape = None if self.unknown else [d if isinstance(d, int) else None for d in self.dims]
        return tf.TensorSpec(shape, tf.as_dtype(self.t), name=name)

    def open(self): return self.unknown or any(not isinstance(d, int) for d in self.dims)

    def draw(self, rng, k):
        if self.data: return np.asarray(self.data(rng, k), object if self.t == 'string' else self.t)
        shape = [d if isinstance(d, int) else LETTERS[d][k] if d else (BATCHES[k] if i == 0 else LETTERS['t'][k] + i) for i, d in enumerate(self.dims)]
        if self.t == 'string': return rng.choice(np.array([b'a', b'bc', b'Hello World', b'', b'12', b'x y z'], object), shape)
        if self.t[0] == 'c': return (rng.uniform(self.lo, self.hi, shape) + 1j * rng.uniform(self.lo, self.hi, shape)).astype(self.t)
        if self.t[0] == 'f': return np.asarray(rng.uniform(self.lo, self.hi, shape), self.t)
        return np.asarray(rng.integers(self.lo, self.hi, shape), self.t)


def F(*s, **k): return A(*s, **k)
def I(*s, **k): return A(*s, t='int32', **k)
def L(*s, **k): return A(*s, t='int64', **k)
def B(*s, **k): return A(*s, t='bool', **k)
def S(*s, **k): return A(*s, t='string', **k)


class Model:
    """name, list, build() -> (module, {signature key: function}, {signature key: reference function or None}), inputs {key: {name: A}}."""

    def __init__(self, name, kind, build, inputs, random=False, stateful=False, save=None, tolerance=1e-4):
        assert kind in LISTS and name not in MODELS, name
        self.name, self.kind, self.build, self.inputs, self.random, self.stateful, self.save, self.tolerance = name, kind, build, inputs, random, stateful, save, tolerance
        MODELS[name] = self

    def sets(self):
        """(signature, set number, {name: array}); the seed is the name's: a model does not change when another is added."""
        for key, inputs in self.inputs.items():
            count = 3 if any(a.open() for a in inputs.values()) else 2
            rng = np.random.default_rng(list(f'{self.name} {key}'.encode()))
            for k in range(count): yield key, k, {n: a.draw(rng, k) for n, a in inputs.items()}


def traced(f, inputs):
    """The function of these inputs; further parameters of f hold its constants, which a signature could not store as defaults."""
    return tf.function(lambda *xs: f(*xs), input_signature=[a.spec(n) for n, a in inputs.items()], autograph=False)


def model(name, kind, f, *args, ref=None, random=False, tolerance=1e-4):
    """A function of tensors; its parameters name the inputs. ref computes the same where TensorFlow's CPU kernels cannot run f. tolerance: of quantised values, a step."""
    names = list(inspect.signature(f).parameters)[:len(args)]
    inputs = dict(zip(names, args))

    def build():
        m = tf.Module()
        m.f = traced(f, inputs)
        return m, {'serving_default': m.f}, {'serving_default': ref}
    return Model(name, kind, build, {'serving_default': inputs}, random=random, tolerance=tolerance)


def module(name, kind, *args, stateful=False, names=None):
    """Decorates build() -> (tf.Module with variables, function): the function is traced with these inputs; names: the inputs' names."""
    def add(build):
        inputs = dict(zip(names or ('x', 'y', 'z', 'u'), args))

        def made():
            m, f = build()
            m.f = traced(f, inputs)
            return m, {'serving_default': m.f}, {'serving_default': None}
        Model(name, kind, made, {'serving_default': inputs}, stateful=stateful)
        return build
    return add


def signatures(name, kind, inputs, stateful=False):
    """Decorates build() -> (tf.Module, {key: python function}); inputs {key: {name: A}}."""
    def add(build):
        def made():
            m, fs = build()
            for key, f in fs.items(): setattr(m, 'f_' + key, traced(f, inputs[key]))
            return m, {key: getattr(m, 'f_' + key) for key in fs}, dict.fromkeys(fs)
        Model(name, kind, made, inputs, stateful=stateful)
        return build
    return add


def keras(name, kind, build, *args, save='export', random=False, stateful=False):
    """build(rng) -> a Keras model; saved by model.export or by tf.saved_model.save."""
    names = [f'x{i}' for i in range(len(args))]
    Model(name, kind, build, {'serving_default': dict(zip(names, args))}, save=save, random=random, stateful=stateful)
