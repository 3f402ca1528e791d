/* Preloaded into every process of a run: writes down each name that is looked up and each address that is
   spoken to beyond this host, then lets the call go on as it would. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void tell(const char *what, const char *where) {
    const char *path = getenv("OUTSIDE_LOG");
    char line[512];
    int length, file;
    if (path == NULL || (file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
        return;
    length = snprintf(line, sizeof line, "%s %s\n", what, where);
    if (length > 0 && write(file, line, (size_t)length) < 0)
        _exit(99);
    close(file);
}

static void look(const char *what, const struct sockaddr *address) {
    char text[INET6_ADDRSTRLEN] = "";
    if (address == NULL)
        return;
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        if ((ntohl(v4->sin_addr.s_addr) >> 24) == 127)
            return;
        inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
        tell(what, text);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        if (IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr))
            return;
        inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
        tell(what, text);
    }
}

int connect(int fd, const struct sockaddr *address, socklen_t length) {
    int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
    look("connect", address);
    return next(fd, address, length);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t length) {
    ssize_t (*next)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "sendto");
    look("sendto", address);
    return next(fd, data, size, flags, address, length);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    ssize_t (*next)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");
    look("sendmsg", message->msg_name);
    return next(fd, message, flags);
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");
    unsigned char number[16];
    if (node != NULL && strcmp(node, "localhost") != 0 && inet_pton(AF_INET, node, number) != 1 &&
        inet_pton(AF_INET6, node, number) != 1)
        tell("lookup", node);
    return next(node, service, hints, found);
}
