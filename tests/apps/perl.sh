#!/bin/sh
# SPDX-License-Identifier: MIT
# perl: fork, pipes, signals, sockets, SysV IPC, file tests, locale.
. tests/apps/common

guest perl 60 '
cat >p.pl <<"P"
use strict; use warnings;
use IO::Socket::INET; use IO::Socket::UNIX; use POSIX; use File::Find; use Fcntl ":flock";
use IPC::SysV qw(IPC_PRIVATE IPC_CREAT IPC_RMID S_IRUSR S_IWUSR);

my $sum = 0;
for my $n (1 .. 20) {
    my $pid = open(my $from, "-|") // die "fork: $!";
    if (!$pid) { print $n; exit $n }
    $sum += <$from>;
    close $from;
    die "status $?" if $? >> 8 != $n;
}
die $sum if $sum != 210;

my $caught = 0;
$SIG{USR1} = sub { $caught++ };
kill USR1 => $$ for 1 .. 100;
die $caught unless $caught;
eval { local $SIG{ALRM} = sub { die "alarm\n" }; alarm 1; sleep 30; };
die "no alarm: $@" unless $@ eq "alarm\n";

my $server = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die "listen: $!";
if (!fork) { my $c = $server->accept; print $c scalar reverse <$c>; exit }
my $client = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $server->sockport) or die;
print $client "abc\n"; $client->shutdown(1);
my $answer = join "", <$client>; die $answer if $answer ne "\ncba"; wait;

my $id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | S_IRUSR | S_IWUSR) // die "shmget: $!";
if (!fork) { shmwrite($id, "shared", 0, 6) or die "shmwrite: $!"; exit }
wait; shmread($id, my $text, 0, 6) or die; die $text if $text ne "shared"; shmctl($id, IPC_RMID, 0) or die;
my $q = msgget(IPC_PRIVATE, IPC_CREAT | S_IRUSR | S_IWUSR) // die "msgget: $!";
msgsnd($q, pack("l! a*", 5, "message"), 0) or die "msgsnd: $!";
msgrcv($q, my $m, 100, 0, 0) or die; die if substr($m, 8) ne "message"; msgctl($q, IPC_RMID, 0) or die;
my $s = semget(IPC_PRIVATE, 1, IPC_CREAT | S_IRUSR | S_IWUSR) // die "semget: $!";
semop($s, pack("s!3", 0, 1, 0)) or die; semop($s, pack("s!3", 0, -1, 0)) or die; semctl($s, 0, IPC_RMID, 0) or die;

mkdir "d" or die; chmod 0700, "d"; symlink "d", "l" or die;
die unless -d "l" && -l "l" && -o "d" && ((stat "d")[2] & 07777) == 0700;
my $files = 0; find(sub { $files++ }, "/usr/share/perl"); die $files if $files < 500;
open my $lock, ">", "lock"; flock($lock, LOCK_EX) or die;
if (!fork) { open my $l, ">", "lock"; exit(flock($l, LOCK_EX | LOCK_NB) ? 0 : 9) }
wait; die "flock $?" if $? >> 8 != 9;
print "ok\n";
P
expect "$(perl p.pl)" ok'
