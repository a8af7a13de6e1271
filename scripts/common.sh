# Read by the scripts beside it and by .ci/run, with ".": goes to the project's root, and defines
# what they share.
cd "${root:-$(dirname "$0")/..}"
jobs=$(nproc 2>/dev/null || echo 2)

# Open MPI does not run as root unless told so twice; ranks may be more than cores.
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# with_onnxruntime: makes sure of a python with onnxruntime and what goes with it, and names it in
# LPOT_PYTHON: the one named there already, python3, or a virtual environment in build/venv (needs
# python3-venv and a package index).
with_onnxruntime() {
  for LPOT_PYTHON in "${LPOT_PYTHON:-}" python3 "$PWD/build/venv/bin/python"; do
    if [ -n "$LPOT_PYTHON" ] && command -v "$LPOT_PYTHON" >/dev/null &&
      "$LPOT_PYTHON" -c 'import onnxruntime, onnx, numpy, h5py, yaml, PIL' 2>/dev/null; then
      export LPOT_PYTHON
      return 0
    fi
  done
  echo "making build/venv with onnxruntime ..."
  mkdir -p build
  python3 -m venv build/venv &&
    build/venv/bin/pip install -q --disable-pip-version-check \
      onnxruntime onnx numpy h5py pyyaml pillow ||
    return 1
  # One test more; what it misses it says itself.
  build/venv/bin/pip install -q --disable-pip-version-check optuna || true
  export LPOT_PYTHON="$PWD/build/venv/bin/python"
}

# build PRESET [TARGET...]: configures and builds build/PRESET, quietly unless it fails.
build() {
  preset=$1
  shift
  echo "building (preset $preset) ..."
  log=build/$preset.log
  mkdir -p build
  if ! { cmake --preset "$preset" ${LPOT_PYTHON:+-DLPOT_PYTHON="$LPOT_PYTHON"} &&
    cmake --build "build/$preset" --parallel "$jobs" ${1:+--target "$@"}; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "the build failed; all of its output is in $log" >&2
    return 1
  fi
}

# run_tests PRESET [CTEST OPTION...]
run_tests() {
  preset=$1
  shift
  result=0
  ctest --test-dir "build/$preset" --output-on-failure --parallel "$jobs" "$@" || result=$?
  log=build/$preset/Testing/Temporary/LastTest.log
  skipped=$(grep -c '^SKIPPED ' "$log" 2>/dev/null) || skipped=${skipped:-0}
  echo "preset $preset: $skipped tests skipped for want of data or tools"
  return "$result"
}
