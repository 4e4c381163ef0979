#!/bin/sh
# Records the golden traces of the present version of the format into traces/golden/v<version>, which must not be there:
# a golden trace is never written again. Give the command to record with, or have `provium` in the path.
set -eu
cd "$(dirname "$0")/../.."
provium=${1:-provium}
into=traces/golden/v${2:-1}
if [ -e "$into" ]; then
    echo "$into is there already: golden traces stay as they are" >&2
    exit 1
fi
# What fails here fails on purpose.
record() { "$provium" --record always --quiet --traces "$into" "$@" || [ $? -le 2 ]; }
suite=tests/lua
record "$suite/concurrent_writers.test.lua" "$suite/stream.test.lua" "$suite/worker.test.lua" "$suite/worker_join.test.lua" \
    "$suite/programs.test.lua" "$suite/task.test.lua" "$suite/barrier.test.lua" "$suite/signals.test.lua" \
    "$suite/vm.test.lua" "$suite/lock.test.lua" "$suite/console.test.lua" tests/lua-portable/files.test.lua \
    tests/lua-failing/deadlock_of_tasks.test.lua tests/lua-failing/test_times_out.test.lua \
    tests/lua-failing/error_in_worker.test.lua tests/lua-failing/top_level_error.test.lua
record --seed 3 tests/lua-races/lost_update.test.lua "$suite/concurrent_writers.test.lua" "$suite/programs.test.lua"
