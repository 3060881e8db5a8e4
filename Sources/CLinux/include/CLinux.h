// Linux system calls and macros that Swift's Glibc module does not show, as inline functions.
// Every call returns its result, or -errno: one register says both, and errno is read in one place.
// No _GNU_SOURCE here: it changes definitions of the C library (fd_set, enums), which must be the same as those that
// Swift's Glibc module has, or a file that sees both modules does not compile. What needs it is in CLinux.c.
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "uring.h"

static inline long clinux_result(long result) { return result < 0 ? -(long)errno : result; }

// The event loop that runs on this thread, or NULL.
extern _Thread_local void *clinux_thread_loop;
static inline void *clinux_current_loop(void) { return clinux_thread_loop; }
static inline void clinux_set_current_loop(void *loop) { clinux_thread_loop = loop; }

static inline uint64_t clinux_monotonic_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

// MARK: epoll and eventfd

static inline int clinux_epoll_create(void) { return (int)clinux_result(epoll_create1(EPOLL_CLOEXEC)); }

static inline int clinux_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data = {.u64 = data}};
  return (int)clinux_result(epoll_ctl(epoll, operation, fd, &event));
}

static inline int clinux_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout_ms) {
  return (int)clinux_result(epoll_wait(epoll, events, count, timeout_ms));
}

static inline void clinux_prefetch(const void *address) { __builtin_prefetch(address); }

static inline uint64_t clinux_event_data(const struct epoll_event *event) { return event->data.u64; }
static inline uint32_t clinux_event_flags(const struct epoll_event *event) { return event->events; }

static const uint32_t clinux_EPOLLIN = EPOLLIN, clinux_EPOLLOUT = EPOLLOUT, clinux_EPOLLERR = EPOLLERR,
                      clinux_EPOLLHUP = EPOLLHUP, clinux_EPOLLET = EPOLLET;

static inline int clinux_eventfd(void) { return (int)clinux_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }
static inline void clinux_eventfd_add(int fd) {
  uint64_t one = 1;
  long ignored = write(fd, &one, sizeof one);
  (void)ignored;
}

// MARK: sockets

