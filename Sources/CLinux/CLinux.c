#define _GNU_SOURCE
#include "CLinux.h"

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
