#!/bin/sh
# lpot-info: exit codes and messages. Usage: info_test.sh LPOT_INFO MODEL
program=$1
model=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# info EXIT_CODE TEXT ARGUMENTS...: runs it; TEXT must be in its output.
info() {
  expected=$1
  text=$2
  shift 2
  rc=0
  "$program" "$@" >"$work/out" 2>&1 || rc=$?
  if [ "$rc" -ne "$expected" ] || ! grep -q -- "$text" "$work/out"; then
    echo "FAILED: $*: exit code $rc, expected $expected and '$text'"
    cat "$work/out"
    failures=$((failures + 1))
  fi
}

info 0 "operators after normalisation" "$model"
info 0 "for a batch of 2" --profile --batch 2 --runs 3 "$model"
info 0 "^Usage: " --help
info 0 "^lpot-info [0-9]" --version
info 2 "unknown option.*--frob" --frob "$model"
info 2 "unknown option '-z'" --profile -pzh "$model"
info 2 "missing after '-b'" "$model" -pb
info 2 "an argument is missing after.*--runs" "$model" --runs
info 2 "expected a number of 1 to 1000000, got.*many" --profile --runs many "$model"
info 2 "expected one MODEL" "$model" "$model"
info 2 "--runs has no effect without --profile" -r 5 "$model"
info 2 "--batch has no effect without --profile" "$model" -b 5
info 2 "expected a number of 1 to 65536" -p -b 0 "$model"
export LPOT_ENGINE=fast
info 2 "^error: engine 'fast' is unknown, expected onednn or reference$" -p "$model"
unset LPOT_ENGINE
info 4 "'$work/none.onnx'" "$work/none.onnx"
info 4 "$work" "$work"
head -c 1000 "$model" >"$work/short.onnx"
info 4 "short.onnx" "$work/short.onnx"

[ $failures -eq 0 ] && echo "all passed"
exit $failures
