// SPDX-License-Identifier: MIT
// The interface ioctls that old programs use: SIOCGIFCONF, SIOCGIFINDEX, SIOCGIFNAME,
// SIOCGIFFLAGS, SIOCGIFADDR on lo.
// covers: ioctl, socket
#include "sock.h"
#include <net/if.h>
#include <sys/ioctl.h>

int main(void)
{
    struct ifreq all[64], req = {.ifr_name = "lo"};
    struct ifconf conf = {.ifc_len = sizeof(all), .ifc_req = all};
    int fd = OK(socket(AF_INET, SOCK_DGRAM, 0)), found = 0, index;

    CHECK_EQ(ioctl(fd, SIOCGIFCONF, &conf), 0);
    for (unsigned i = 0; i < conf.ifc_len / sizeof(all[0]); i++)
        if (strcmp(all[i].ifr_name, "lo") == 0) {
            found++;
            CHECK_EQ(((struct sockaddr_in *)&all[i].ifr_addr)->sin_addr.s_addr,
                     htonl(INADDR_LOOPBACK));
        }
    CHECK_EQ(found, 1);
    CHECK_EQ(ioctl(fd, SIOCGIFINDEX, &req), 0);
    index = req.ifr_ifindex;
    CHECK(index > 0);
    memset(&req, 0, sizeof(req));
    req.ifr_ifindex = index;
    CHECK_EQ(ioctl(fd, SIOCGIFNAME, &req), 0);
    CHECK_STR(req.ifr_name, "lo");
    CHECK_EQ(ioctl(fd, SIOCGIFFLAGS, &req), 0);
    CHECK(req.ifr_flags & IFF_LOOPBACK && req.ifr_flags & IFF_UP);
    CHECK_EQ(ioctl(fd, SIOCGIFADDR, &req), 0);
    CHECK_EQ(((struct sockaddr_in *)&req.ifr_addr)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    strcpy(req.ifr_name, "no-such-if");
    CHECK_ERR(ioctl(fd, SIOCGIFINDEX, &req), ENODEV);
    CHECK_ERR(ioctl(fd, SIOCGIFCONF, bad_ptr), EFAULT);
    CHECK_ERR(ioctl(0, SIOCGIFINDEX, &req), ENOTTY);
    return done();
}
