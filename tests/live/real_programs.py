# SPDX-License-Identifier: MIT
"""Programs that people really run, each with its label. The labels were committed before any of them was
recorded, and the rule's thresholds were not changed afterwards. The first list found two faults in what is measured
(VERDICT.md says which); when they were mended came the second list, again with its labels first.

A label is what somebody who knows the program would say of it, on a machine with two CPUs. On one CPU what is
parallel or oversubscribed is concurrent-not-parallel, by the CPU; ONE_CPU has those that are something else there.
"""
import os
import shutil
import subprocess
import tempfile

from lib import Skip, need, programs, scratch


def once(name, make):
    """A file in the scratch folder that several programs share."""
    path = scratch / name
    if not path.exists():
        make(path)
    return path


def noise(megabytes):
    return once(f"noise-{megabytes}", lambda path: path.write_bytes(os.urandom(megabytes << 20)))


def words():
    def make(path):
        path.write_text("".join(f"{(i * 7919) % 1000003} line {i}\n" for i in range(700_000)))
    return once("words", make)


def source(name, text):
    return once(name, lambda path: path.write_text(text))


def shell(text, *tools):
    need("sh", *tools)
    return ["sh", "-c", text]


def python(text):
    need("python3")
    name = f"p{abs(hash(text)) % 10**9}.py"
    return ["python3", source(name, text)]


def make_jobs(jobs):
    need("make", "gcc")
    body = "".join(f"int f{i}(int *a, int b) {{ for (int i = 0; i < b; i++) a[i] += a[i ^ {i}] * {i}; "
                   f"return a[{i}]; }}\n" for i in range(100))
    unit = source("unit.c", body)
    names = " ".join(f"u{i}.o" for i in range(8))
    makefile = source("Makefile.real", f".PHONY: all {names}\nall: {names}\n{names}:\n"
                      f"\t@gcc -O2 -c -o {scratch}/$@ {unit}\n")
    return ["make", f"-j{jobs}", "-f", makefile]


def compile_cxx():
    need("g++")
    return ["g++", "-O2", "-c", "-o", scratch / "regex.o",
            source("regex.cc", "#include <regex>\n#include <map>\n#include <iostream>\n"
                   "int main(int, char **v) { std::regex r(v[1]); std::cout << std::regex_match(v[2], r); }\n")]


JAVA = """
public class %s {
    static double work(int n) { double x = 0; for (int i = 0; i < n; i++) x += Math.sqrt(i); return x; }
    public static void main(String[] a) throws Exception {
        Object lock = new Object();
        Thread[] ts = new Thread[%d];
        for (int i = 0; i < ts.length; i++) {
            ts[i] = new Thread(() -> { for (int k = 0; k < 40; k++) %s });
            ts[i].start();
        }
        for (Thread t : ts) t.join();
    }
}
"""


def java(name, threads, body):
    need("java", "javac")
    text = source(f"{name}.java", JAVA % (name, threads, body))
    if not (scratch / f"{name}.class").exists():
        subprocess.run(["javac", "-d", scratch, text], check=True, timeout=120)
    return ["java", "-XX:+UseSerialGC", "-cp", scratch, name]


def go():
    need("go")
    text = source("burn.go", 'package main\nimport "sync"\nvar sink [4]float64\nfunc main() {\n'
                  '\tvar w sync.WaitGroup\n\tfor g := 0; g < 4; g++ {\n\t\tw.Add(1)\n\t\tgo func(g int) {\n'
                  '\t\t\tdefer w.Done()\n\t\t\tx := 0.0\n\t\t\tfor i := 0; i < 200000000; i++ { x += float64(i) }\n'
                  '\t\t\tsink[g] = x\n\t\t}(g)\n\t}\n\tw.Wait()\n}\n')
    binary = scratch / "go-burn"
    if not binary.exists():
        subprocess.run(["go", "build", "-o", binary, text], check=True, timeout=180,
                       env={**os.environ, "GOCACHE": str(scratch / "go-cache"), "HOME": str(scratch)})
    return [binary]


def redis(options):
    return shell("redis-server --port 0 --unixsocket /tmp/corun-redis-$$.sock --save '' --daemonize no >/dev/null & s=$!; "
                 "while [ ! -S /tmp/corun-redis-$$.sock ]; do sleep 0.02; done; "
                 f"redis-benchmark -q -s /tmp/corun-redis-$$.sock {options} >/dev/null; kill $s; wait $s",
                 "redis-server", "redis-benchmark")


POSTGRES = "/usr/lib/postgresql/15/bin"


