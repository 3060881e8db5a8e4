#define _GNU_SOURCE
#include "CLinux.h"

#include <stddef.h>

_Thread_local void *clinux_thread_loop = 0;

int clinux_accept(int fd, struct sockaddr_storage *address, uint32_t *count) {
  socklen_t length = sizeof *address;
  int result = (int)clinux_result(
      accept4(fd, (struct sockaddr *)address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  *count = length;
  return result;
}

const char *clinux_error_name(int error) { return strerrorname_np(error); }

void clinux_name_thread(const char *name) { (void)pthread_setname_np(pthread_self(), name); }

int clinux_notify(const char *path, const char *text) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t count = strlen(path);
  if (count == 0 || count >= sizeof address.sun_path) return -EINVAL;
  memcpy(address.sun_path, path, count);
  if (path[0] == '@') address.sun_path[0] = 0;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + count);
  int result = (int)clinux_result(
      sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, length));
  close(fd);
  return result;
}
