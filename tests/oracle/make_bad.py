"""Makes tests/data/bad: small Keras files that each break one rule, and one good file they are variations of.

    python make_bad.py OUT        needs h5py and numpy (the files are in the tree; this is how they came to be)

tests/cli/bad_input.sh lists what litec must say of each.
"""
import io, json, os, struct, sys, zipfile, zlib
import h5py, numpy as np

out = sys.argv[1]
os.makedirs(out, exist_ok=True)


def dense(name, units, **config):
    return {"class_name": "Dense", "config": {"name": name, "trainable": True, "dtype": "float32", "units": units,
            "activation": "linear", "use_bias": True, **config}}


def layer(class_name, name, **config):
    return {"class_name": class_name, "config": {"name": name, "trainable": True, "dtype": "float32", **config}}


def conv(name, **config):
    base = dict(filters=2, kernel_size=[3, 3], strides=[1, 1], padding="valid", data_format="channels_last",
                dilation_rate=[1, 1], groups=1, activation="linear", use_bias=True)
    return layer("Conv2D", name, **{**base, **config})


def sequential(layers, shape=(4,)):
    first = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, *shape], "dtype": "float32", "name": "in"}}
    return {"class_name": "Sequential", "config": {"name": "bad", "layers": [first, *layers]}}


def kernel(*shape):
    return (np.arange(np.prod(shape), dtype=np.float32) / 7).reshape(shape)


GOOD = [("fc", [("fc/kernel:0", kernel(4, 3)), ("fc/bias:0", kernel(3))])]


def write(f, config, weights, text=None):
    """The layout of Keras 2: configuration in an attribute, one group a layer."""
    f.attrs["keras_version"] = b"2.15.0"
    f.attrs["backend"] = b"tensorflow"
    if config is not None or text is not None:
        f.attrs["model_config"] = text if text is not None else json.dumps(config).encode()
    root = f.create_group("model_weights") if config is not None or text is not None else f
    root.attrs["layer_names"] = np.array([n.encode() for n, _ in weights], dtype="S16")
    root.attrs["backend"] = b"tensorflow"
    root.attrs["keras_version"] = b"2.15.0"
    for name, arrays in weights:
        g = root.create_group(name)
        g.attrs["weight_names"] = np.array([n.encode() for n, _ in arrays], dtype="S32") if arrays else np.zeros(0)
        for n, a in arrays:
            if a is not None:
                g.create_dataset(n, data=a)


def h5(name, config, weights=GOOD, text=None, change=None):
    """layer_names lists every layer, also those without weights, as Keras does."""
    if config and weights:
        named = dict(weights)
        order = [l["config"]["name"] for l in config["config"]["layers"]]
        weights = [(n, named.pop(n, [])) for n in order if n != "in"] + list(named.items())
    with h5py.File(f"{out}/{name}.h5", "w") as f:
        write(f, config, weights, text)
        if change:
            change(f)


FC = sequential([dense("fc", 3)])
K = "model_weights/fc/fc/kernel:0"

# ---- the good one, and what a model file may lack or get wrong
h5("good", FC)
h5("weights_only", None)
h5("wrong_shape", FC, [("fc", [("fc/kernel:0", kernel(5, 3)), ("fc/bias:0", kernel(3))])])
h5("wrong_type", FC, [("fc", [("fc/kernel:0", np.full((4, 3), b"text", dtype="S4")), ("fc/bias:0", kernel(3))])])
h5("missing_dataset", FC, [("fc", [("fc/kernel:0", None), ("fc/bias:0", kernel(3))])])
h5("missing_bias", FC, [("fc", [("fc/kernel:0", kernel(4, 3))])])
h5("no_weights", FC, [])
h5("config_not_json", None, text=b"{'class_name': 'Sequential'")
h5("config_deep", None, text=b"[" * 5000 + b"]" * 5000)
h5("config_list", None, text=b"[1, 2, 3]")
h5("config_number", None, text=b'{"class_name": 7, "config": "x"}')

# ---- configurations
h5("unknown_layer", sequential([layer("FancyAttention", "fancy", heads=2), dense("fc", 3)]), [("fancy", [("fancy/q:0", kernel(4, 4))])] + GOOD)
h5("lambda", sequential([layer("Lambda", "squares", function=["4wEAAAA=", None, None], function_type="lambda"), dense("fc", 3)]))
h5("unknown_activation", sequential([dense("fc", 3, activation="wiggle")]))
h5("negative_units", sequential([dense("fc", -3)]))
h5("zero_units", sequential([dense("fc", 0)]))
h5("huge_units", sequential([dense("fc", 2_000_000_000)]))
h5("negative_shape", sequential([dense("fc", 3)], shape=(-4,)))
h5("huge_reshape", sequential([layer("Reshape", "shape", target_shape=[1 << 20, 1 << 20, 1 << 20, 1 << 20]), dense("fc", 3)]))
h5("huge_input", sequential([layer("Flatten", "flat"), dense("fc", 3)], shape=(1 << 30, 1 << 30, 1 << 30)))
h5("huge_padding", sequential([layer("ZeroPadding2D", "pad", padding=[[2_000_000_000, 2_000_000_000]] * 2, data_format="channels_last"),
                               dense("fc", 3)], shape=(8, 8, 4)))