def pgbench(options):
    """A database of its own, in a folder that its user may enter."""
    need("runuser", f"{POSTGRES}/initdb")
    folder = database_folder()
    start = (f"{POSTGRES}/pg_ctl -s -w -D {folder}/db -o '-k {folder} -c listen_addresses=' -l {folder}/log start")
    stop = f"{POSTGRES}/pg_ctl -s -w -m fast -D {folder}/db stop"
    bench = f"{POSTGRES}/pgbench -h {folder}"
    if not os.path.exists(f"{folder}/ready"):
        script = (f"cd {folder} && {POSTGRES}/initdb -D {folder}/db >/dev/null && {start} && "
                  f"{bench} -q -i -s 2 postgres 2>/dev/null && {stop} && touch {folder}/ready")
        if subprocess.run(["runuser", "-u", "postgres", "--", "sh", "-c", script], timeout=120).returncode:
            raise Skip("no database could be made here")
    return ["runuser", "-u", "postgres", "--", "sh", "-c",
            f"cd {folder}; {start}; {bench} {options} postgres >/dev/null 2>&1; {stop}"]


_folders = []


def database_folder():
    if not _folders:
        folder = tempfile.mkdtemp(prefix="corun-pg-")
        shutil.chown(folder, "postgres")
        _folders.append(folder)
    return _folders[0]


def clean_up():
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)


def tree():
    def make(path):
        for d in range(40):
            (path / f"d{d}").mkdir(parents=True)
            for f in range(60):
                (path / f"d{d}/f{f}").write_bytes(os.urandom(20_000))
    return once("tree", make)


BURN = "def burn(_=0):\n    x = 0\n    for i in range(5000000): x += i\n"
NODE_BURN = "function burn() { let x = 0; for (let i = 0; i < 3e8; i++) x += i; return x; }\n"


def node(text):
    need("node")
    return ["node", source(f"n{abs(hash(text)) % 10**9}.js", text)]


