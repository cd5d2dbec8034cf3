#!/usr/bin/env bash
# Fetches what building and testing need and this machine lacks.
#
#   scripts/setup.sh build   libduckdb, which Tally links against
#   scripts/setup.sh web     the packages that the web interface is built with
#   scripts/setup.sh browser these, and a Chromium for the browser tests
#   scripts/setup.sh focus   libduckdb, and the official validator of FOCUS exports
#   scripts/setup.sh test    all of it, and the tools that CI runs (default)
#
# Nothing is done twice: what is in place is recognised and left alone. Nothing is
# installed outside this folder but cargo's own tools and, as root on Debian and its
# kin, Chromium; elsewhere CHROMIUM=/path/to/chromium names the one to use.
set -euo pipefail
cd "$(dirname "$0")/.."

# The npm package that carries DuckDB's official library: building it from source
# takes over 20 minutes.
duckdb_version=1.5.6-r.1
nextest_version=0.9.143
deny_version=0.20.2

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
need() { command -v "$1" >/dev/null || fail "\`$1\` is missing; $2"; }

main() {
    case "${1:-test}" in
        build) duckdb ;;
        web) web_packages ;;
        browser) web_packages; browser ;;
        focus) duckdb; python_clients; focus_validator ;;
        test)
            duckdb; python_clients; focus_validator; web_packages
            cargo_tool nextest "$nextest_version"; cargo_tool deny "$deny_version"
            browser ;;
        *) fail "unknown step \`$1\`; expected build, web, browser, focus or test" ;;
    esac
}

# --- libduckdb -----------------------------------------------------------------

duckdb() {
    local platform library package
    platform=$(duckdb_platform)
    library=libduckdb.so
    [[ $platform == darwin-* ]] && library=libduckdb.dylib
    package="@duckdb/node-bindings-$platform@$duckdb_version"
    if [[ -f .duckdb/$library && "$(cat .duckdb/PACKAGE 2>/dev/null)" == "$package" ]]; then
        return
    fi
    need npm "install Node 20 or newer"
    need python3 "install Python 3"
    say "fetching $library from the npm package $package"
    fetch_duckdb "$platform" "$package" "$library"
    say "$library is in .duckdb"
}

duckdb_platform() {
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) echo linux-x64 ;;
        Linux-aarch64 | Linux-arm64) echo linux-arm64 ;;
        Darwin-arm64) echo darwin-arm64 ;;
        Darwin-x86_64) echo darwin-x64 ;;
        *) fail "DuckDB has no prebuilt library for $(uname -sm); build with \`--features bundled\`" ;;
    esac
}

# What the registry said when this version was chosen, for the platforms that could
# be checked then. Elsewhere npm's own check against the registry has to do.
pinned_integrity() {
    case "$1@$duckdb_version" in
        linux-x64@1.5.6-r.1)
            echo sha512-IXcrZJE6kEqM0Z4wwdVnGBHX/frOS33VPNAwDXQ/Q+Fs84b058Qe94chrCCIcNJlG8Y3UHIUU4eBeCQxW5mN1Q== ;;
    esac
}

# A function's body in parentheses is a subshell, so that the folder goes whatever happens.
fetch_duckdb() (
    platform=$1 package=$2 library=$3
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    if ! (cd "$work" && npm pack --silent --ignore-scripts "$package" >packed 2>errors); then
        cat "$work/errors" >&2
        fail "npm cannot fetch $package; is the registry reachable?"
    fi
    archive=$work/$(tail -n 1 "$work/packed")
    expected=$(pinned_integrity "$platform")
    found=$(sha512 "$archive")
    if [[ -z $expected ]]; then
        say "no checksum is pinned for $platform; npm checked the registry's: $found"
    elif [[ $found != "$expected" ]]; then
        fail "$package is not what was pinned: expected $expected, found $found"
    fi
    tar -xzf "$archive" -C "$work"
    [[ -f $work/package/$library ]] || fail "$package holds no $library"
    mkdir -p .duckdb
    # Moved into place whole: a build may be running.
    cp "$work/package/$library" ".duckdb/$library.new"
    mv -f ".duckdb/$library.new" ".duckdb/$library"
    for license in "$work"/package/LICENSE*; do
        [[ -f $license ]] && cp "$license" .duckdb/
    done
    echo "$package" >.duckdb/PACKAGE
)

sha512() {
    python3 - "$1" <<'PYTHON'
import base64, hashlib, pathlib, sys
digest = hashlib.sha512(pathlib.Path(sys.argv[1]).read_bytes()).digest()
print("sha512-" + base64.b64encode(digest).decode())
PYTHON
}

# --- Python clients --------------------------------------------------------------

python_clients() {
    local lock=tests/sdk/requirements.lock
    if [[ -x .venv/bin/python ]] && cmp -s "$lock" .venv/requirements.lock; then
        return
    fi
    need python3 "install Python 3"
    say "making .venv with the Python clients of $lock"
    # Without a stamp, a set-up that was interrupted begins again.
    rm -f .venv/requirements.lock
    if ! python3 -m venv .venv; then
        fail "python3 cannot make a virtual environment; on Debian, install python3-venv"
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --require-hashes --requirement "$lock"
    cp "$lock" .venv/requirements.lock
    say "the Python clients are in .venv"
}

# The official validator of FOCUS exports, beside the clients: its lock holds to theirs.
focus_validator() {
    local lock=tests/focus/requirements.lock
    if cmp -s "$lock" .venv/focus.lock; then
        return
    fi
    say "adding the FOCUS validator of $lock to .venv"
    rm -f .venv/focus.lock
    # It declares Python 3.12 and runs on 3.11, with one line changed.
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
        --ignore-requires-python --require-hashes --requirement "$lock"
    .venv/bin/python tests/focus/patch_validator.py
    cp "$lock" .venv/focus.lock
    say "the FOCUS validator is in .venv"
}

# --- the web interface ------------------------------------------------------------

web_packages() {
    local lock=web/package-lock.json
    # npm writes this file last, so an installation that was interrupted begins again.
    if [[ web/node_modules/.package-lock.json -nt $lock ]]; then
        return
    fi
    need npm "install Node 20 or newer"
    say "installing the packages of $lock"
    if ! (cd web && npm ci --no-audit --no-fund --loglevel=error); then
        fail "npm cannot install the packages of $lock; is the registry reachable?"
    fi
    touch web/node_modules/.package-lock.json
}

browser() {
    if [[ -n ${CHROMIUM:-} ]]; then
        [[ -x $CHROMIUM ]] || fail "CHROMIUM names \`$CHROMIUM\`, which cannot be run"
        return
    fi
    if command -v chromium chromium-browser google-chrome >/dev/null; then
        return
    fi
    if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
        fail "the browser tests need Chromium: install it, and name it with CHROMIUM=/path/to/chromium"
    fi
    say "installing Debian's Chromium"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
    [[ -x /usr/bin/chromium ]] || fail "apt installed no /usr/bin/chromium; name one with CHROMIUM=/path/to/chromium"
    say "$(/usr/bin/chromium --version 2>/dev/null || echo Chromium) is installed"
}

# --- cargo's tools ---------------------------------------------------------------

cargo_tool() {
    local tool=$1 version=$2
    need cargo "install Rust"
    if cargo "$tool" --version >/dev/null 2>&1; then
        return
    fi
    say "installing cargo-$tool $version, which takes some minutes"
    cargo install --locked --version "$version" "cargo-$tool"
}

main "$@"
