# Sourced by scripts that get what they miss: `retry` and `apt_install`.

# retry COMMAND...: up to four times, since package servers are not always there.
retry() {
  local n
  for n in 1 2 3 4; do
    "$@" </dev/null && return 0
    [ "$n" = 4 ] || { echo "failed, once more in $((n * 5)) s: $*" >&2; sleep $((n * 5)); }
  done
  return 1
}

# apt_install PACKAGE...: as root on Debian; elsewhere it says what is missing.
apt_install() {
  [ "$(id -u)" = 0 ] || { echo "please install: $*" >&2; return 1; }
  export DEBIAN_FRONTEND=noninteractive
  retry apt-get -o DPkg::Lock::Timeout=300 update -qq &&
    retry apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$@"
}