# name: (command, class, cause or None for any)
PROGRAMS = {
    "make -j2, eight C files": (lambda: make_jobs(2), "parallel", None),
    "make -j8, eight C files": (lambda: make_jobs(8), "oversubscribed", None),
    "g++, one file": (compile_cxx, "serial", None),
    "zstd -T2": (lambda: shell(f"zstd -q -T2 -15 -c {words()} > /dev/null", "zstd"), "parallel", None),
    "sort --parallel=2": (lambda: shell(f"sort --parallel=2 -S 300M {words()} > /dev/null", "sort"),
                          "parallel", None),
    "bzip2": (lambda: shell(f"bzip2 -c {noise(8)} > /dev/null", "bzip2"), "serial", None),
    "bzip2 into bzip2": (lambda: shell(f"bzip2 -c {noise(6)} | bzip2 -c > /dev/null", "bzip2"), "parallel", None),
    "cat into bzip2": (lambda: shell(f"cat {noise(8)} | bzip2 -c > /dev/null", "bzip2"),
                       "concurrent-not-parallel", "pipe"),
    "xargs -P6 of sha256sum": (lambda: shell(
        f"seq 18 | xargs -P6 -I@ sh -c 'sha256sum {noise(32)}' > /dev/null", "xargs", "sha256sum"),
        "oversubscribed", None),
    "find, xargs and grep": (lambda: shell(
        f"for i in 1 2 3 4 5; do find {tree()} -type f | xargs grep -c needle > /dev/null; done; true", "find", "grep"),
        "serial", None),
    "cp of 2400 files": (lambda: shell(
        f"for i in 1 2 3 4; do cp -r {tree()} {scratch}/copy$$; rm -r {scratch}/copy$$; done"), "serial", None),
    "dd with fsync of each block": (lambda: shell(
        f"dd if=/dev/zero of={scratch}/dd bs=4k count=600 oflag=sync 2>/dev/null"), "io-bound", "disk"),
    "a script of short sleeps": (lambda: shell("for i in $(seq 40); do sleep 0.02; done"), "io-bound", "sleep"),
    "four processes and one file lock": (lambda: shell(
        f"for i in 1 2 3 4; do (for k in 1 2 3 4; do flock {scratch}/flock {programs}/work one; done) & done; wait",
        "flock"), "concurrent-not-parallel", "file-lock"),
    "asyncio, 50 sleepers": (lambda: python(
        "import asyncio\nasync def f():\n    for _ in range(30): await asyncio.sleep(0.05)\n"
        "async def main(): await asyncio.gather(*(f() for _ in range(50)))\nasyncio.run(main())\n"),
        "io-bound", None),
    "multiprocessing.Pool(2)": (lambda: python(
        "import multiprocessing\n" + BURN + "if __name__ == '__main__':\n"
        "    with multiprocessing.Pool(2) as p: p.map(burn, range(8), 1)\n"), "parallel", None),
    "ThreadPoolExecutor(4), pure Python": (lambda: python(
        "from concurrent.futures import ThreadPoolExecutor\n" + BURN +
        "with ThreadPoolExecutor(4) as p: list(p.map(burn, range(8)))\n"), "concurrent-not-parallel", "gil"),
    "ThreadPoolExecutor(8), sleeping requests": (lambda: python(
        "import time\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(8) as p: list(p.map(lambda _: time.sleep(0.1), range(80)))\n"),
        "io-bound", "sleep"),
    "ruby, four threads": (lambda: (need("ruby"), ["ruby", "-e", "4.times.map { Thread.new { x = 0; "
                           "8000000.times { |i| x += i } } }.each(&:join)"])[1], "concurrent-not-parallel", "gil"),
    "perl, two forks": (lambda: (need("perl"), ["perl", "-e", "for (1..2) { unless (fork) { my $x = 0; "
                        "$x += $_ for 1..15_000_000; exit } } wait for 1..2"])[1], "parallel", None),
    "node, one loop": (lambda: node(NODE_BURN + "for (let k = 0; k < 4; k++) burn();\n"), "serial", None),
    "node, a timer": (lambda: node("let n = 0; const t = setInterval(() => { if (++n == 30) clearInterval(t); }, 50);\n"),
                      "io-bound", None),
    "node, two workers": (lambda: node(
        "const w = require('worker_threads');\n" + NODE_BURN +
        "if (w.isMainThread) { for (let i = 0; i < 2; i++) new w.Worker(__filename); }\n"
        "else for (let k = 0; k < 4; k++) burn();\n"), "parallel", None),
    "java, two threads": (lambda: java("Two", 2, "work(30000000);"), "parallel", None),
    "java, four threads and one monitor": (lambda: java(
        "Monitor", 4, "synchronized (lock) { work(10000000); }"), "concurrent-not-parallel", "mutex"),
    "go, four goroutines": (go, "parallel", None),
    "redis-benchmark, 50 clients": (lambda: redis("-t set -n 150000 -c 50"), "parallel", None),
    "redis-benchmark, one client": (lambda: redis("-t set -n 40000 -c 1"), "serial", None),
    "pgbench, 8 readers": (lambda: pgbench("-n -S -c 8 -j 1 -T 2"), "oversubscribed", None),
    "pgbench, 2 writers": (lambda: pgbench("-n -c 2 -j 1 -T 2"), "io-bound", None),
    "openssl speed -multi 2": (lambda: shell(
        "openssl speed -multi 2 -seconds 1 -bytes 8192 sha256 >/dev/null 2>&1", "openssl"), "parallel", None),
    "sqlite3, one query": (lambda: shell(
        "sqlite3 :memory: 'with recursive c(x) as (select 1 union all select x+1 from c where x<6000000) "
        "select sum(x) from c' > /dev/null", "sqlite3"), "serial", None),
}

LOCKED = ("import threading, time\nlock = threading.Lock()\ndef f():\n    for _ in range(8):\n"
          "        with lock: time.sleep(0.03)\nts = [threading.Thread(target=f) for _ in range(4)]\n"
          "[t.start() for t in ts]\n[t.join() for t in ts]\n")
SLOW_SERVER = ("import socket, threading, time\ns = socket.create_server(('127.0.0.1', 0))\n"
               "def serve():\n    for _ in range(8):\n        c = s.accept()[0]; time.sleep(0.1); c.sendall(b'x'); c.close()\n"
               "threading.Thread(target=serve).start()\nfor _ in range(8):\n"
               "    c = socket.create_connection(s.getsockname()); c.recv(1); c.close()\n")
ASYNC_SERVER = ("import asyncio\nasync def answer(r, w):\n    await r.read(1); await asyncio.sleep(0.1); w.close()\n"
                "async def ask(port):\n    for _ in range(10):\n        r, w = await asyncio.open_connection('127.0.0.1', port)\n"
                "        w.write(b'x'); await r.read(); w.close()\nasync def main():\n"
                "    s = await asyncio.start_server(answer, '127.0.0.1', 0)\n    port = s.sockets[0].getsockname()[1]\n"
                "    await asyncio.gather(*(ask(port) for _ in range(8)))\nasyncio.run(main())\n")
