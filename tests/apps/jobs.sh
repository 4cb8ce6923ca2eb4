#!/bin/sh
# SPDX-License-Identifier: MIT
# Job control of bash on a terminal, with the host's terminal discipline: stop, background, resume,
# interrupt, a background job that reads, window size, hangup.
. tests/apps/common

guest jobs 60 '
cat >jobs.py <<"P"
import fcntl, os, pty, re, select, signal, struct, sys, termios, time

class Shell:
    def __init__(self, argv):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["PS1"] = "PROMPT>"
            os.execvp(argv[0], argv)
        self.said = ""
        self.wait("PROMPT>")

    # What was said up to the end of that. The limits are there to find what hangs.
    def wait(self, pattern, limit=20):
        end = time.monotonic() + limit
        while not re.search(pattern, self.said):
            left = end - time.monotonic()
            if left < 0 or not select.select([self.fd], [], [], left)[0]:
                sys.exit("never came: %s\nafter: %r" % (pattern, self.said))
            self.said += os.read(self.fd, 4096).decode()
        at = re.search(pattern, self.said).end()
        said, self.said = self.said[:at], self.said[at:]
        return said

    def type(self, text):
        os.write(self.fd, text.encode())

    # Runs a line and waits for what it says and the next prompt.
    def line(self, text, pattern=None):
        self.type(text + "\n")
        if pattern:
            self.wait(pattern)
        self.wait("PROMPT>")

    # Runs it again and again until it says that: a process has to get a processor to stop or end by a
    # signal, and bash another to hear of it.
    def until(self, text, pattern, limit=20):
        end = time.monotonic() + limit
        self.type(text + "\n")
        while not re.search(pattern, self.wait("PROMPT>")):
            if time.monotonic() > end:
                sys.exit("%s never says: %s" % (text, pattern))
            time.sleep(0.05)
            self.type(text + "\n")

    # Until the terminal is a job of bash, not its own.
    def until_foreground(self, limit=20):
        end = time.monotonic() + limit
        while os.tcgetpgrp(self.fd) == self.pid:
            if time.monotonic() > end:
                sys.exit("no job gets the terminal")
            time.sleep(0.01)

sh = Shell(["bash", "--norc", "--noprofile", "--noediting", "-i"])
sh.line("sleep 100 & jobs", r"Running +sleep 100")
sh.line("fg_pid=$!; kill -STOP $fg_pid")
sh.until("jobs", r"Stopped +sleep 100")
sh.line("bg; jobs", r"Running +sleep 100")
sh.line("kill %1; wait %1; echo status=$?", r"status=143")
sh.type("sh -c \"echo begun; exec sleep 100\"\n"); sh.wait(r"\nbegun") # the shell itself takes no notice of ^Z
sh.type("\x1a"); sh.wait(r"Stopped +sh -c"); sh.wait("PROMPT>")
sh.type("fg\n"); sh.until_foreground()
sh.type("\x03"); sh.wait("PROMPT>")
sh.line("echo status=$?", r"status=130")
sh.type("cat\n"); sh.type("text\n"); sh.wait(r"text\r\ntext\r\n")
sh.type("\x1c"); sh.wait("PROMPT>")
sh.line("echo status=$?", r"status=131")
sh.line("cat &")
sh.until("jobs", r"Stopped( \(tty input\))? +cat")
sh.line("kill %cat; stty tostop; echo x &")
sh.until("jobs", r"Stopped( \(tty output\))? +echo x")
sh.line("stty -tostop; kill %echo")
sh.until("echo left=$(jobs | wc -l)", r"left=0")
sh.line("sleep 100 | sleep 100 | cat & jobs -l", r"\d+ Running +sleep 100")
sh.line("kill %%")
sh.until("jobs; echo left=$(jobs | wc -l)", r"left=0")
sh.line("trap \"echo size is \\$(stty size)\" WINCH; stty size", r"0 0|24 80")
fcntl.ioctl(sh.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
sh.line("sleep 0.2", r"size is 33 77")
sh.line("ps -o tty=,stat=,comm= -p $$", r"pts/\d+ +Ss\+? +bash")
sh.line("(trap \"\" HUP; sleep 0.5; echo survived >survived) & disown")
sh.type("sh foreground.sh\n")
sh.wait(r"\nready")
os.close(sh.fd)
end = time.monotonic() + 20
while time.monotonic() < end:
    if os.path.exists("hung") and os.path.exists("survived"):
        break
    time.sleep(0.1)
else:
    sys.exit("no hangup: %s" % os.listdir("."))
os.waitpid(sh.pid, 0)
P
cat >foreground.sh <<"S"
trap "echo hangup >hung; exit" HUP
echo ready
while :; do sleep 0.1; done
S
python3 jobs.py
expect "$(script -qec "tty; exit 7" /dev/null </dev/null | tr -d "\r" | sed "s/[0-9]*$//"; echo ${PIPESTATUS[0]})" "/dev/pts/
7"
expect "$(setsid -w tty || :)" "not a tty"
timeout -s INT 0.2 sleep 10 || expect $? 124'
