#!/bin/sh
# lpot-tune end to end on DS-CNN: the same trials for 1, 2, 3 and 5 ranks, resume after kill -9,
# refusals, export, exit codes. Usage: tune_test.sh LPOT_TUNE CONFIG
if [ -z "$LPOT_TEST_DATA" ]; then
  echo "SKIPPED program: LPOT_TEST_DATA is not set"
  exit 0
fi
program=$1
config=$2
model=$LPOT_TEST_DATA/models/dscnn_kws.onnx
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
OMPI_ALLOW_RUN_AS_ROOT=1
OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM
failures=0
background= # not empty: tune only starts the program, and leaves its process in pid

fail() {
  echo "FAILED: $*"
  cat "$work/err"
  failures=$((failures + 1))
}

# tune RANKS WORKSPACE OPTIONS...: runs it; leaves rc, $work/out and $work/err.
tune() {
  ranks=$1
  workspace=$2
  shift 2
  set -- "$program" --progress none -w "$work/$workspace" \
    --set evaluation.accuracy.dataloader.dataset.npy.inputs="$LPOT_TEST_DATA/kws/features.npy" \
    --set evaluation.accuracy.dataloader.dataset.npy.labels="$LPOT_TEST_DATA/kws/labels.npy" \
    --set evaluation.performance.iteration=3 --set tuning.op_times=false "$@" "$config" "$model"
  if [ "$ranks" -gt 0 ]; then
    set -- mpiexec --oversubscribe -n "$ranks" "$@"
  fi
  if [ -n "$background" ]; then
    "$@" >"$work/out" 2>"$work/err" &
    pid=$!
    return
  fi
  "$@" >"$work/out" 2>"$work/err"
  rc=$?
}

# Id, stage, hash, number of int8 ops, accuracy and loss of each trial.
trials() {
  sed 's/^\*/ /' "$1" | awk '$1 ~ /^[0-9]+$/ { print $5 == "about" ? $0 : $1 " " $2 " " $3 " " $4 " " $5 " " $6 }'
}

expect_rc() {
  [ "$rc" -eq "$1" ] || fail "$2: exit code $rc, expected $1"
}

unreachable="--set tuning.accuracy_criterion.relative=-0.01"

# The same trials for any number of ranks, on strategies with and without feedback.
for strategy in random basic; do
  for ranks in 0 1 2 3 5; do
    tune $ranks "same-$strategy-$ranks" $unreachable --set tuning.strategy.name=$strategy
    expect_rc 5 "$strategy on $ranks ranks"
    trials "$work/out" >"$work/trials-$strategy-$ranks"
    cmp -s "$work/trials-$strategy-0" "$work/trials-$strategy-$ranks" ||
      fail "$strategy: trials of $ranks ranks differ"
    cmp -s "$work/same-$strategy-0/best_recipe.yaml" "$work/same-$strategy-$ranks/best_recipe.yaml" ||
      fail "$strategy: the recipe of $ranks ranks differs"
  done
  [ "$(wc -l <"$work/trials-$strategy-0")" -eq 12 ] || fail "$strategy: expected 12 trials"
done

# Racing changes how many samples a rejected trial is evaluated on, not which trials there are.
grep -q 'no after [0-9]* samples$' "$work/trials-random-0" || fail "racing: no trial was cut short"
tune 2 unraced $unreachable --set tuning.strategy.name=random --set tuning.racing=false
expect_rc 5 "racing off"
trials "$work/out" | grep -q 'samples$' && fail "racing off: a trial was cut short"
trials "$work/out" | awk '{ print $3 }' >"$work/trials-unraced"
awk '{ print $3 }' "$work/trials-random-0" | sed 's/^\*//' | cmp -s - "$work/trials-unraced" ||
  fail "racing off: other trials"

# A criterion that can be met ends the search at the first trial that meets it.
tune 3 met --json
expect_rc 0 "criterion met"
grep -q '"verdict": "met", "exit_code": 0' "$work/out" || fail "json: $(cat "$work/out")"
for file in best_model.onnx best_recipe.yaml deploy.yaml history.h5 trials.journal; do
  [ -s "$work/met/$file" ] || fail "$file is missing"
done

# An existing journal is refused untouched, resumed on request, and not for another seed.
before=$(cksum <"$work/met/trials.journal")
tune 2 met
expect_rc 2 "existing journal"
[ "$before" = "$(cksum <"$work/met/trials.journal")" ] || fail "the refused journal was changed"
tune 2 met --resume --seed 3
expect_rc 2 "resume with another seed"
grep -q "tuning.random_seed was '9527', is now '3' (--set tuning.random_seed)" "$work/err" ||
  fail "the difference is not named: $(cat "$work/err")"
tune 2 met --resume
expect_rc 0 "resume"

