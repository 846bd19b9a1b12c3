#!/bin/sh
# Builds the WebAssembly modules of codec/ from their Rust sources, or proves that the committed ones come from them.
#
#   codec/native/build.sh                 build every crate and replace codec/NAME/NAME.wasm
#   codec/native/build.sh pcodec png      only these
#   codec/native/build.sh --check [...]   build, change nothing, exit 1 unless the committed bytes are the same
#
# The committed bytes are those of Debian's rustc of the version below. A compiler of the same version from another
# place brings a standard library that was compiled elsewhere, so its modules do the same but differ in bytes: with it,
# build and test, but expect --check to say so. Two ways to have a compiler:
#
# 1. The reference (also where rustup's downloads cannot be reached): a Debian system of its own in a folder.
#      debootstrap --variant=minbase \
#        --include=rustc,cargo,libstd-rust-dev-wasm32,lld,libc6-dev,gcc,ca-certificates forky DIR
#      LATENTBOX_WASM_ROOT=DIR codec/native/build.sh --check          (as root: it uses chroot)
#    A debootstrap that is older than the suite takes, behind DIR, a Debian mirror and the script of sid:
#      MIRROR /usr/share/debootstrap/scripts/sid
# 2. Any machine with rustup:
#      rustup toolchain install 1.97.1 --target wasm32-unknown-unknown && codec/native/build.sh
set -eu

RUST_VERSION=1.97.1
TARGET=wasm32-unknown-unknown
native=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
codec=$(dirname -- "$native")
root=${LATENTBOX_WASM_ROOT:-}

check=no
if [ "${1:-}" = --check ]; then
  check=yes
  shift
fi
if [ $# -eq 0 ]; then
  for manifest in "$native"/*/Cargo.toml; do set -- "$@" "$(basename "$(dirname "$manifest")")"; done
fi

# Cargo mixes a crate's path into its symbols, and their order follows: sources are always built in one place.
place=/var/tmp/latentbox-wasm
work=$root$place
rm -rf "$work/src"
mkdir -p "$work/src" "$work/cargo"
trap 'rm -rf "$work/src"' EXIT

inside() {
  if [ -n "$root" ]; then
    # An outer machine's certificates and resolver, so that cargo can fetch the crates that Cargo.lock pins by hash.
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    cp "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$root/etc/ssl/certs/ca-certificates.crt"
    chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME="$place" \
      ${HTTPS_PROXY:+HTTPS_PROXY="$HTTPS_PROXY"} /bin/sh -euc "$1"
  else
    RUSTUP_TOOLCHAIN=$RUST_VERSION /bin/sh -euc "$1"
  fi
}

found=$(inside 'rustc --version')
case $found in
  "rustc $RUST_VERSION "*) ;;
  *) echo "build.sh: needs rustc $RUST_VERSION, found: $found" >&2; exit 2 ;;
esac

# rustup's rustc brings its own linker for this target, Debian's uses the system's.
linker=
if inside 'test -x /usr/bin/wasm-ld && ! command -v rustup >/dev/null'; then linker='-C linker=/usr/bin/wasm-ld'; fi

status=0
for crate in "$@"; do
  mkdir -p "$work/src/$crate"
  cp -R "$native/$crate/Cargo.toml" "$native/$crate/Cargo.lock" "$native/$crate/src" "$work/src/$crate/"
  # The remapping keeps every path of the building machine out of panic messages.
  inside "cd $place/src/$crate
    export CARGO_HOME=$place/cargo CARGO_TARGET_DIR=$place/src/target CARGO_INCREMENTAL=0
    export RUSTFLAGS='-C target-feature=+simd128 $linker --remap-path-prefix=$place/src=/src --remap-path-prefix=$place/cargo/registry/src=/crates'
    cargo build --quiet --release --locked --lib --target $TARGET"
  built=$work/src/target/$TARGET/release/latentbox_$crate.wasm
  committed=$codec/$crate/$crate.wasm
  if [ $check = no ]; then
    mkdir -p "$codec/$crate"
    cp "$built" "$committed"
    echo "built $crate.wasm: $(wc -c <"$committed") bytes, sha256 $(sha256sum <"$committed" | cut -d' ' -f1)"
  elif cmp -s "$built" "$committed"; then
    echo "same $crate.wasm"
  else
    echo "DIFFERENT $crate.wasm: built $(sha256sum <"$built" | cut -d' ' -f1) by $found, committed $(sha256sum <"$committed" 2>/dev/null | cut -d' ' -f1)" >&2
    status=1
  fi
done
exit $status
