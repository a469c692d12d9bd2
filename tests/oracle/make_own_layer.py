"""Makes examples/own_layer.keras: a Keras 3 model with a layer of somebody's own, for examples/own_layer.c.

    python make_own_layer.py          (needs tensorflow with Keras 3)

Prints what Keras computes for the input of that example.
"""
import os
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import keras, numpy as np

here = os.path.dirname(os.path.abspath(__file__))


@keras.saving.register_keras_serializable('mine')
class Gate(keras.layers.Layer):
    """x sigmoid(sharpness x scale): one factor in the configuration, one a channel among the weights."""
    def __init__(self, sharpness=1.0, **kwargs):
        super().__init__(**kwargs)
        self.sharpness = sharpness

    def build(self, shape): self.scale = self.add_weight(name='scale', shape=(shape[-1],), initializer='ones')
    def call(self, x): return x * keras.ops.sigmoid(self.sharpness * x * self.scale)
    def get_config(self): return {**super().get_config(), 'sharpness': self.sharpness}


x = keras.Input((4,), name='x')
model = keras.Model(x, keras.layers.Dense(2, name='sums')(Gate(1.5, name='gate')(x)))
model.get_layer('gate').set_weights([np.array([.5, 1, 1.5, 2], 'f')])
model.get_layer('sums').set_weights([np.array([[1, 1], [1, -1], [1, 1], [1, -1]], 'f'), np.zeros(2, 'f')])
model.save(os.path.join(here, '..', '..', 'examples', 'own_layer.keras'))
print(model(np.array([[1, 2, -1, .5]], 'f')).numpy())
