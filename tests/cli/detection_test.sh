#!/bin/sh
# lpot-tune with configs/detection.yaml on a face detector and photographs labelled by hand:
# data set in COCO's form, non-maximum suppression, mAP; the same with 1 and 3 ranks, and exit codes.
# Usage: detection_test.sh LPOT_TUNE DETECTION_YAML FACES_JSON
if [ -z "$LPOT_TEST_DATA" ]; then
  echo "SKIPPED program: LPOT_TEST_DATA is not set"
  exit 0
fi
program=$1
config=$2
faces=$3
model=$LPOT_TEST_DATA/models/ultraface_rfb320.onnx
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
OMPI_ALLOW_RUN_AS_ROOT=1
OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM
failures=0

fail() {
  echo "FAILED: $*"
  cat "$work/err"
  failures=$((failures + 1))
}

# tune RANKS WORKSPACE OPTIONS...: leaves rc, $work/out and $work/err.
tune() {
  ranks=$1
  workspace=$2
  shift 2
  (cd "$work" && exec mpiexec --oversubscribe -n "$ranks" "$program" -w "$workspace" \
    --progress line --set evaluation.performance.iteration=6 --set tuning.op_times=false "$@" "$config" "$model") \
    >"$work/out" 2>"$work/err"
  rc=$?
}

mkdir -p "$work/coco/annotations"
ln -s "$LPOT_TEST_DATA/imagenet-sample/val" "$work/coco/val2017"
ln -s "$LPOT_TEST_DATA/imagenet-sample" "$work/calibration"
cp "$faces" "$work/coco/annotations/instances_val2017.json"

tune 1 one
[ $rc -eq 0 ] || fail "one rank: exit code $rc"
# ONNX Runtime with pycocotools gives 0.697 on images that Pillow made smaller.
baseline=$(sed -n 's/^f32 baseline: mAP \(0\.[0-9]*\) on 12 samples$/\1/p' "$work/err")
awk -v value="$baseline" 'BEGIN { exit !(value > 0.69 && value < 0.70) }' ||
  fail "baseline '$baseline'"
trials=$(sed -n 's/^\(trial [^,]*, .* accuracy [0-9.]*\) .*/\1/p' "$work/err")
[ -n "$trials" ] || fail "no trials"
[ -s "$work/one/best_model.onnx" ] || fail "no model"
grep -q NonMaximumSuppression "$work/one/deploy.yaml" || fail "deploy.yaml lacks the postprocess"

tune 3 three
[ $rc -eq 0 ] || fail "three ranks: exit code $rc"
[ "$trials" = "$(sed -n 's/^\(trial [^,]*, .* accuracy [0-9.]*\) .*/\1/p' "$work/err")" ] ||
  fail "three ranks made other trials than one: $trials"

# One face each: two of the images.
tune 1 filtered --set evaluation.accuracy.dataloader.filter.LabelBalance.size=1
[ $rc -eq 0 ] || fail "filter: exit code $rc"
grep -q '^f32 baseline: mAP 1 on 2 samples$' "$work/err" || fail "filter: other samples"

# What does not fit is told before anything is searched.
tune 1 raw --set evaluation.accuracy.postprocess.transform=~
[ $rc -eq 3 ] || fail "raw outputs: exit code $rc"
grep -q 'NonMaximumSuppression makes detections' "$work/err" || fail "raw outputs: no hint"
tune 1 topk --set evaluation.accuracy.metric='{topk: 1}'
[ $rc -eq 3 ] || fail "topk: exit code $rc"
grep -q 'metric topk' "$work/err" || fail "topk: no hint"
printf '{"images": [' >"$work/coco/annotations/instances_val2017.json"
tune 1 damaged
[ $rc -eq 1 ] || fail "damaged annotations: exit code $rc"
grep -q "instances_val2017.json': line 1: expected a value" "$work/err" || fail "damaged: no line"

[ $failures -eq 0 ] && echo "all passed"
exit $failures