COMPRESS = ("import threading, zlib, os\ndata = os.urandom(6 << 20)\n"
            "ts = [threading.Thread(target=zlib.compress, args=(data * 3, 6)) for _ in range(3)]\n"
            "[t.start() for t in ts]\n[t.join() for t in ts]\n")

SECOND = {
    "tar into gzip": (lambda: shell(f"tar -cf - -C {tree()} . | gzip -9 > /dev/null", "tar", "gzip"),
                      "concurrent-not-parallel", "pipe"),
    "xargs -P2 of gzip": (lambda: shell(f"seq 6 | xargs -P2 -I@ gzip -9 -c {noise(8)} > /dev/null", "xargs", "gzip"),
                          "parallel", None),
    "gcc, one file": (lambda: (make_jobs(1), ["gcc", "-O2", "-c", "-o", scratch / "one.o", scratch / "unit.c"])[1],
                      "serial", None),
    "awk over a file": (lambda: shell(f"for i in 1 2 3; do awk '{{ s += $1 }} END {{ print s }}' {words()}; done > /dev/null",
                                      "awk"), "serial", None),
    "two awks at once": (lambda: shell(
        f"for i in 1 2; do (for k in 1 2 3; do awk '{{ s += $1 }} END {{ print s }}' {words()}; done > /dev/null) & done; wait",
        "awk"), "parallel", None),
    "sort --parallel=1": (lambda: shell(f"LC_ALL=C sort --parallel=1 -S 300M {words()} > /dev/null", "sort"), "serial", None),
    "zstd, one thread": (lambda: shell(f"zstd -q --single-thread -12 -c {words()} > /dev/null", "zstd"), "serial", None),
    "threads that sleep under a lock": (lambda: python(LOCKED), "concurrent-not-parallel", "mutex"),
    "a client of a slow server": (lambda: python(SLOW_SERVER), "io-bound", None),
    "asyncio, a server and 8 clients": (lambda: python(ASYNC_SERVER), "io-bound", None),
    "ProcessPoolExecutor(4)": (lambda: python(
        "from concurrent.futures import ProcessPoolExecutor\n" + BURN + "if __name__ == '__main__':\n"
        "    with ProcessPoolExecutor(4) as p: list(p.map(burn, range(12)))\n"), "oversubscribed", None),
    "three threads of zlib": (lambda: python(COMPRESS), "oversubscribed", None),
    "ruby, one loop": (lambda: (need("ruby"), ["ruby", "-e", "x = 0; 12000000.times { |i| x += i }"])[1], "serial", None),
    "perl, a loop of sleeps": (lambda: (need("perl"), ["perl", "-e", "select(undef, undef, undef, 0.05) for 1..20"])[1],
                               "io-bound", "sleep"),
    "node, three workers": (lambda: node(
        "const w = require('worker_threads');\n" + NODE_BURN +
        "if (w.isMainThread) { for (let i = 0; i < 3; i++) new w.Worker(__filename); }\n"
        "else for (let k = 0; k < 4; k++) burn();\n"), "oversubscribed", None),
    "node, JSON in one loop": (lambda: node(
        "const a = Array.from({ length: 50000 }, (_, i) => ({ i, s: 'x' + i }));\n"
        "for (let k = 0; k < 30; k++) JSON.parse(JSON.stringify(a));\n"), "serial", None),
    "java, one thread": (lambda: java("One", 1, "work(20000000);"), "serial", None),
    "readers of a slow fifo": (lambda: shell(
        "(for i in 1 2 3 4 5 6; do sleep 0.1; echo; done) | tee /dev/null | cat > /dev/null"), "io-bound", None),
    "sqlite3, two queries at once": (lambda: shell(
        "for i in 1 2; do sqlite3 :memory: 'with recursive c(x) as (select 1 union all select x+1 from c where x<5000000) "
        "select sum(x) from c' > /dev/null & done; wait", "sqlite3"), "parallel", None),
    "openssl speed": (lambda: shell("openssl speed -seconds 1 -bytes 8192 sha256 >/dev/null 2>&1", "openssl"),
                      "serial", None),
}

# Go starts as many threads as it has CPUs: on one of them the goroutines are one thread's.
ONE_CPU = {"go, four goroutines": ("serial", None)}


def on_one_cpu(name, label, cause):
    if name in ONE_CPU:
        return ONE_CPU[name]
    return ("concurrent-not-parallel", "cpu-affinity") if label in ("parallel", "oversubscribed") else (label, cause)
