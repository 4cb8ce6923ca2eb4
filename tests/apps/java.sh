#!/bin/sh
# SPDX-License-Identifier: MIT
# Java: javac, threads, safepoints, null checks (faults), a child process, a socket, a jar.
. tests/apps/common

guest java 240 '
cat >App.java <<"J"
import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;

public class App {
    static int length(String s) { return s.length(); }

    public static void main(String[] args) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        AtomicLong sum = new AtomicLong();
        for (int i = 0; i < 2000; i++) {
            final int n = i;
            pool.submit(() -> { byte[] garbage = new byte[100000]; sum.addAndGet(n + garbage[5]); });
        }
        pool.shutdown();
        if (!pool.awaitTermination(60, TimeUnit.SECONDS)) throw new Exception("pool hangs");

        int caught = 0; // compiled code finds a null by SIGSEGV
        for (int i = 0; i < 200000; i++)
            try { length(i % 1000 == 0 ? null : "abc"); } catch (NullPointerException e) { caught++; }
        try { recurse(0); } catch (StackOverflowError e) { caught++; }

        Process child = new ProcessBuilder("cat").start();
        child.getOutputStream().write("through a child\n".getBytes());
        child.getOutputStream().close();
        String said = new BufferedReader(new InputStreamReader(child.getInputStream())).readLine();
        if (!said.equals("through a child") || child.waitFor() != 0) throw new Exception(said);

        ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread echo = new Thread(() -> {
            try (Socket s = server.accept()) { s.getInputStream().transferTo(s.getOutputStream()); }
            catch (IOException e) { throw new UncheckedIOException(e); }
        });
        echo.start();
        try (Socket s = new Socket(server.getInetAddress(), server.getLocalPort())) {
            s.getOutputStream().write(new byte[100000]);
            s.shutdownOutput();
            if (s.getInputStream().readAllBytes().length != 100000) throw new Exception("echo");
        }
        echo.join();

        Path dir = Files.createTempDirectory(Path.of("."), "watched");
        WatchService watch = FileSystems.getDefault().newWatchService();
        dir.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
        Files.writeString(dir.resolve("file"), "x");
        WatchKey key = watch.poll(10, TimeUnit.SECONDS);
        if (key == null || !key.pollEvents().get(0).context().toString().equals("file"))
            throw new Exception("no watch event");
        System.out.println(sum + " " + caught);
    }
    static int recurse(int n) { return recurse(n + 1) + 1; }
}
J
javac App.java
expect "$(java App)" "1999000 201"
expect "$(java -Xint -Xmx64m App)" "1999000 201"
expect "$(java -XX:+UseParallelGC -Xmx64m App)" "1999000 201"
jar -c -f app.jar -e App *.class
expect "$(java -XX:+UseSerialGC -jar app.jar)" "1999000 201"
java App >/dev/null & pid=$!
wait_for sh -c "jcmd -l | grep -q ."
wait $pid'
