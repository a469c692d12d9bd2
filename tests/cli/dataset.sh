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

# ---- by the network; libcurl need not be there
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY
bad 'a host there is not' 'the name of the host is not known|libcurl' -- litec dataset fetch mnist --from http://nowhere.invalid
usage 'no way around certificates' 'has no option --insecure' -- litec dataset fetch mnist --insecure
if command -v openssl >/dev/null && openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost 2>.log; then
    port=$((20000 + $$ % 20000))
    openssl s_server -quiet -accept 127.0.0.1:$port -key key.pem -cert cert.pem -WWW >.log 2>&1 &
    server=$!
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        openssl s_client -connect 127.0.0.1:$port </dev/null >.log 2>&1 && break
        sleep 0.1
    done
    bad 'a certificate that nobody vouches for' 'certificate|libcurl' -- litec dataset fetch mnist --from https://127.0.0.1:$port
    # What is killed does not go on: a server that stands still holds the download.
    kill -STOP $server
    downloads() { # processes of a fetch into killed$1
        for line in /proc/[0-9]*/cmdline; do tr '\0' ' ' 2>.log <"$line" | grep "dataset fetch mnist --dir killed$1 "; done | wc -l
    }
    for signal in KILL TERM; do
        [ -e /proc/self/cmdline ] || break # a system without it: nobody to ask
        "$LITEC" dataset fetch mnist --dir killed$signal --from "http://127.0.0.1:$port/" -q 2>.fetch &
        fetching=$!
        for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ "$(downloads $signal)" -ge 2 ] && break || sleep 0.1; done
        begun=$(downloads $signal)
        ! grep -q libcurl .fetch || continue
        kill -$signal $fetching
        wait $fetching 2>.log
        code=$?
        for i in 1 2 3 4 5 6 7 8 9 10; do [ "$(downloads $signal)" = 0 ] && break || sleep 0.1; done
        cases=$((cases + 1))
        if [ "$begun" -lt 2 ]; then complain "killed by $signal" 'no download was begun'
        elif [ $code -lt 128 ]; then complain "killed by $signal" "exit $code"
        elif [ "$(downloads $signal)" != 0 ]; then complain "killed by $signal" 'the download goes on'; fi
    done
    kill -CONT $server
    kill $server
fi

cp "$mnist"/t10k-*.gz data/mnist/
ok 'by its name' '^1,000 samples, 10 classes$' ' 96\.70 %' -- litec eval "$model" --data mnist:test -n 1000
printf 'x' >mnist:test
bad 'a file of that name goes first' 'mnist:test' -- litec eval "$model" --data mnist:test
finish
