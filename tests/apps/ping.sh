#!/bin/sh
# SPDX-License-Identifier: MIT
# ping by datagram ICMP, which the host allows by group, or by a raw socket, which it allows to root.
. tests/apps/common

allowed=$(python3 -c '
import os, socket
for kind in socket.SOCK_DGRAM, socket.SOCK_RAW:
    try:
        socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP).close()
        print("yes")
        break
    except OSError:
        pass')
if [ "$allowed" != yes ]; then
    echo "the host allows this user neither raw sockets nor datagram ICMP (net.ipv4.ping_group_range: $(tr '\t' '-' </proc/sys/net/ipv4/ping_group_range))"
    exit 77
fi
guest ping 30 'ping -c 1 -W 5 127.0.0.1 | has " 0% packet loss"'
