#!/usr/bin/env bash
# The tables of docs/firmware.md, from budget.txt and limits.txt.
#
#   bash firmware/table.sh          fails where the page says something else
#   bash firmware/table.sh --write  writes them into the page

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
page=../docs/firmware.md

made=$(mktemp)
trap 'rm -f "$made"' EXIT
awk '
  # 10507 as 10,507
  function grouped(n) {
    n = n ""
    return length(n) > 3 ? grouped(substr(n, 1, length(n) - 3)) "," substr(n, length(n) - 2) : n
  }
  function is(target, image, what) {
    if (!((target, image, what) in budget)) { print "budget.txt has no " target, image, what >"/dev/stderr"; exit 1 }
    return budget[target, image, what]
  }
  # The most that an entry of the image needs.
  function most(target, image, what,   key, part, m) {
    for (key in budget) {
      split(key, part, SUBSEP)
      if (part[1] == target && part[2] == image && part[3] ~ "(^|-)" what "$" && budget[key] > m) m = budget[key]
    }
    return m
  }
  function cost(image, does, label, what,   t) {
    printf "| %s | %s | %s |", image ? "`" image "`" : "", does, label
    if (image) current = image
    for (t = 1; t <= 3; t++)
      printf " %s |", grouped(what == "stack" ? most(targets[t], current, what) : is(targets[t], current, what))
    print ""
  }
  function two(one, other,   t) {
    printf "| | | instructions, EA07 / EA11 |"
    for (t = 1; t <= 3; t++)
      printf " %s / %s |", grouped(is(targets[t], current, one)), grouped(is(targets[t], current, other))
    print ""
  }
  function costs() {
    print "| image | what it does | | Cortex-M0 | Cortex-M3 | RV32IMC |"
    print "|---|---|---|---|---|---|"
    cost("ea07", "validates and decodes credit under EA07, 50 token identifiers", "flash", "flash")
    cost("", "", "stack", "stack")
    cost("", "", "instructions", "validate-instructions")
    cost("derive", "EA07 and EA11 credit under keys derived by DKGA04", "flash", "flash")
    cost("", "", "stack", "stack")
    two("derive-open-ea07-instructions", "derive-open-ea11-instructions")
    cost("whole", "the whole `Meter`: profile, all ciphers, key change, lock-out", "flash", "flash")
    cost("", "", "stack", "stack")
    cost("", "", "state", "state")
    two("credit-ea07-instructions", "credit-ea11-instructions")
    cost("saved", "the same through the C interface, with the journal", "flash", "flash")
    cost("", "", "stack", "stack")
    cost("", "", "state, with the place in the journal", "state")
    cost("", "", "instructions, EA07 credit saved", "credit-instructions")
  }
  function of(image, what) {
    return (image, what) in limit ? grouped(most(m0, image, what)) " of " grouped(limit[image, what]) : ""
  }
  function limits(   n, image) {
    print "| image | flash | stack | state | instructions |"
    print "|---|---|---|---|---|"
    n = split("ea07 derive whole", image, " ")
    for (i = 1; i <= n; i++)
      print "| `" image[i] "` | " of(image[i], "flash") " | " of(image[i], "stack") " | " of(image[i], "state") " | " of(image[i], "instructions") " |"
  }
  function feature(image, variant, words,   name, more, state) {
    name = variant ? image "/" variant : image
    more = is(m0, name, "flash") - is(m0, image, "flash")
    more = variant ? (more < 0 ? "−" grouped(-more) : "+" grouped(more)) : ""
    state = image == "whole" ? grouped(is(m0, name, "state")) : ""
    print "| `" image "` | " words " | " grouped(is(m0, name, "flash")) " | " more " | " \
      grouped(most(m0, name, "stack")) " | " state " | " grouped(is(m0, name, entry[image] "-instructions")) " |"
  }
  function places(n) {
    print "| `whole` | " n " token identifiers instead of 50 | | | | " \
      grouped(is(m0, "whole", "state-" n "-identifiers")) " | |"
  }
  function features() {
    print "| image | | flash | | stack | state | instructions, EA07 |"
    print "|---|---|---|---|---|---|---|"
    entry["whole"] = "credit-ea07"
    entry["ea07"] = "validate"
    entry["derive"] = "derive-open-ea07"
    feature("whole", "", "`compact`, `ea09`, `ea11`")
    feature("whole", "no-ea09", "without `ea09`")
    feature("whole", "no-ea11", "without `ea11`")
    feature("whole", "no-ea09,no-ea11", "without both: EA07 alone")
    feature("whole", "fast", "without `compact`")
    feature("whole", "zeroize", "with `zeroize`")
    feature("whole", "seal", "with `seal`, and no token made")
    places(20)
    places(100)
    feature("ea07", "", "`compact`")
    feature("ea07", "fast", "without it: merged tables of 4 KiB")
    feature("derive", "", "`compact`, `ea11`, small SHA-256")
    feature("derive", "fast", "without `compact`")
    feature("derive", "fast-hash", "without the small SHA-256")
    feature("derive", "fast,fast-hash", "without both")
  }
  BEGIN {
    split("thumbv6m-none-eabi thumbv7m-none-eabi riscv32imc-unknown-none-elf", targets, " ")
    m0 = targets[1]
  }
  FILENAME == "budget.txt" { if (!/^#/) budget[$1, $2, $3] = $4; next }
  FILENAME == "limits.txt" { if (!/^#/) limit[$1, $2] = $3; next }
  /^<!-- firmware\/table.sh: / {
    print
    print ""
    if ($3 == "costs") costs()
    else if ($3 == "limits") limits()
    else if ($3 == "features") features()
    else { print "no table " $3 >"/dev/stderr"; exit 1 }
    print ""
    inside = 1
    next
  }
  /^<!-- end -->$/ { inside = 0 }
  !inside
' budget.txt limits.txt "$page" >"$made"

if [ "${1:-}" = --write ]; then
  cp "$made" "$page"
elif ! diff -u "$page" "$made"; then
  echo "docs/firmware.md is not what budget.txt says: bash firmware/table.sh --write" >&2
  exit 1
fi
