#!/usr/bin/env bash
# Follows docs/firmware.md in a fresh folder: runs every command of its `console` blocks, in C and in Rust,
# and compares what they print where the page says it.
#
#   bash firmware/first/run.sh
#
# Which compiler is used, and RUN_TOOLCHAIN: see ../tools.sh. As root on Debian it installs the C compiler
# and the emulator where they are missing.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. ../tools.sh
command -v arm-none-eabi-gcc >/dev/null || apt_install gcc-arm-none-eabi
command -v qemu-system-arm >/dev/null || apt_install qemu-system-arm

toolchain thumbv6m-none-eabi
unset CARGO_TARGET_DIR
if [ "${cargo[0]}" != cargo ]; then
  # Debian's has no targets to add, and says nothing about those of rustup.
  rustup() { :; }
  cargo() { "${cargo[@]}" "$@"; }
fi

root=$(cd ../.. && pwd)
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
ln -s "$root" "$fresh/sts"
cd "$fresh"

ran=0
command=
expected=
# Runs the command that was read, and compares.
run() {
  [ -n "$command" ] || return 0
  echo "\$ $command"
  # In this shell, since a command may go into a folder.
  eval "$command" >"$fresh/printed" 2>&1 </dev/null || { cat "$fresh/printed"; exit 1; }
  if [ -n "$expected" ] && [ "$expected" != "$(cat "$fresh/printed")"$'\n' ]; then
    printf 'printed:\n%s\nthe page says:\n%s' "$(cat "$fresh/printed")" "$expected" >&2
    exit 1
  fi
  ran=$((ran + 1))
  command=
  expected=
}

inside=
while IFS= read -r line; do
  case $line in
    '```console') inside=1 ;;
    '```') [ -z "$inside" ] || run; inside= ;;
    *)
      [ -n "$inside" ] || continue
      case $line in
        '$ '*) run; command=${line#\$ } ;;
        # A line that goes on stands further in.
        '    '*) command+=$'\n'$line ;;
        *) expected+=$line$'\n' ;;
      esac
      ;;
  esac
done < <(cat "$root/docs/firmware.md")
[ "$ran" -gt 0 ] || { echo "the page has no commands" >&2; exit 1; }
echo "docs/firmware.md: $ran commands ran, and printed what it says"
