// SPDX-License-Identifier: MIT
// For the socket tests: addresses, listeners and connections in one line.
#ifndef GUEST_SOCK_H
#define GUEST_SOCK_H

#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

// Length with the NUL of a path, without one for an abstract name (given as "@name").
static inline socklen_t unix_addr(struct sockaddr_un *addr, const char *name)
{
    size_t len = strlen(name);

    memset(addr, 0, sizeof(*addr));
    addr->sun_family = AF_UNIX;
    CHECK(len <= sizeof(addr->sun_path));
    memcpy(addr->sun_path, name, len);
    if (name[0] == '@')
        addr->sun_path[0] = 0;
    return offsetof(struct sockaddr_un, sun_path) + len +
           (name[0] != '@' && len < sizeof(addr->sun_path));
}

static inline int unix_bind(int fd, const char *name)
{
    struct sockaddr_un addr;
    socklen_t len = unix_addr(&addr, name);

    return bind(fd, (struct sockaddr *)&addr, len);
}

static inline int unix_connect(int fd, const char *name)
{
    struct sockaddr_un addr;
    socklen_t len = unix_addr(&addr, name);

    return connect(fd, (struct sockaddr *)&addr, len);
}

static inline int unix_listen(const char *name, int type)
{
    int fd = OK(socket(AF_UNIX, type, 0));

    CHECK_EQ(unix_bind(fd, name), 0);
    CHECK_EQ(listen(fd, 5), 0);
    return fd;
}

// The address is exactly this name: text, length and terminator.
static inline void unix_is(const struct sockaddr_un *addr, socklen_t len, const char *name)
{
    struct sockaddr_un want;

    unix_addr(&want, name);
    CHECK_EQ(addr->sun_family, AF_UNIX);
    // The NUL after a path counts, even where it does not fit into the struct.
    CHECK_EQ(len, offsetof(struct sockaddr_un, sun_path) + strlen(name) + (name[0] != '@'));
    CHECK(memcmp(addr->sun_path, want.sun_path, strlen(name)) == 0);
}

static inline void unix_name_is(int fd, const char *name)
{
    struct sockaddr_un addr;
    socklen_t len = sizeof(addr);

    CHECK_EQ(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    unix_is(&addr, len, name);
}

static inline void unix_peer_is(int fd, const char *name)
{
    struct sockaddr_un addr;
    socklen_t len = sizeof(addr);

    CHECK_EQ(getpeername(fd, (struct sockaddr *)&addr, &len), 0);
    unix_is(&addr, len, name);
}

// A loopback address; port 0 lets bind choose.
static inline struct sockaddr_in inet_addr_of(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static inline int inet_port(int fd)
{
    struct sockaddr_in addr;
    socklen_t len = sizeof(addr);

    CHECK_EQ(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    CHECK_EQ(len, sizeof(addr));
    CHECK_EQ(addr.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    return ntohs(addr.sin_port);
}

// A socket of this type bound to a free port of the loopback address.
static inline int inet_bound(int type)
{
    struct sockaddr_in addr = inet_addr_of(0);
    int fd = OK(socket(AF_INET, type, 0));

    CHECK_EQ(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    return fd;
}

static inline int inet_connect(int fd, int port)
{
    struct sockaddr_in addr = inet_addr_of(port);

    return connect(fd, (struct sockaddr *)&addr, sizeof(addr));
}

static inline void says(int fd, const char *text)
{
    char got[256];
    ssize_t n = OK(recv(fd, got, sizeof(got) - 1, 0));

    got[n] = 0;
    CHECK_STR(got, text);
}

#endif
