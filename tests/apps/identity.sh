#!/bin/sh
# SPDX-License-Identifier: MIT
# Users: useradd, passwd by chpasswd, su with and without a password, sudo, set-id programs, what an
# ordinary user may not do, groups, login records.
. tests/apps/common

guest identity 90 '
user=person$$
useradd -m -s /bin/bash -G audio $user
cleanup() { userdel -r $user 2>/dev/null; rm -f /etc/sudoers.d/test; }
id=$(id -u $user)
expect "$(su - $user -c id)" "uid=$id($user) gid=$id($user) groups=$id($user),29(audio)"
expect "$(su - $user -c "pwd; echo \$HOME \$USER")" "/home/$user
/home/$user $user"
expect "$(setpriv --reuid $id --regid $id --init-groups id -Gn)" "$user audio"
expect "$(sudo -u $user id -un)" $user
expect "$(sudo -u $user -g audio id -gn)" audio

# A set-id program: su as the user, who must say the password.
echo "$user:right" | chpasswd
expect "$(stat -c %A /usr/bin/su)" -rwsr-xr-x
cat >ask.py <<"P"
import os, pty, sys, time
# ask.py PASSWORD COMMAND...: runs it on a terminal and types the password when asked.
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
said, typed = b"", False
while True:
    try:
        part = os.read(fd, 4096)
    except OSError:
        break
    if not part:
        break
    said += part
    if b"assword" in said and not typed:
        time.sleep(0.1)
        os.write(fd, sys.argv[1].encode() + b"\n")
        typed, said = True, b""
sys.stdout.write(said.decode().replace("\r", "").strip() + "\n")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
P
chmod 644 ask.py
expect "$(su $user -c "python3 ask.py right su $user -c \"id -un\"")" $user
su $user -c "python3 ask.py wrong su $user -c \"id -un\"" >out && exit 1
grep -q "Authentication failure" out
echo "root:root" | chpasswd
expect "$(su $user -c "python3 ask.py root su -c \"id -u\"")" 0
passwd -l root >/dev/null

# sudo by rule.
echo "$user ALL=(ALL) NOPASSWD: /usr/bin/id, /usr/bin/cat" >/etc/sudoers.d/test
chmod 440 /etc/sudoers.d/test
expect "$(su $user -c "sudo -n id -u")" 0
expect "$(su $user -c "sudo -n cat /etc/shadow" | grep -c ^root:)" 1
su $user -c "sudo -n true" 2>/dev/null && exit 1

# What an ordinary user cannot do.
refused() { ! su $user -c "$1" 2>err || { echo "allowed: $1"; return 1; }; grep -qiE "denied|not permitted|must be (superuser|root)" err || { cat err; return 1; }; }
refused "cat /etc/shadow"
refused "echo x >/etc/passwd"
refused "chown root /home/$user"
refused "touch /root/file"
refused "ls /root"
refused "mv /etc/hostname /tmp/"
refused "kill -0 $$"
refused "chmod 777 /etc"
[ $(cat /proc/sys/fs/protected_hardlinks) = 0 ] || refused "ln /etc/shadow /home/$user/shadow"
refused "mknod /home/$user/n c 1 3"
refused "mount -t tmpfs x /mnt"
refused "hostname other"
install -m 1777 -d sticky
touch sticky/mine
refused "rm -f $work/sticky/mine"

# What he owns, he owns; groups count.
su $user -c "cd; touch f; chmod 600 f; mkdir -p a/b; ln -s f l; mkfifo p"
expect "$(stat -c "%U:%G" /home/$user/{f,a/b,l,p} | sort -u)" $user:$user
install -m 640 -g audio /etc/hostname shared
chmod 755 .
su $user -c "cat $work/shared" >/dev/null
expect "$(su $user -c "grep -E ^Uid: /proc/self/status" | tr "\t" " ")" "Uid: $id $id $id $id"
expect "$(su $user -c "umask; ulimit -n 100; ulimit -n")" "0022
100"
userdel -r $user 2>/dev/null
cleanup() { :; }
[ ! -e /home/$user ]
not id $user 2>/dev/null'