# A damaged journal is no fault of the model: exit code 1, also for export.
cp -r "$work/met" "$work/damaged"
printf 'x' | dd of="$work/damaged/trials.journal" bs=1 seek=5 conv=notrunc 2>/dev/null
tune 2 damaged --resume
expect_rc 1 "damaged journal"
grep -q "^error: .*trials.journal': journal is damaged" "$work/err" || fail "damaged journal: not said"
"$program" export "$work/damaged" --trial 1 >"$work/out" 2>"$work/err"
rc=$?
expect_rc 1 "export from a damaged journal"

# status tells of an ended run, and of a running one without disturbing it; rebuild makes history.h5
# again, object by object the same, but not under a running job.
"$program" status --json "$work/met" >"$work/out" 2>"$work/err"
rc=$?
expect_rc 0 "status"
grep -q '^{"running": false, .*"verdict": "met", ' "$work/out" || fail "status: $(cat "$work/out")"
"$program" status "$work/damaged" >"$work/out" 2>"$work/err"
rc=$?
expect_rc 1 "status of a damaged journal"
"$program" status "$work" >"$work/out" 2>"$work/err"
rc=$?
expect_rc 1 "status without a journal"
[ "$(grep -c '^error: ' "$work/err")" -eq 1 ] || fail "status without a journal: not one line"
for run in met same-basic-3; do
  mv "$work/$run/history.h5" "$work/history.h5"
  "$program" rebuild "$work/$run" >"$work/out" 2>"$work/err"
  rc=$?
  expect_rc 0 "rebuild"
  h5dump -m %.17g "$work/history.h5" | sed 1d >"$work/dump"
  h5dump -m %.17g "$work/$run/history.h5" | sed 1d | cmp -s - "$work/dump" || fail "rebuild: history.h5 differs"
  [ "$(wc -l <"$work/dump")" -gt 100 ] || fail "rebuild: h5dump has little to say"
done

# report.html was written by the run, and can be made again.
checker=$(dirname "$0")/check_report.py
for run in met same-basic-3; do
  python3 "$checker" "$work/$run/report.html" "criterion is" "is handed out" "Ops of the chosen recipe" "Effective configuration" ||
    fail "report of $run"
  mv "$work/$run/report.html" "$work/report.html"
  "$program" report "$work/$run" >"$work/out" 2>"$work/err"
  rc=$?
  expect_rc 0 "report"
  cmp -s "$work/report.html" "$work/$run/report.html" || fail "report: made again it differs"
done
"$program" report "$work" >"$work/out" 2>"$work/err"
rc=$?
expect_rc 1 "report without a journal"

background=yes
tune 3 watched $unreachable
background=
waits=0
while [ ! -s "$work/watched/trials.journal" ] && [ $waits -lt 300 ]; do
  waits=$((waits + 1))
  sleep 0.05
done
"$program" status "$work/watched" >"$work/status" 2>&1 || fail "status of a running job: $(cat "$work/status")"
grep -q '^State:  *running, ' "$work/status" || fail "status of a running job: $(cat "$work/status")"
"$program" rebuild "$work/watched" >"$work/rebuild" 2>&1
[ $? -eq 2 ] || fail "rebuild under a running job: $(cat "$work/rebuild")"
grep -q 'is in use' "$work/rebuild" || fail "rebuild under a running job: $(cat "$work/rebuild")"
wait "$pid"
rc=$?
expect_rc 5 "the watched run"
trials "$work/out" | cmp -s - "$work/trials-basic-0" || fail "the watched run: trials differ"
"$program" status "$work/watched" >"$work/out" 2>"$work/err"
grep -q '^State:  *not running, ' "$work/out" || fail "status of an ended job: $(cat "$work/out")"
grep -q '^Verdict:  *not_met$' "$work/out" || fail "status of an ended job: $(cat "$work/out")"

# Killed at some moments, resumed with another number of ranks: the same trials.
for moment in 0.6 1.2 2.0; do
  rm -rf "$work/killed"
  background=yes
  tune 0 killed $unreachable --set tuning.strategy.name=random
  background=
  sleep $moment
  kill -KILL "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
  tune 2 killed --resume $unreachable --set tuning.strategy.name=random
  expect_rc 5 "resume after kill"
  trials "$work/out" | cmp -s - "$work/trials-random-0" || fail "killed after $moment s: trials differ"
done

# A recorded trial can be exported, and its recipe evaluated again to the same accuracy.
"$program" export "$work/same-basic-3" --trial 2 >"$work/out" 2>"$work/err"
rc=$?
expect_rc 0 "export"
cp -r "$LPOT_TEST_DATA/kws" "$work/kws"
tune 0 moved --set evaluation.accuracy.dataloader.dataset.npy.inputs="$work/kws/features.npy"
rm -r "$work/kws"
"$program" export "$work/moved" --trial 1 >"$work/out" 2>"$work/err"
rc=$?
expect_rc 1 "export without its data"
grep -q '^error: /.*[.]yaml (as in trials.journal):[0-9]*:[0-9]*: ' "$work/err" || fail "export without its data: place"
tune 1 given --recipe "$work/same-basic-3/trial_2/recipe.yaml" --set tuning.accuracy_criterion.relative=0.5
expect_rc 0 "given recipe"
[ "$(trials "$work/out" | awk '{ print $3, $5 }')" = "$(sed -n 2p "$work/trials-basic-0" | awk '{ print $3, $5 }')" ] ||
  fail "the given recipe has another hash or accuracy"

