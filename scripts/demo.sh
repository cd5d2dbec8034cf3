#!/usr/bin/env bash
# Runs Tally with a small simulated company and live traffic, until Ctrl-C.
#
#   DEMO_PORT=8080     where Tally listens; DEMO_SIM_PORT, where its simulated provider
#                      does, is 10 higher
#   DEMO_SECONDS=60    ends by itself after so long, with exit code 0
#   DEMO_RATE=2        tasks per second
set -euo pipefail
cd "$(dirname "$0")/.."

port=${DEMO_PORT:-8080}
sim_port=${DEMO_SIM_PORT:-$((port + 10))}
rate=${DEMO_RATE:-2}
seconds=${DEMO_SECONDS:-0}
data=target/demo-data
tally=target/release/tally
address=http://127.0.0.1:$port
refresh_seconds=15
children=()

say() { printf 'demo: %s\n' "$*"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# Ends what was started here, and nothing else.
stop_children() {
    trap - EXIT INT TERM
    local child
    for child in "${children[@]-}"; do
        [[ -n $child ]] && kill "$child" 2>/dev/null
    done
    for child in "${children[@]-}"; do
        [[ -n $child ]] && wait "$child" 2>/dev/null
    done
    return 0
}
trap stop_children EXIT
trap 'exit 0' INT TERM

main() {
    require_free "$port" DEMO_PORT
    require_free "$sim_port" DEMO_SIM_PORT
    scripts/setup.sh demo
    cargo build --release -p tally
    start_tally
    start_traffic
    show
}

require_free() {
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
        fail "something already listens on port $1; choose another, such as $2=$(($1 + 1000)) make demo"
    fi
}

start_tally() {
    mkdir -p "$data"
    # Only its owner may read what holds keys.
    chmod 700 "$data"
    "$tally" demo --demo-data "$data" --listen "127.0.0.1:$port" \
        --sim-listen "127.0.0.1:$sim_port" >"$data/tally.log" 2>&1 &
    children+=($!)
    local child=$! waited=0
    until answers "$address/readyz"; do
        if ! kill -0 "$child" 2>/dev/null; then
            cat "$data/tally.log" >&2
            fail "Tally did not start; its output is above"
        fi
        ((waited += 1))
        ((waited < 300)) || { cat "$data/tally.log" >&2; fail "Tally is not ready after 60 seconds"; }
        sleep 0.2
    done
}

# Python is here anyway; curl may not be.
answers() {
    .venv/bin/python - "$1" 2>/dev/null <<'PYTHON'
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
sys.exit(0 if opener.open(sys.argv[1], timeout=2).status == 200 else 1)
PYTHON
}

start_traffic() {
    .venv/bin/python demo/traffic.py --env "$data/demo.env" --rate "$rate" >"$data/traffic.log" 2>&1 &
    children+=($!)
}

# Unlike a plain sleep, this ends at once on Ctrl-C.
pause() {
    sleep "$1" &
    wait $!
}

ask() { "$tally" query "$@" --to "$address" --data "$data" || true; }

show() {
    local began=$SECONDS next=$refresh_seconds
    pause 8
    cat <<TEXT

Tally answers on $address, in front of a simulated provider.
  its people's keys     $data/demo.env
  the admin's key       $data/admin.key
  ask it                $tally query teams --to $address --data $data
  what it says          $data/tally.log, $data/traffic.log

TEXT
    say "who spends:"
    ask teams
    say "on which models:"
    ask models
    say "refreshed every $refresh_seconds seconds; Ctrl-C ends the demo"
    while ((seconds == 0 || SECONDS - began < seconds)); do
        alive
        pause 1
        ((next -= 1)) || { refresh; next=$refresh_seconds; }
    done
    say "$seconds seconds are over"
}

alive() {
    local child
    for child in "${children[@]}"; do
        kill -0 "$child" 2>/dev/null && continue
        tail -n 20 "$data/tally.log" "$data/traffic.log" >&2
        fail "a part of the demo ended by itself; its output is above"
    done
}

refresh() {
    printf '\n%s  %s\n' "$(date +%H:%M:%S)" "$(tail -n 1 "$data/traffic.log")"
    ask teams
}

main
