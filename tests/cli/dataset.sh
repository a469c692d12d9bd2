#!/bin/sh
# dataset.sh: litec dataset: what it lists, a set from a folder, and its name in place of a file.
. "$(dirname "$0")/lib.inc"
LITEC_DATA=$scratch/data
export LITEC_DATA

ok 'the list' '^mnist +70000  28x28x1 +11\.6 MB  MNIST' '^cifar10 +60000  32x32x3' -- litec dataset list
ok 'as JSON' '^\[\{"name":"mnist",' '"here":false' -- litec dataset list --json
ok 'one of them' '^parts +mnist:train, 60000 samples' '^t10k-labels-idx1-ubyte.gz +4542 bytes  sha256 f7ae60f9' 'not fetched' -- litec dataset info mnist
ok 'by another spelling' '"name":"cifar10".*"airplane"' -- litec dataset info CIFAR-10 --json
usage 'no such thing' 'has no get' 'list, info or fetch' -- litec dataset get mnist
usage 'no such set' 'no data set mnits' -- litec dataset info mnits
usage 'which' 'needs the name' -- litec dataset fetch
usage 'a mirror for nothing' 'from' -- litec dataset list --from x

model=$models/keras3_mlp.keras
bad 'not fetched' 'mnist:test: the data set is not in .*/data/mnist' 'litec dataset fetch mnist' -- litec eval "$model" --data mnist:test
bad 'which part' 'several parts' 'mnist:train or mnist:test' -- litec eval "$model" --data mnist
bad 'no such part' 'no such part' 'mnist:train or mnist:test' -- litec eval "$model" --data mnist:valid
mkdir from
bad 'nothing to fetch' 'train-images-idx3-ubyte.gz' -- litec dataset fetch mnist --from from
printf 'other' >from/train-images-idx3-ubyte.gz
bad 'other bytes' 'train-images-idx3-ubyte.gz: the SHA-256 is [0-9a-f]{64}, that of' 'not the bytes' -- litec dataset fetch mnist --from from
check 'leave nothing' -- test ! -e data/mnist/train-images-idx3-ubyte.gz
bad 'no address' 'not an address' 'file://' -- litec dataset fetch mnist --from ftp://nowhere

cp "$mnist"/t10k-*.gz data/mnist/
ok 'by its name' '^1,000 samples, 10 classes$' ' 96\.70 %' -- litec eval "$model" --data mnist:test -n 1000
printf 'x' >mnist:test
bad 'a file of that name goes first' 'mnist:test' -- litec eval "$model" --data mnist:test
finish