CONV = [("conv", [("conv/kernel:0", kernel(3, 3, 1, 2)), ("conv/bias:0", kernel(2))])]
h5("zero_strides", sequential([conv("conv", strides=[0, 0])], shape=(8, 8, 1)), CONV)
h5("negative_filters", sequential([conv("conv", filters=-2)], shape=(8, 8, 1)), CONV)
h5("kernel_too_large", sequential([conv("conv")], shape=(1, 1, 1)), CONV)
h5("zero_pool", sequential([layer("MaxPooling2D", "pool", pool_size=[0, 0], strides=[1, 1], padding="valid", data_format="channels_last")],
                           shape=(8, 8, 1)), [("pool", [])])


def functional(layers, inputs, outputs):
    return {"class_name": "Functional", "config": {"name": "bad", "layers": layers, "input_layers": inputs, "output_layers": outputs}}


def node(spec, *sources):
    return {**spec, "name": spec["config"]["name"], "inbound_nodes": [[[s, 0, 0, {}] for s in sources]] if sources else []}


IN = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3], "dtype": "float32", "name": "in"}}
W3 = lambda n: (n, [(f"{n}/kernel:0", kernel(3, 3)), (f"{n}/bias:0", kernel(3))])
h5("cyclic", functional([node(IN), node(layer("Add", "sum"), "in", "b"), node(dense("a", 3), "sum"), node(dense("b", 3), "a")],
                        [["in", 0, 0]], [["b", 0, 0]]), [W3("a"), W3("b")])
h5("unknown_inbound", functional([node(IN), node(dense("a", 3), "nowhere")], [["in", 0, 0]], [["a", 0, 0]]), [W3("a")])
h5("self_loop", functional([node(IN), node(dense("a", 3), "a")], [["in", 0, 0]], [["a", 0, 0]]), [W3("a")])
h5("add_shapes", functional([node(IN), node(dense("a", 4), "in"), node(layer("Add", "sum"), "in", "a")], [["in", 0, 0]], [["sum", 0, 0]]),
   [("a", [("a/kernel:0", kernel(3, 4)), ("a/bias:0", kernel(4))])])


# ---- HDF5 that leaves the file, loops, or declares more than it holds
def replace(path, make):
    def change(f):
        del f[path]
        make(f)
    return change


def soft(f):
    f["elsewhere"] = kernel(4, 3)
    f[K] = h5py.SoftLink("/elsewhere")


def external(f):
    f[K] = h5py.ExternalLink("secret.h5", "/kernel")


def storage(f):
    f.create_dataset(K, shape=(4, 3), dtype="f4", external=[("secret.bin", 0, 48)])


def virtual(f):
    layout = h5py.VirtualLayout(shape=(4, 3), dtype="f4")
    layout[:] = h5py.VirtualSource("secret.h5", "kernel", shape=(4, 3))
    f.create_virtual_dataset(K, layout)


def terabytes(f):
    f.create_dataset(K, shape=(1 << 20, 1 << 20), dtype="f4", chunks=(1024, 1024), compression="gzip")


def lzf(f):
    f.create_dataset(K, data=kernel(4, 3), chunks=(4, 3), compression="lzf")


def loop(f):
    del f["model_weights/fc/fc"]
    f["model_weights/fc/fc"] = f["model_weights"]


h5("soft_link", FC, change=replace(K, soft))
h5("external_link", FC, change=replace(K, external))
h5("external_storage", FC, change=replace(K, storage))
h5("virtual_dataset", FC, change=replace(K, virtual))
h5("terabytes", FC, change=replace(K, terabytes))
h5("unknown_filter", FC, change=replace(K, lzf))
h5("group_loop", FC, change=loop)

# many datasets that are each just small enough: only their sum is absurd
many = [dense(f"d{i}", 1 << 14) for i in range(40)]


def sparse(f):
    for i in range(40):
        g = f.create_group(f"model_weights/d{i}")
        g.attrs["weight_names"] = np.array([f"d{i}/kernel:0".encode(), f"d{i}/bias:0".encode()])
        g.create_dataset(f"d{i}/kernel:0", shape=(1 << 14, 1 << 14), dtype="f4", chunks=(1 << 14, 1 << 10), compression="gzip")
        g.create_dataset(f"d{i}/bias:0", shape=(1 << 14,), dtype="f4", chunks=(1 << 14,), compression="gzip")
    f["model_weights"].attrs["layer_names"] = np.array([f"d{i}".encode() for i in range(40)])


h5("summed_bomb", sequential(many, shape=(1 << 14,)), [], change=sparse)

