"""Makes tests/data/keras/qat.keras: a small model of quantisation-aware training, and prints what the official converter's integer form of it
gives in LiteRT for the inputs of tests/unit/test_trained.c.

    python make_trained_case.py         (needs tensorflow, tf_keras, tensorflow-model-optimization and ai_edge_litert)
"""
import os, zipfile, tempfile
os.environ.update(TF_USE_LEGACY_KERAS='1', TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='')
import numpy as np, tensorflow as tf, tf_keras as keras, tensorflow_model_optimization as tfmot
from ai_edge_litert.interpreter import Interpreter

L = keras.layers
np.random.seed(3); tf.random.set_seed(3)
x, y = np.random.uniform(-1, 1, (64, 4, 4, 2)).astype('f4'), np.random.uniform(-4, 4, (64, 3)).astype('f4')
m = keras.Sequential([L.Input((4, 4, 2)), L.Conv2D(3, 3, name='c'), L.BatchNormalization(name='b'), L.ReLU(name='r'), L.Flatten(name='f'), L.Dense(3, name='d')])
m = tfmot.quantization.keras.quantize_model(m)
m.compile(keras.optimizers.Adam(.05), 'mse'); m.fit(x, y, epochs=20, verbose=0); m.compile()

with tempfile.TemporaryDirectory() as folder:
    m.save(f'{folder}/m.keras')
    target = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'data', 'keras', 'qat.keras')
    with zipfile.ZipFile(f'{folder}/m.keras') as a, zipfile.ZipFile(target, 'w') as b:
        for i in a.infolist(): b.writestr(zipfile.ZipInfo(i.filename), a.read(i.filename), zipfile.ZIP_DEFLATED, 9)

c = tf.lite.TFLiteConverter.from_keras_model(m); c.optimizations = [tf.lite.Optimize.DEFAULT]
i = Interpreter(model_content=c.convert()); i.resize_tensor_input(0, (2, 4, 4, 2)); i.allocate_tensors()
i.set_tensor(0, np.array([((k * 37 + 11) % 64 - 32) / 32 for k in range(64)], 'f4').reshape(2, 4, 4, 2)); i.invoke()
print(i.get_tensor(i.get_output_details()[0]['index']).tolist())
