#!/bin/sh
# SPDX-License-Identifier: MIT
# Go: a build, goroutines on many threads, preemption by signals, net/http on loopback, child
# processes.
. tests/apps/common

guest go 240 '
mkdir app
cd app
cat >go.mod <<M
module app
go 1.19
M
cat >main.go <<"G"
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func main() {
	runtime.GOMAXPROCS(4)
	var group sync.WaitGroup
	results := make(chan int, 1000)
	for i := 0; i < 1000; i++ {
		group.Add(1)
		go func(n int) { defer group.Done(); time.Sleep(time.Millisecond); results <- n }(i)
	}
	group.Wait()
	sum := 0
	for i := 0; i < 1000; i++ {
		sum += <-results
	}
	// Loops without a call in them: only a signal gets a thread away from them.
	stop := false
	for i := 0; i < 4; i++ {
		go func() { for n := 0; !stop; n++ { } }()
	}
	for i := 0; i < 20; i++ {
		time.Sleep(5 * time.Millisecond)
		runtime.GC()
	}
	stop = true

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s", r.URL.Path)
	}))
	for i := 0; i < 500; i++ {
		path := fmt.Sprintf("/%d", i)
		answer, err := http.Get("http://" + listener.Addr().String() + path)
		check(err)
		body, err := io.ReadAll(answer.Body)
		check(err)
		answer.Body.Close()
		if string(body) != path {
			check(fmt.Errorf("%s answered for %s", body, path))
		}
	}
	for i := 0; i < 20; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			out, err := exec.Command("echo", "child").Output()
			check(err)
			if string(out) != "child\n" {
				check(fmt.Errorf("child said %q", out))
			}
		}()
	}
	group.Wait()
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGUSR1)
	check(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
	<-caught
	fmt.Println(sum)
}
G
cat >app_test.go <<"G"
package main

import "testing"

func TestNil(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("a nil pointer was read")
		}
	}()
	var p *int
	_ = *p
}
G
go vet
go build -o app
expect "$(./app)" 499500
CGO_ENABLED=0 go build -o static
expect "$(./static)" 499500
go test'
