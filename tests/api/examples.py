"""What an installed lpot is to its users: the examples of the header comments, compiled against the
installed files alone and run.

    examples.py BUILD SOURCE MPIRUN FOLDER

installs BUILD into FOLDER/prefix; then
- every header is compiled alone, as C99 and as C++, with all warnings as errors;
- what liblpot.so exports is what the headers declare;
- the programs in the headers' comments are built by pkg-config (and one by CMake's find_package),
  and run beside the embedded example, on one rank and on three.
"""
import os
import re
import shlex
import shutil
import subprocess
import sys

build, source, mpirun, folder = sys.argv[1:5]
prefix = os.path.join(folder, "prefix")
shutil.rmtree(folder, ignore_errors=True)
os.makedirs(folder)
failures = 0


def check(fine, what, detail=""):
    global failures
    print(("ok      " if fine else "FAILED  ") + what)
    if not fine:
        failures += 1
        print(detail)
    return fine


def run(command, where=folder, **variables):
    done = subprocess.run(command, cwd=where, text=True, stdout=subprocess.PIPE, timeout=200,
                          stderr=subprocess.STDOUT, env={**os.environ, **variables})
    return done.returncode, done.stdout


code, text = run(["cmake", "--install", build, "--prefix", prefix])
if not check(code == 0, "cmake --install", text):
    sys.exit(1)
packages = [root for root, _, names in os.walk(prefix) if "lpot.pc" in names]
if not check(len(packages) == 1, "lpot.pc is installed"):
    sys.exit(1)
os.environ["PKG_CONFIG_PATH"] = packages[0]
library = os.path.dirname(packages[0])
code, flags = run(["pkg-config", "--cflags", "--libs", "lpot"])
check(code == 0, "pkg-config finds lpot", flags)
flags = shlex.split(flags) + ["-Wl,-rpath," + library]
include = os.path.join(prefix, "include", "lpot")
headers = sorted(os.listdir(include))

# ---- headers
for header in headers:
    for compiler, standard, ending in (("cc", "c99", "c"), ("c++", "c++11", "cpp")):
        path = os.path.join(folder, f"alone.{ending}")
        with open(path, "w") as out:
            out.write(f"#include <lpot/{header}>\nint main(void) {{ return 0; }}\n")
        code, text = run([compiler, f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                          "-I", os.path.dirname(include), "-fsyntax-only", path])
        check(code == 0, f"{header} stands alone as {standard}", text)

declared = set()
for header in headers:
    with open(os.path.join(include, header)) as file:
        for declaration in re.findall(r"^LPOT_API [^;]*;", file.read(), re.MULTILINE):
            declared.add(re.search(r"\b(lpot_[a-z0-9_]+)\(", declaration).group(1))
code, text = run(["nm", "-D", "--defined-only", os.path.join(library, "liblpot.so")])
exported = {line.split()[2].split("@")[0] for line in text.splitlines()} - {"LPOT_1.0"}
check(len(declared) > 30 and exported == declared, "liblpot.so exports what the headers declare",
      f"not exported: {declared - exported}, not declared: {exported - declared}")
code, text = run(["readelf", "-d", os.path.join(library, "liblpot.so")])
check("[liblpot.so.1]" in text, "its name is liblpot.so.1", text)


# ---- examples
def examples(path):
    """The programs in the first comment: indented by three, each begins with an #include."""
    with open(path) as file:
        comment = file.read().split("*/")[0]
    found, lines = [], None
    for line in comment.splitlines():
        line = line[3:] if line.startswith(" * ") else ""
        if line.startswith("  #include <lpot/lpot.h>"):
            lines = []
            found.append(lines)
        if lines is not None and (line.startswith("  ") or line == ""):
            lines.append(line[2:])
        elif line:
            lines = None
    return ["\n".join(lines) + "\n" for lines in found]


