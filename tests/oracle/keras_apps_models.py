"""keras.applications: every architecture, small pictures where it takes them, weights and statistics random (make_keras_models.py)."""

# name: side of the picture; every architecture, without the largest sizes of each
APPS = {
    'ConvNeXtTiny': 32, 'ConvNeXtSmall': 32, 'ConvNeXtBase': 32, 'DenseNet121': 32, 'DenseNet169': 32, 'DenseNet201': 32, 'EfficientNetB0': 32,
    'EfficientNetB1': 32, 'EfficientNetB2': 32, 'EfficientNetB3': 32, 'EfficientNetB4': 32, 'EfficientNetB5': 32, 'EfficientNetV2B0': 32,
    'EfficientNetV2B1': 32, 'EfficientNetV2B2': 32, 'EfficientNetV2B3': 32, 'EfficientNetV2S': 32, 'EfficientNetV2M': 32,
    'InceptionResNetV2': 75, 'InceptionV3': 75, 'MobileNet': 32, 'MobileNetV2': 32, 'MobileNetV3Small': 32, 'MobileNetV3Large': 32,
    'NASNetMobile': 224, 'ResNet50': 32, 'ResNet101': 32, 'ResNet152': 32, 'ResNet50V2': 32, 'ResNet101V2': 32, 'ResNet152V2': 32, 'VGG16': 32,
    'VGG19': 32, 'Xception': 71,
}
ONLY_2 = {'RegNetX002': 32, 'RegNetY002': 32, 'ResNetRS50': 32}
BOTH = 'DenseNet121 EfficientNetB0 EfficientNetV2B0 InceptionV3 MobileNet MobileNetV2 MobileNetV3Small NASNetMobile ResNet50 ResNet50V2 Xception ConvNeXtTiny'.split()


def add(s):
    for name, side in {**APPS, **ONLY_2}.items():
        only = s.K2 if name in ONLY_2 else s.BOTH if name in BOTH else s.K3
        kwargs = {} if name == 'NASNetMobile' else {'input_shape': (side, side, 3)}
        s.SPECS[f'app_{name.lower()}'] = (lambda K, n=name, k=kwargs: getattr(K.applications, n)(weights=None, classes=7, **k), only)
