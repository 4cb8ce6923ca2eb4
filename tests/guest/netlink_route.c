// SPDX-License-Identifier: MIT
// Netlink route dumps name the loopback interface, its flags and its address, as `ip` reads
// them.
// covers: socket, bind, sendto, recvmsg, recvfrom, getsockname
#include "sock.h"
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

static int nl;

// Sends a dump request and calls f for each message until the end.
static void dump(int type, int family, void (*f)(struct nlmsghdr *))
{
    struct {
        struct nlmsghdr h;
        struct rtgenmsg g;
    } req = {{sizeof(req), type, NLM_F_REQUEST | NLM_F_DUMP, 7, 0}, {family}};
    static char buf[32768] __attribute__((aligned(8)));
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

    CHECK_EQ(sendto(nl, &req, sizeof(req), 0, (struct sockaddr *)&kernel, sizeof(kernel)),
             sizeof(req));
    for (;;) {
        ssize_t n = OK(recv(nl, buf, sizeof(buf), 0));

        for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
            CHECK_EQ(h->nlmsg_seq, 7);
            if (h->nlmsg_type == NLMSG_DONE)
                return;
            CHECK(h->nlmsg_type != NLMSG_ERROR);
            f(h);
        }
    }
}

static int loopbacks, addresses;

static void on_link(struct nlmsghdr *h)
{
    struct ifinfomsg *info = NLMSG_DATA(h);
    int len = IFLA_PAYLOAD(h);

    CHECK_EQ(h->nlmsg_type, RTM_NEWLINK);
    for (struct rtattr *a = IFLA_RTA(info); RTA_OK(a, len); a = RTA_NEXT(a, len))
        if (a->rta_type == IFLA_IFNAME && strcmp(RTA_DATA(a), "lo") == 0) {
            loopbacks++;
            CHECK(info->ifi_flags & IFF_LOOPBACK);
            CHECK_EQ(info->ifi_index, if_nametoindex("lo"));
        }
}

static void on_addr(struct nlmsghdr *h)
{
    struct ifaddrmsg *info = NLMSG_DATA(h);
    int len = IFA_PAYLOAD(h);

    CHECK_EQ(h->nlmsg_type, RTM_NEWADDR);
    for (struct rtattr *a = IFA_RTA(info); RTA_OK(a, len); a = RTA_NEXT(a, len))
        if (a->rta_type == IFA_LOCAL && *(uint32_t *)RTA_DATA(a) == htonl(INADDR_LOOPBACK))
            addresses++;
}

int main(void)
{
    struct sockaddr_nl addr = {.nl_family = AF_NETLINK};
    socklen_t len = sizeof(addr);

    nl = OK(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    CHECK_EQ(bind(nl, (struct sockaddr *)&addr, sizeof(addr)), 0);
    CHECK_EQ(getsockname(nl, (struct sockaddr *)&addr, &len), 0);
    CHECK_EQ(len, sizeof(addr));
    CHECK(addr.nl_pid != 0);
    dump(RTM_GETLINK, AF_UNSPEC, on_link);
    CHECK_EQ(loopbacks, 1);
    dump(RTM_GETADDR, AF_INET, on_addr);
    CHECK_EQ(addresses, 1);
    return done();
}