example = os.path.join(source, "configs", "example")
where = os.path.join(folder, "run")
os.makedirs(where)
for name in ("example.yaml", "shapes.onnx"):
    shutil.copy(os.path.join(example, name), where)
with open(os.path.join(where, "example.yaml"), "a") as out:
    out.write("  op_times: false\n")  # of tuning, the last section: times differ from run to run


def launch(program, ranks):
    begin = [mpirun, "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
    shutil.rmtree(os.path.join(where, "lpot_workspace"), ignore_errors=True)
    shutil.rmtree(os.path.join(where, "in_code"), ignore_errors=True)
    shutil.rmtree(os.path.join(where, "mixed"), ignore_errors=True)
    shutil.rmtree(os.path.join(where, "functions"), ignore_errors=True)
    return run(begin + [program], where, OMPI_ALLOW_RUN_AS_ROOT="1",
               OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


expected = {"quantization": [r"Verdict: the criterion is met", r"^accuracy 0\.9\d* instead of 0\.9\d*: "
                             r"in_code/best_model\.onnx$",
                             r"^mean best score (?!0\.0)\d\.\d{6}, in f32 [1-9]?\d\.\d+$",
                             r"^evaluated to (?!0\.0)\d\.\d{6}, in f32 [1-9]?\d\.\d+$"],
            "model": [r"^input image \[-1, 3, 32, 32\]\noutput classifier_out \[-1, 10\]\n"
                      r"2 rows of 10 scores, the first is -?[0-9]+\.[0-9]{6}$"],
            "benchmark": [r"^shapes\.onnx: [0-9.]+ ms, [1-9]\d* samples/s$"]}
for header, answers in expected.items():
    # Instances of a benchmark have cores of their own.
    cores = len(os.sched_getaffinity(0))
    several = {"quantization": 3, "benchmark": min(3, cores), "model": 1}[header]
    programs = examples(os.path.join(include, header + ".h"))
    check(len(programs) == len(answers), f"{header}.h has {len(answers)} examples", programs)
    for number, (program, answer) in enumerate(zip(programs, answers)):
        path = os.path.join(folder, f"{header}_{number}")
        with open(path + ".c", "w") as out:
            out.write(program)
        code, text = run(["cc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o", path,
                          path + ".c"] + flags)
        if not check(code == 0, f"{header}.h, example {number}: compiled by pkg-config", text):
            continue
        said = set()
        for ranks in sorted({1, several}):
            code, text = launch(path, ranks)
            found = re.findall(answer, text, re.MULTILINE)
            check(code == 0 and len(found) == 1,
                  f"{header}.h, example {number}: runs on {ranks} ranks", f"{code}\n{text}")
            said.update(found)
        check(header == "benchmark" or len(said) == 1, "and says the same on each number", said)

# ---- CMake
project = os.path.join(folder, "project")
os.makedirs(project)
with open(os.path.join(project, "CMakeLists.txt"), "w") as out:
    out.write("cmake_minimum_required(VERSION 3.25)\nproject(user C)\n"
              "find_package(lpot 0.1 REQUIRED)\nadd_executable(user ../quantization_0.c)\n"
              "target_link_libraries(user lpot::lpot)\n")
code, text = run(["cmake", "-G", "Ninja", "-S", project, "-B", project + "/build",
                  "-DCMAKE_PREFIX_PATH=" + prefix])
check(code == 0, "find_package(lpot)", text)
code, text = run(["cmake", "--build", project + "/build"])
check(code == 0, "a project of CMake is built", text)
code, text = launch(project + "/build/user", 1)
check(code == 0 and "criterion is met" in text, "and runs", text)
check(os.path.getsize(os.path.join(where, "lpot_workspace", "shapes", "best_model.onnx")) > 1000,
      "and has written the model")

# ---- the installed program
code, text = run([os.path.join(prefix, "bin", "lpot-tune"), "--version"])
check(code == 0 and text.startswith("lpot-tune "), "the installed lpot-tune finds its library", text)
sys.exit(failures != 0)