# bf16 where the configuration names it: exported in f32, and evaluated in that form too.
if grep -qE 'avx512_bf16|amx_bf16' /proc/cpuinfo; then
  tune 2 bf16 --set quantization.model_wise.activation.dtype=bf16
  expect_rc 0 "bf16"
  grep -q ' in bf16\.$' "$work/out" || fail "bf16: no op of the verdict is in bf16"
  grep -q '^Exported: bf16 ops in f32' "$work/out" || fail "bf16: the exported form was not evaluated"
  grep -q '_bf16' "$work/bf16/best_model.onnx" && fail "bf16: the exported model has bf16 tensors"
  grep -q 'dtype: bf16' "$work/bf16/best_recipe.yaml" || fail "bf16: the recipe has lost it"
  tune 2 bf16 --set quantization.model_wise.activation.dtype=bf16 --resume
  expect_rc 0 "resume with bf16"
  ONEDNN_MAX_CPU_ISA=AVX2
  export ONEDNN_MAX_CPU_ISA
  tune 1 refused --recipe "$work/bf16/best_recipe.yaml"
  unset ONEDNN_MAX_CPU_ISA
  expect_rc 3 "recipe with bf16 on AVX2"
fi
for isa in AVX2 AVX512_CORE_VNNI; do
  ONEDNN_MAX_CPU_ISA=$isa
  export ONEDNN_MAX_CPU_ISA
  tune 1 refused --set quantization.model_wise.activation.dtype=bf16
  unset ONEDNN_MAX_CPU_ISA
  expect_rc 3 "bf16 on $isa"
  grep -q '^error: .*model_wise.activation.dtype: bf16 needs a processor' "$work/err" || fail "bf16 on $isa: no place"
done

# A relative criterion needs a baseline other than 0: chance never gives the first class.
sed '/npy:/,/labels:/d; s/dataset:/dataset: {dummy: {shape: [50, 1, 49, 10], label: true}}/' \
  "$config" >"$work/dummy.yaml"
"$program" -w "$work/zero" "$work/dummy.yaml" "$model" >"$work/out" 2>"$work/err"
rc=$?
expect_rc 3 "relative criterion with a baseline of 0"
grep -q '^error: .*dummy.yaml:.*accuracy_criterion.relative: the f32 baseline is 0' "$work/err" ||
  fail "baseline of 0: not said"
[ "$(grep -c '^error: ' "$work/err")" -eq 1 ] || fail "baseline of 0: not one line"
sed 's/relative: .*/absolute: 0.1/' "$work/dummy.yaml" >"$work/absolute.yaml"
"$program" -w "$work/absolute" --set evaluation.performance.iteration=3 "$work/absolute.yaml" "$model" \
  >"$work/out" 2>"$work/err"
rc=$?
expect_rc 0 "absolute criterion with a baseline of 0"
grep -q nan "$work/out" && fail "baseline of 0: nan in the report"

# Bad input: one clear line, the right exit code, no hang.
for ranks in 1 2 8; do
  tune $ranks bad --set evaluation.accuracy.dataloader.dataset.npy.inputs=/nonexistent.npy
  expect_rc 1 "missing data on $ranks ranks"
  [ "$(grep -c '^error: ' "$work/err")" -eq 1 ] || fail "missing data: not one line"
  tune $ranks bad --set tuning.nonsense=1
  expect_rc 3 "unknown key on $ranks ranks"
  export LPOT_ENGINE=referense
  tune $ranks bad
  unset LPOT_ENGINE
  expect_rc 2 "unknown engine on $ranks ranks"
  [ "$(grep '^error: ' "$work/err")" = "error: LPOT_ENGINE: engine 'referense' is unknown, expected onednn or reference (did you mean 'reference'?)" ] ||
    fail "unknown engine: not one line, or another one"
  tune $ranks /../../proc/nonexistent
  expect_rc 1 "unwritable workspace on $ranks ranks"
  head -c 1000 "$LPOT_TEST_DATA/models/dscnn_kws.onnx" >"$work/short.onnx"
  model=$work/short.onnx
  tune $ranks bad
  expect_rc 4 "truncated model on $ranks ranks"
  model=$LPOT_TEST_DATA/models/dscnn_kws.onnx
done
tune 0 bad --log-level silent --set tuning.nonsense=1
expect_rc 3 "unknown key, silent"
[ -s "$work/err" ] && fail "log level silent: something was logged"

[ $failures -eq 0 ] && echo "all passed"
exit $failures
