#!/usr/bin/env bash
# Runs Tally with a simulated company and its live traffic, until Ctrl-C.
#
#   DEMO_PORT=8080     where Tally listens; DEMO_SIM_PORT, where its simulated providers
#                      do, is 10 higher
#   DEMO_SECONDS=60    ends by itself after so long, with exit code 0
#   DEMO_RATE=4        calls per second in office hours
#   DEMO_PEOPLE=300    how large the company is, and DEMO_DAYS=90, how long its history;
#                      another company needs another folder, DEMO_DATA
set -euo pipefail
cd "$(dirname "$0")/.."

port=${DEMO_PORT:-8080}
sim_port=${DEMO_SIM_PORT:-$((port + 10))}

fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

require_free() {
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
        fail "something already listens on port $1; choose another, such as $2=$(($1 + 1000)) make demo"
    fi
}

require_free "$port" DEMO_PORT
require_free "$sim_port" DEMO_SIM_PORT
scripts/setup.sh build
cargo build --release -p tally
exec target/release/tally demo \
    --listen "127.0.0.1:$port" --sim-listen "127.0.0.1:$sim_port" \
    --demo-data "${DEMO_DATA:-target/demo-data}" --seconds "${DEMO_SECONDS:-0}" \
    --rate "${DEMO_RATE:-4}" --people "${DEMO_PEOPLE:-300}" --days "${DEMO_DAYS:-90}"
