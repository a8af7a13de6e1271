#!/bin/sh
# Workspaces that cannot be written, or are in use: one line of error, the right exit code, no file
# harmed. Run in the example's folder.
#
#   workspace_test.sh LPOT_TUNE second    a second coordinator while the first one runs
#   workspace_test.sh LPOT_TUNE views     history.h5 and report.html cannot be written
#   workspace_test.sh LPOT_TUNE mounts    full and read-only file systems; needs the right to mount
program=$1
part=$2
work=$(mktemp -d)
pid=
mounted=
cleanup() {
  if [ -n "$pid" ]; then kill -KILL "$pid" 2>/dev/null; fi
  if [ -n "$mounted" ]; then umount "$work/device"; fi
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
failures=0

fail() {
  echo "FAILED: $*"
  cat "$work/err"
  failures=$((failures + 1))
}

# tune WORKSPACE OPTIONS...: a short run; leaves rc, $work/out and $work/err.
tune() {
  workspace=$1
  shift
  timeout 120 "$program" -w "$workspace" --progress none --set evaluation.performance.iteration=2 --set tuning.op_times=false \
    --set evaluation.accuracy.dataloader.dataset.shapes.samples=200 \
    --set quantization.calibration.sampling_size=50 \
    --set quantization.calibration.dataloader.dataset.shapes.samples=50 \
    "$@" example.yaml shapes.onnx >"$work/out" 2>"$work/err"
  rc=$?
}

# expect RC WHAT: the exit code, and exactly one line of error where it is a failure.
expect() {
  [ "$rc" -eq "$1" ] || fail "$2: exit code $rc, expected $1"
  errors=$(grep -c '^error: ' "$work/err")
  if [ "$1" -eq 1 ] || [ "$1" -eq 2 ]; then
    [ "$errors" -eq 1 ] || fail "$2: $errors lines of error"
  else
    [ "$errors" -eq 0 ] || fail "$2: $errors lines of error"
  fi
}

sums() {
  (cd "$1" && md5sum -- * | sort)
}

# Id, stage, hash, number of int8 ops, accuracy and loss of each trial.
trials() {
  sed 's/^\*/ /' "$1" | awk '$1 ~ /^[0-9]+$/ { print $1, $2, $3, $4, $5, $6 }'
}

# The first coordinator is stopped while the second one tries, so that only that one could write.
second() {
  unreachable="--set tuning.accuracy_criterion.relative=-0.5 --set tuning.exit_policy.max_trials=40"
  tune "$work/whole" $unreachable
  expect 5 "undisturbed"
  trials "$work/out" >"$work/trials"
  "$program" -w "$work/shared" --progress line --set evaluation.performance.iteration=2 --set tuning.op_times=false \
    --set evaluation.accuracy.dataloader.dataset.shapes.samples=200 \
    --set quantization.calibration.sampling_size=50 \
    --set quantization.calibration.dataloader.dataset.shapes.samples=50 \
    $unreachable example.yaml shapes.onnx >"$work/first" 2>"$work/first_err" &
  pid=$!
  waits=0
  while ! grep -q '^trial 2/' "$work/first_err" && [ $waits -lt 600 ]; do
    waits=$((waits + 1))
    sleep 0.05
  done
  kill -STOP "$pid" || fail "the first one has ended already"
  sums "$work/shared" >"$work/before"
  for option in --resume --json; do
    tune "$work/shared" $option $unreachable
    expect 2 "second coordinator with $option"
    grep -q 'is in use by another lpot-tune' "$work/err" || fail "second coordinator: not said"
  done
  sums "$work/shared" | cmp -s - "$work/before" || fail "the second coordinator has changed files"
  kill -CONT "$pid"
  wait "$pid"
  rc=$?
  pid=
  cp "$work/first_err" "$work/err"
  expect 5 "the first coordinator"
  trials "$work/first" | cmp -s - "$work/trials" || fail "the first coordinator: other trials"
}

# Both are made from the journal: the verdict stands without them, and they can be made later.
views() {
  tune "$work/whole"
  expect 0 "undisturbed"
  mkdir -p "$work/run/history.h5" "$work/run/report.html"
  tune "$work/run"
  expect 0 "history.h5 and report.html that cannot be written"
  for name in rebuild report; do
    grep -q "^warning: .*'lpot-tune $name $work/run' makes it" "$work/err" || fail "$name: not said"
  done
  rmdir "$work/run/history.h5" "$work/run/report.html"
  for name in rebuild report; do
    "$program" $name "$work/run" >"$work/out" 2>"$work/err"
    rc=$?
    expect 0 "$name"
  done
  for name in best_model.onnx best_recipe.yaml; do
    cmp -s "$work/run/$name" "$work/whole/$name" || fail "another $name"
  done
  [ -s "$work/run/history.h5" ] && [ -s "$work/run/report.html" ] || fail "they were not made"
}

# A device of so many KiB is full at some moment; made larger, the run goes on.
fill_up() {
  mount -t tmpfs -o "size=$1k" tmpfs "$work/device" || return
  mounted=yes
  tune "$work/device/run"
  if [ "$rc" -eq 0 ]; then
    expect 0 "device of $1 KiB"
  else
    expect 1 "device of $1 KiB"
    grep -q 'No space left on device' "$work/err" || fail "device of $1 KiB: the cause is not said"
    full=$((full + 1))
  fi
  mount -o remount,size=4m "$work/device"
  tune "$work/device/run" --resume
  expect 0 "device of $1 KiB, made larger"
  trials "$work/out" | cmp -s - "$work/trials" || fail "device of $1 KiB: other trials"
  cmp -s "$work/device/run/best_model.onnx" "$work/whole/best_model.onnx" ||
    fail "device of $1 KiB: another model"
  umount "$work/device"
  mounted=
}

read_only() {
  mount -t tmpfs -o size=4m tmpfs "$work/device" || return
  mounted=yes
  tune "$work/device/run"
  sums "$work/device/run" >"$work/before"
  mount -o remount,ro "$work/device"
  tune "$work/device/run" --resume
  expect 1 "resume in a read-only workspace"
  grep -q 'Read-only file system' "$work/err" || fail "read-only: the cause is not said"
  tune "$work/device/fresh"
  expect 1 "workspace in a read-only folder"
  "$program" rebuild "$work/device/run" >"$work/out" 2>"$work/err"
  rc=$?
  expect 1 "rebuild in a read-only workspace"
  "$program" status "$work/device/run" >"$work/out" 2>"$work/err"
  rc=$?
  expect 0 "status of a read-only workspace"
  sums "$work/device/run" | cmp -s - "$work/before" || fail "files of a read-only workspace differ"
  umount "$work/device"
  mounted=
}

mounts() {
  mkdir "$work/device"
  tune "$work/whole"
  expect 0 "undisturbed"
  trials "$work/out" >"$work/trials"
  full=0
  for size in 4 8 16 24 32 40 64 96 128 140 144 148 152 160 200; do
    fill_up $size
  done
  [ $full -ge 5 ] || fail "only $full of the devices were full"
  read_only
}

if [ "$part" = mounts ] && [ -z "$LPOT_UNSHARED" ]; then
  as_root=
  if [ "$(id -u)" -ne 0 ]; then as_root=-r; fi
  if ! unshare $as_root -m sh -c "mount -t tmpfs -o size=64k tmpfs '$work'" 2>/dev/null; then
    echo "SKIPPED program: no right to mount"
    exit 0
  fi
  LPOT_UNSHARED=yes unshare $as_root -m "$0" "$@"
  exit $?
fi
$part
[ $failures -eq 0 ] && echo "all passed"
exit $failures
