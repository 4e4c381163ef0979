#!/bin/sh
# Records golden traces of real guests into traces/golden/v<version>-real, which must not be there: a golden trace is never
# written again. Give the command to record with, or have `provium` in the path.
set -eu
cd "$(dirname "$0")/../.."
provium=${1:-provium}
into=traces/golden/v${2:-2}-real
if [ -e "$into" ]; then
    echo "$into is there already: golden traces stay as they are" >&2
    exit 1
fi
suite=tests/lua
# What fails here fails on purpose.
"$provium" --backend qemu --record always --quiet --traces "$into" "$suite/concurrent_writers.test.lua" \
    "$suite/worker.test.lua" "$suite/worker_join.test.lua" "$suite/lock.test.lua" "$suite/stream.test.lua" \
    "$suite/process.test.lua" "$suite/console.test.lua" tests/lua-failing/endless_loop.test.lua tests/lua-failing/error_in_worker.test.lua || [ $? -le 2 ]
