/* A long link between two network namespaces: packets pass, but later, and not all of them.
 *
 *     link NEAR FAR DELAY LOSS RATE QUEUE
 *
 * NEAR and FAR are namespaces, each with a TUN device "link" that was made with vnet_hdr. DELAY is
 * that of one way, in seconds. LOSS is the share of the packets that never arrive. RATE is what each
 * way carries, in bytes per second, and QUEUE how many bytes wait for that before packets are
 * dropped; with a RATE of 0 everything is carried at once. Says "ready", and runs until it is ended.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1e9
/* A packet that is not cut up yet, and the header in front of it that says how to. */
#define LARGEST (65536 + 64)

struct packet {
    struct packet *next;
    int64_t due;
    size_t size;
    char content[];
};

struct way {
    int from, to;
    struct packet *first, *last;
    int64_t free_at; /* when everything that came before has been carried */
};

static double delay, loss, rate, queue;

static void end(const char *what) {
    perror(what);
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * (int64_t)SECOND + time.tv_nsec;
}

static int device_of(const char *namespace) {
    char path[256];
    snprintf(path, sizeof path, "/run/netns/%s", namespace);
    int inside = open(path, O_RDONLY | O_CLOEXEC);
    if (inside < 0 || setns(inside, CLONE_NEWNET) < 0) end(path);
    int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    struct ifreq request = {.ifr_name = "link", .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
    if (device < 0 || ioctl(device, TUNSETIFF, &request) < 0) end("/dev/net/tun");
    /* What is lost or carried at a rate are packets as a network has them; otherwise, large ones. */
    unsigned long large = loss > 0 || rate > 0 ? 0 : TUN_F_TSO4;
    if (ioctl(device, TUNSETOFFLOAD, TUN_F_CSUM | large) < 0) end("TUNSETOFFLOAD");
    close(inside);
    return device;
}

static void accept_packets(struct way *way) {
    static char buffer[LARGEST];
    ssize_t size;
    while ((size = read(way->from, buffer, sizeof buffer)) > 0) {
        int64_t time = now();
        if (loss > 0 && drand48() < loss) continue;
        if (way->free_at < time) way->free_at = time;
        if (rate > 0) {
            if ((way->free_at - time) * rate / SECOND > queue) continue;
            way->free_at += size * SECOND / rate;
        }
        struct packet *packet = malloc(sizeof *packet + size);
        if (packet == NULL) end("malloc");
        *packet = (struct packet){.due = way->free_at + delay * SECOND, .size = size};
        memcpy(packet->content, buffer, size);
        if (way->first == NULL) way->first = packet;
        else way->last->next = packet;
        way->last = packet;
    }
}

/* Hands out what is due; returns when the next one is. */
static int64_t deliver(struct way *way, int64_t later) {
    while (way->first != NULL && way->first->due <= now()) {
        struct packet *packet = way->first;
        if (write(way->to, packet->content, packet->size) < 0) { /* lost, as any packet may be */ }
        way->first = packet->next;
        free(packet);
    }
    return way->first != NULL && way->first->due < later ? way->first->due : later;
}

int main(int count, char **arguments) {
    if (count != 7) {
        fprintf(stderr, "usage: link NEAR FAR DELAY LOSS RATE QUEUE\n");
        return 2;
    }
    delay = atof(arguments[3]), loss = atof(arguments[4]);
    rate = atof(arguments[5]), queue = atof(arguments[6]);
    int near = device_of(arguments[1]), far = device_of(arguments[2]);
    struct way ways[] = {{.from = near, .to = far}, {.from = far, .to = near}};
    struct pollfd devices[] = {{.fd = near, .events = POLLIN}, {.fd = far, .events = POLLIN}};
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        int64_t next = deliver(&ways[1], deliver(&ways[0], now() + SECOND)) - now();
        struct timespec wait = {0, next > 0 ? next : 0};
        if (next >= SECOND) wait = (struct timespec){1, 0};
        ppoll(devices, 2, &wait, NULL);
        for (int each = 0; each < 2; each++)
            if (devices[each].revents) accept_packets(&ways[each]);
    }
}
