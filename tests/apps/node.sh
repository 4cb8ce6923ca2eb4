#!/bin/sh
# SPDX-License-Identifier: MIT
# node: worker threads, child processes, fs.watch, http, streams, cluster.
. tests/apps/common

guest node 120 '
cat >app.js <<"J"
const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
const { spawn, execFileSync, fork } = require("child_process");
const assert = require("assert"), fs = require("fs"), http = require("http"), os = require("os");
const { promisify } = require("util"), crypto = require("crypto"), zlib = require("zlib");

if (!isMainThread) {
    const shared = new Int32Array(workerData);
    for (let i = 0; i < 10000; i++) Atomics.add(shared, 0, 1);
    parentPort.postMessage("done");
} else if (process.argv[2] === "child") {
    process.on("message", (m) => { process.send(m * 2); process.disconnect(); });
} else main().then(() => console.log("ok"), (e) => { console.error(e); process.exit(1); });

async function main() {
    const shared = new SharedArrayBuffer(4);
    await Promise.all([...Array(8)].map(() => new Promise((ok, no) =>
        new Worker(__filename, { workerData: shared }).on("message", ok).on("error", no))));
    assert.equal(new Int32Array(shared)[0], 80000);

    for (let i = 0; i < 10; i++) {
        const child = spawn("cat");
        child.stdin.end("text " + i);
        let out = "";
        for await (const part of child.stdout) out += part;
        assert.equal(out, "text " + i);
    }
    assert.equal(execFileSync("sh", ["-c", "echo $0", "x"]).toString(), "x\n");
    const forked = fork(__filename, ["child"]);
    const answer = await new Promise((ok) => { forked.on("message", ok); forked.send(21); });
    assert.equal(answer, 42);
    const killed = spawn("sleep", ["60"]);
    const how = new Promise((ok) => killed.on("exit", (code, signal) => ok(signal)));
    killed.kill("SIGTERM");
    assert.equal(await how, "SIGTERM");

    fs.mkdirSync("watched");
    const seen = new Promise((ok) => { const w = fs.watch("watched", (e, name) => { w.close(); ok(name); }); });
    setTimeout(() => fs.writeFileSync("watched/file", "x"), 50);
    assert.equal(await seen, "file");

    const server = http.createServer((q, a) => q.pipe(a)).listen(0, "127.0.0.1");
    await new Promise((ok) => server.on("listening", ok));
    const data = crypto.randomBytes(200000);
    await Promise.all([...Array(50)].map(() => new Promise((ok, no) => {
        const q = http.request({ port: server.address().port, host: "127.0.0.1", method: "POST" }, (a) => {
            const parts = [];
            a.on("data", (d) => parts.push(d));
            a.on("end", () => { try { assert(Buffer.concat(parts).equals(data)); ok(); } catch (e) { no(e); } });
        });
        q.on("error", no).end(data);
    })));
    server.close();

    await fs.promises.writeFile("z.gz", await promisify(zlib.gzip)(data));
    assert((await promisify(zlib.gunzip)(await fs.promises.readFile("z.gz"))).equals(data));
    fs.symlinkSync("z.gz", "link");
    assert.equal(fs.realpathSync("link"), process.cwd() + "/z.gz");
    assert.equal((await fs.promises.readdir(".", { recursive: false })).length, 4);
    assert(os.cpus().length > 0 && os.totalmem() > os.freemem());
    assert.equal(os.userInfo().username, "root");
    process.once("SIGUSR2", () => {});
    process.kill(process.pid, "SIGUSR2");
}
J
expect "$(node app.js)" ok
cat >cluster.js <<"J"
const cluster = require("cluster"), http = require("http");
if (cluster.isPrimary) {
    let up = 0;
    for (let i = 0; i < 3; i++) cluster.fork();
    cluster.on("listening", (w, address) => {
        if (++up < 3) return;
        http.get({ port: address.port, host: "127.0.0.1" }, (a) => { a.resume(); console.log(a.statusCode);
            for (const id in cluster.workers) cluster.workers[id].kill(); });
    });
} else http.createServer((q, a) => a.end("x")).listen(0, "127.0.0.1");
J
expect "$(node cluster.js)" 200'
