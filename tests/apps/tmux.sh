#!/bin/sh
# SPDX-License-Identifier: MIT
# tmux: a server with two windows, driven by send-keys and read by capture-pane; job control in the
# shell that runs in it; the server outlives a detached client.
. tests/apps/common

guest tmux 60 '
export TMUX_TMPDIR=$work
cleanup() { [ $status = 0 ] || tmux capture-pane -p; tmux kill-server; }
tmux -f /dev/null new-session -d -s s -x 100 -y 30 "bash --norc --noprofile"
# wait_until PATTERN: a line of the pane matches it.
wait_until() { for _ in $(seq 200); do tmux capture-pane -p | has -E "$1" && return; sleep 0.1; done; echo "never shown: $1"; return 1; }
type() { tmux send-keys "$@"; }
# A key that is a signal is for whose the terminal is, and lost on the shell.
in_front() { [ "$(tmux display-message -p "#{pane_current_command}")" = "$1" ]; }
wait_until "bash-.*#"
type "echo sum=\$((40 + 2))" Enter
wait_until "^sum=42"
type "clear; tty; stty size" Enter
wait_until "^/dev/pts/[0-9]+"
wait_until "^(29|30) 100"
type "sleep 100" Enter
wait_for in_front sleep
type C-z
wait_until "Stopped +sleep 100"
type "clear; bg; jobs" Enter
wait_until "Running +sleep 100"
type "clear; fg" Enter
wait_for in_front sleep
type C-c
type "" "echo status=\$?" Enter
wait_until "^status=130"
type "clear; echo read; cat" Enter
wait_until "^read$"
type "line" Enter
two_lines() { expect "$(tmux capture-pane -p | grep -cx line)" 2; } # the echo, and cat
wait_for two_lines
type C-d
type "echo end" "-of-cat" Enter
wait_until "^end-of-cat"
for program in htop top; do
    type "clear; $program" Enter
    wait_until "Load average|load average"
    type q
    while pgrep -x $program >/dev/null; do # at its end it throws away what was typed (TCSAFLUSH)
        sleep 0.1
    done
    type "clear; echo left \$?" Enter
    wait_until "^left 0"
done
type "busybox vi file" Enter
wait_until "^~"
type "iwritten"
wait_until "^written"
type Escape
wait_until "^- file" # its state: no longer inserting
type ":wq" Enter
wait_for grep -qx written file
tmux split-window -h "sh"
tmux send-keys "echo other=\$((1 + 1))" Enter
wait_until "other=2"
expect "$(tmux list-panes | wc -l)" 2
tmux resize-window -x 60 -y 20
resized() { tmux send-keys "clear; stty size" Enter; sleep 0.2; tmux capture-pane -p | has -E "^(19|20) (29|30)$"; }
wait_for resized
tmux kill-pane
# A client on a pty of its own. Its input must not end: script would type that end.
mkfifo input
sleep 60 >input & holder=$!
attached() { tmux list-clients | grep -q pts; }
{ wait_for attached && tmux detach-client -s s; } &
timeout 30 script -qc "tmux attach -t s" client.log <input >/dev/null
kill $holder
grep -q "detached" client.log
tmux has-session -t s
type "exit" Enter
gone() { ! tmux has-session -t s; }
wait_for gone
cleanup() { :; }'
