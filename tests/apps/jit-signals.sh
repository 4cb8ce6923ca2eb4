#!/bin/sh
# SPDX-License-Identifier: MIT
# Runtimes that compile code as they go, with many threads, under a rain of signals: results stay
# right, handlers run, nothing hangs.
. tests/apps/common

guest jit-signals 240 '
cat >app.js <<"J"
const { Worker, isMainThread, parentPort } = require("worker_threads");
const { spawn } = require("child_process");
const fs = require("fs");
if (!isMainThread) {
    // Functions that are compiled, thrown away and compiled again for other types.
    const add = (a, b) => a + b;
    let sum = 0, text = "";
    for (let round = 0; round < 60; round++) {
        const f = new Function("n", `let s = ${round}; for (let i = 0; i < n; i++) s = (s * 31 + i) | 0; return s;`);
        sum = (sum + f(200000)) | 0;
        text = add(text.slice(0, 10), round % 7 ? round : "x");
        sum = (sum + add(round, 0.5) * 2) | 0;
        fs.readFileSync("/proc/self/stat");
    }
    parentPort.postMessage(sum + ":" + text);
} else {
    let signals = 0;
    process.on("SIGUSR2", () => signals++);
    process.on("SIGWINCH", () => signals++);
    const rain = spawn("sh", ["-c", `while kill -USR2 ${process.pid} && kill -WINCH ${process.pid}; do :; done`]);
    const results = [];
    for (let i = 0; i < 4; i++)
        new Worker(__filename).on("message", (m) => {
            if (results.push(m) < 4) return;
            rain.kill();
            setTimeout(() => {
                console.log(new Set(results).size, signals > 10);
                process.exit();
            }, 100);
        });
}
J
expect "$(node app.js)" "1 true"

cat >Rain.java <<"J"
import java.util.concurrent.atomic.*;
import sun.misc.Signal;

public class Rain {
    static int length(String s) { return s.length(); }
    static int deep(int n) { return deep(n + 1) + 1; }

    // Compiled code finds a null, the end of the stack and the call for a collection by SIGSEGV.
    static long work() {
        long sum = 0;
        for (int i = 0; i < 3000000; i++) {
            byte[] garbage = new byte[i & 1023];
            try { sum += length(i % 5000 == 0 ? null : "abcd") + garbage.length; }
            catch (NullPointerException e) { sum += 1; }
            if (i % 500000 == 0)
                try { deep(0); } catch (StackOverflowError e) { sum += 7; }
        }
        return sum;
    }

    public static void main(String[] args) throws Exception {
        AtomicInteger signals = new AtomicInteger();
        Signal.handle(new Signal("USR2"), s -> signals.incrementAndGet());
        Signal.handle(new Signal("WINCH"), s -> signals.incrementAndGet());
        long me = ProcessHandle.current().pid();
        Process rain = new ProcessBuilder("sh", "-c",
            "while kill -USR2 " + me + " && kill -WINCH " + me + "; do :; done").start();
        long[] sums = new long[6];
        Thread[] threads = new Thread[sums.length];
        for (int i = 0; i < threads.length; i++) {
            final int n = i;
            threads[i] = new Thread(() -> sums[n] = work());
            threads[i].start();
        }
        for (Thread t : threads) t.join();
        rain.destroy();
        for (long s : sums) if (s != sums[0]) throw new Exception(s + " is not " + sums[0]);
        System.out.println(sums[0] + " " + (signals.get() > 10));
    }
}
J
javac -XDignore.symbol.file Rain.java
want=$(java -Xint Rain)
expect "${want#* }" true
expect "$(java Rain)" "$want"
expect "$(java -XX:+UseParallelGC -Xmx64m Rain)" "$want"
expect "$(java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC Rain)" "$want"'