# ---- .keras: a zip of configuration, metadata and weights
K3 = {"module": "keras", "class_name": "Sequential", "registered_name": None, "config": {"name": "bad", "trainable": True, "layers": [
    {"module": "keras.layers", "class_name": "InputLayer", "registered_name": None,
     "config": {"batch_shape": [None, 4], "dtype": "float32", "sparse": False, "name": "in"}},
    {"module": "keras.layers", "class_name": "Dense", "registered_name": None,
     "config": {"name": "fc", "trainable": True, "dtype": "float32", "units": 3, "activation": "linear", "use_bias": True}}]}}
META = json.dumps({"keras_version": "3.9.0", "date_saved": "2026-01-01@00:00:00"}).encode()
CONFIG = json.dumps(K3).encode()


def weights3():
    b = io.BytesIO()
    with h5py.File(b, "w") as f:
        g = f.create_group("layers/dense/vars")
        g["0"], g["1"] = kernel(4, 3), kernel(3)
    return b.getvalue()


WEIGHTS = weights3()


def archive(members, method=zipfile.ZIP_STORED):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", method) as z:
        for name, data in members:
            z.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, method)
    return bytearray(b.getvalue())


def keras(name, data):
    with open(f"{out}/{name}.keras", "wb") as f:
        f.write(data)


ALL = [("metadata.json", META), ("config.json", CONFIG), ("model.weights.h5", WEIGHTS)]
good = archive(ALL)
keras("good", good)
keras("no_config", archive([("metadata.json", META), ("model.weights.h5", WEIGHTS)]))
keras("no_weights", archive([("metadata.json", META), ("config.json", CONFIG)]))
keras("not_a_model", archive([("readme.txt", b"hello")]))
keras("deep_config", archive([("metadata.json", META), ("config.json", b"[" * 200000), ("model.weights.h5", WEIGHTS)], zipfile.ZIP_DEFLATED))
keras("deflate_bomb", archive([("metadata.json", META), ("config.json", b" " * (64 << 20)), ("model.weights.h5", WEIGHTS)], zipfile.ZIP_DEFLATED))
import warnings
warnings.simplefilter("ignore")
keras("twice", archive(ALL + [("config.json", b"{}")]))


def central(data, name):
    """Offset of a member's entry in the central directory."""
    at = 0
    while True:
        at = data.index(b"PK\x01\x02", at + 1)
        n = struct.unpack_from("<H", data, at + 28)[0]
        if data[at + 46:at + 46 + n] == name:
            return at


def edited(edit):
    data = bytearray(good)
    edit(data)
    return data


def crc(d):
    at = d.index(CONFIG)
    d[at + 20] ^= 1


def lying(d):  # the central directory says the configuration is somewhere else
    at = central(d, b"config.json")
    struct.pack_into("<I", d, at + 42, 0)


def absurd(d):  # 4 GB less two, in both places
    at = central(d, b"model.weights.h5")
    local = struct.unpack_from("<I", d, at + 42)[0]
    for where in (at + 20, at + 24, local + 18, local + 22):
        struct.pack_into("<I", d, where, 0xfffffffe)


def shorter(d):  # stored sizes that disagree
    at = central(d, b"config.json")
    struct.pack_into("<I", d, at + 24, len(CONFIG) * 1000)


def encrypted(d):
    at = central(d, b"config.json")
    local = struct.unpack_from("<I", d, at + 42)[0]
    for where in (at + 8, local + 6):
        struct.pack_into("<H", d, where, 1)


def method(d):
    at = central(d, b"config.json")
    local = struct.unpack_from("<I", d, at + 42)[0]
    for where in (at + 10, local + 8):
        struct.pack_into("<H", d, where, 14)


def directory(d):
    at = d.rindex(b"PK\x05\x06")
    struct.pack_into("<I", d, at + 16, 0xfffffff0)


def count(d):
    at = d.rindex(b"PK\x05\x06")
    struct.pack_into("<HH", d, at + 8, 0xfffe, 0xfffe)


keras("wrong_crc", edited(crc))
keras("lying_offset", edited(lying))
keras("absurd_size", edited(absurd))
keras("sizes_disagree", edited(shorter))
keras("encrypted", edited(encrypted))
keras("unknown_method", edited(method))
keras("directory_outside", edited(directory))
keras("absurd_count", edited(count))


def zip64_bomb():
    """One member that says it inflates to 16 TiB."""
    data = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = data.compress(b" " * 100000) + data.flush()
    name, size = b"config.json", 1 << 44
    extra = struct.pack("<HHQQ", 1, 16, size, len(body))
    common = struct.pack("<HHHHHIII", 45, 0, 8, 0, 0x5c21, zlib.crc32(b" " * 100000), 0xffffffff, 0xffffffff)
    local = b"PK\x03\x04" + common + struct.pack("<HH", len(name), len(extra)) + name + extra + body
    entry = b"PK\x01\x02" + struct.pack("<H", 45) + common + struct.pack("<HHHHHII", len(name), len(extra), 0, 0, 0, 0, 0) + name + extra
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local), 0)
    return local + entry + end


keras("zip64_terabytes", zip64_bomb())
print(len(os.listdir(out)), "files,", sum(os.path.getsize(f"{out}/{n}") for n in os.listdir(out)), "bytes")