static inline int clinux_socket(int family) {
  return (int)clinux_result(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}
static inline int clinux_socket_pair(int ends[2]) {
  return (int)clinux_result(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends));
}
static inline int clinux_bind(int fd, const void *address, uint32_t count) {
  return (int)clinux_result(bind(fd, (const struct sockaddr *)address, count));
}
static inline int clinux_listen(int fd, int backlog) { return (int)clinux_result(listen(fd, backlog)); }
int clinux_accept(int fd, struct sockaddr_storage *address, uint32_t *count);
static inline int clinux_connect(int fd, const void *address, uint32_t count) {
  return (int)clinux_result(connect(fd, (const struct sockaddr *)address, count));
}
static inline int clinux_local_name(int fd, struct sockaddr_storage *address, uint32_t *count) {
  socklen_t length = sizeof *address;
  int result = (int)clinux_result(getsockname(fd, (struct sockaddr *)address, &length));
  *count = length;
  return result;
}
// Not by recv and send: they are cancellation points, which costs two atomic operations a call.
static inline long clinux_receive(int fd, void *bytes, size_t count) {
  return clinux_result(syscall(SYS_recvfrom, fd, bytes, count, 0, NULL, NULL));
}
static inline long clinux_send(int fd, const void *bytes, size_t count) {
  return clinux_result(syscall(SYS_sendto, fd, bytes, count, MSG_NOSIGNAL, NULL, 0));
}
static inline long clinux_send_vector(int fd, struct iovec *vector, size_t count) {
  struct msghdr message = {.msg_iov = vector, .msg_iovlen = count};
  return clinux_result(syscall(SYS_sendmsg, fd, &message, MSG_NOSIGNAL));
}
static inline int clinux_peer_name(int fd, struct sockaddr_storage *address, uint32_t *count) {
  socklen_t length = sizeof *address;
  int result = (int)clinux_result(getpeername(fd, (struct sockaddr *)address, &length));
  *count = length;
  return result;
}
static inline void clinux_close(int fd) { (void)close(fd); }
static inline int clinux_shutdown_write(int fd) { return (int)clinux_result(shutdown(fd, SHUT_WR)); }
static inline int clinux_socket_error(int fd) {
  int value = 0;
  socklen_t length = sizeof value;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length) < 0 ? errno : value;
}
static inline int clinux_set_flag(int fd, int level, int option, int value) {
  return (int)clinux_result(setsockopt(fd, level, option, &value, sizeof value));
}
// Closing with a zero linger sends RST and keeps no TIME_WAIT.
static inline void clinux_reset_on_close(int fd) {
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}
static inline int clinux_set_reuse_address(int fd) { return clinux_set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1); }
// A bind to port 0 takes no port: the connect does, which then may be one that another destination has already.
static inline int clinux_set_bind_without_port(int fd) { return clinux_set_flag(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1); }
static inline int clinux_set_reuse_port(int fd) { return clinux_set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1); }
static inline int clinux_set_no_delay(int fd) { return clinux_set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1); }
static inline int clinux_set_keepalive(int fd, int idle_s, int interval_s, int probes) {
  int status = clinux_set_flag(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle_s);
  if (status == 0) status = clinux_set_flag(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval_s);
  if (status == 0) status = clinux_set_flag(fd, IPPROTO_TCP, TCP_KEEPCNT, probes);
  return status == 0 ? clinux_set_flag(fd, SOL_SOCKET, SO_KEEPALIVE, 1) : status;
}
static inline int clinux_set_user_timeout(int fd, uint32_t milliseconds) {
  return (int)clinux_result(setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds));
}
// The value of an option that is an int, or -errno.
static inline int clinux_get_flag(int fd, int level, int option) {
  int value = 0;
  socklen_t length = sizeof value;
  return getsockopt(fd, level, option, &value, &length) < 0 ? -errno : value;
}
static inline int clinux_set_ipv6_only(int fd, int value) {
  return clinux_set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, value);
}

// 0 if `fd` is a stream socket that listens, or -errno.
static inline int clinux_check_listening(int fd) {
  int type = clinux_get_flag(fd, SOL_SOCKET, SO_TYPE);
  int listens = clinux_get_flag(fd, SOL_SOCKET, SO_ACCEPTCONN);
  if (type < 0) return type;
  return type == SOCK_STREAM && listens == 1 ? 0 : -EINVAL;
}
// What was passed by another program may block and would be passed on.
static inline void clinux_prepare_adopted(int fd) {
  (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
  (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static inline int clinux_chmod(const char *path, uint32_t mode) {
  return (int)clinux_result(chmod(path, (mode_t)mode));
}

static inline uint32_t clinux_file_mode(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 ? status.st_mode : 0;
}

// Whether `path` is a socket: only those may be unlinked before binding.
static inline int clinux_is_socket(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}
static inline int clinux_unlink(const char *path) { return (int)clinux_result(unlink(path)); }

// ECONNRESET and so on; NULL for a number that has no name.
const char *clinux_error_name(int error);

// Sends a text to a service manager's datagram socket; a path that begins with @ is an abstract one.
int clinux_notify(const char *path, const char *text);

// Names the calling thread, in at most 15 bytes, for debuggers and top.
void clinux_name_thread(const char *name);

// Raises the soft limit of open files to the hard one; returns the limit then, or -errno.
static inline int64_t clinux_raise_file_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -(int64_t)errno;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return -(int64_t)errno;
  return limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}

// getaddrinfo for stream sockets; 0 or an EAI_ code.
static inline int clinux_resolve(const char *host, const char *port, int passive, struct addrinfo **found) {
  struct addrinfo hints = {
      .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = passive ? AI_PASSIVE : 0};
  return getaddrinfo(host, port, &hints, found);
}

static inline int clinux_is_equal(const void *left, const void *right, size_t count) {
  return memcmp(left, right, count) == 0;
}

// What the allocator set aside for an object: for tests of what a connection costs.
static inline size_t clinux_allocation_size(void *memory) { return malloc_usable_size(memory); }
