#!/bin/sh
# Fuzzes pcodec decompression natively with libFuzzer and the address sanitizer: WebAssembly shows no coverage to the fuzzer
# of `npm run fuzz`. Every input goes through our own decoder and through pco's, which must agree.
#
#   codec/native/fuzz.sh [SECONDS]        600 by default; a fault is written to the folder that the last line names
#   codec/native/fuzz.sh SECONDS --save   then puts some 300 of the inputs that reach everything into the regression test
#
# Needs a Rust of 1.87 or later for this machine, a C++ compiler, and Node. The sanitizer is an unstable option of rustc, which
# RUSTC_BOOTSTRAP lets a stable one take.
set -eu

seconds=${1:-600}
save=${2:-}
native=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
seeds=$native/../testing/fuzz/seeds/pcodec.json
work=${CARGO_TARGET_DIR:-$native/pcodec/fuzz/target}
host=$(rustc -vV | sed -n 's/^host: //p')
corpus=$work/corpus
mkdir -p "$corpus"

coverage='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1'
export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$work" RUSTFLAGS="$(echo $coverage) -Zsanitizer=address --cfg fuzzing"
(cd "$native/pcodec/fuzz" && cargo build --quiet --release --locked --target "$host")

node -e '
  const [seeds, corpus] = process.argv.slice(1);
  const { readFileSync, writeFileSync } = require("node:fs");
  JSON.parse(readFileSync(seeds)).forEach((text, i) => writeFileSync(`${corpus}/seed-${i}`, Buffer.from(text, "base64")));
' "$seeds" "$corpus"

fuzzer=$work/$host/release/latentbox-pcodec-fuzz
"$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=1 \
  -artifact_prefix="$work/" "$corpus"

if [ "$save" = --save ]; then
  rm -rf "$work/distilled"
  mkdir "$work/distilled"
  "$fuzzer" -merge=1 -max_len=4096 "$work/distilled" "$corpus"
  # A fuzzing session leaves about a thousand: an even choice by size stands for all.
  node -e '
    const [seeds, folder] = process.argv.slice(1);
    const { readdirSync, readFileSync, writeFileSync } = require("node:fs");
    const inputs = readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`));
    const every = Math.ceil(inputs.length / 300);
    const kept = inputs.sort((a, b) => a.length - b.length || a.compare(b)).filter((_, index) => index % every === 0);
    writeFileSync(seeds, `${JSON.stringify(kept.map((data) => data.toString("base64")), undefined, 2)}\n`);
  ' "$seeds" "$work/distilled"
fi
echo "faults, if any: $work"
