#define _GNU_SOURCE
// The least a WebSocket echo can cost on epoll: one read, the masks taken off, one write; nothing is checked, nothing is
// kept, and what the kernel does not take at once is waited for. It is a floor for comparisons, not a server.
//
//   floor_echo PORT
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { connections = 1 << 16, chunk = 512 << 10 };
static uint8_t in[chunk], out[chunk];
// What was left of an unfinished frame, for each descriptor.
static struct {
  uint8_t *bytes;
  size_t count;
  int is_open;
} rest[connections];

static void write_all(int socket, const uint8_t *bytes, size_t count) {
  while (count > 0) {
    ssize_t taken = write(socket, bytes, count);
    if (taken < 0) {
      if (poll(&(struct pollfd){.fd = socket, .events = POLLOUT}, 1, 10000) < 1) return;
      continue;
    }
    bytes += taken, count -= taken;
  }
}

static void shake_hands(int socket, char *head) {
  char text[64 + 36], accept[64];
  unsigned char hash[20];
  char *key = strcasestr(head, "sec-websocket-key:");
  if (!key || sscanf(key + 18, " %63[^ \r]", text) != 1) return;
  strcat(text, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  SHA1((unsigned char *)text, strlen(text), hash);
  EVP_EncodeBlock((unsigned char *)accept, hash, 20);
  char reply[256];
  int count = snprintf(
      reply, sizeof reply,
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: %s\r\n\r\n",
      accept);
  write_all(socket, (uint8_t *)reply, count);
  rest[socket].is_open = 1;
}

// Turns the whole frames of a client into those of a server. Returns how many bytes it used up.
static size_t echo(uint8_t *bytes, size_t count, size_t *written) {
  size_t used = 0, made = 0;
  while (count - used >= 6) {
    uint8_t *frame = bytes + used;
    uint64_t size = frame[1] & 127;
    size_t head = 2;
    if (size == 126) size = frame[2] << 8 | frame[3], head = 4;
    if (size == 127) {
      if (count - used < 14) break;
      memcpy(&size, frame + 2, 8), size = __builtin_bswap64(size), head = 10;
    }
    if (count - used - head < 4 || size > count - used - head - 4) break;
    uint8_t *reply = out + made;
    memcpy(reply, frame, head), reply[1] &= 127;
    uint32_t mask;
    memcpy(&mask, frame + head, 4);
    uint64_t wide = (uint64_t)mask << 32 | mask;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
      uint64_t word;
      memcpy(&word, frame + head + 4 + i, 8), word ^= wide, memcpy(reply + head + i, &word, 8);
    }
    for (; i < size; i++) reply[head + i] = frame[head + 4 + i] ^ frame[head + (i & 3)];
    used += head + 4 + size, made += head + size;
  }
  *written = made;
  return used;
}

static void readable(int socket) {
  size_t kept = rest[socket].count, written = 0;
  if (kept) memcpy(in, rest[socket].bytes, kept);
  ssize_t got = read(socket, in + kept, chunk - 1 - kept);
  if (got <= 0) {
    free(rest[socket].bytes);
    memset(&rest[socket], 0, sizeof rest[socket]);
    close(socket);
    return;
  }
  if (!rest[socket].is_open) {
    in[got] = 0;
    shake_hands(socket, (char *)in);
    return;
  }
  size_t count = kept + got, used = echo(in, count, &written);
  if (written) write_all(socket, out, written);
  free(rest[socket].bytes);
  rest[socket].bytes = NULL, rest[socket].count = count - used;
  if (count > used) {
    rest[socket].bytes = malloc(count - used);
    memcpy(rest[socket].bytes, in + used, count - used);
  }
}

int main(int count, char **words) {
  if (count != 2) return 2;
  signal(SIGPIPE, SIG_IGN);
  int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0), queue = epoll_create1(0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(atoi(words[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
    perror("floor_echo");
    return 1;
  }
  struct epoll_event events[1024] = {{.events = EPOLLIN, .data.fd = listener}};
  epoll_ctl(queue, EPOLL_CTL_ADD, listener, &events[0]);
  printf("listening on ws://127.0.0.1:%s\n", words[1]);
  fflush(stdout);
  for (;;) {
    int ready = epoll_wait(queue, events, 1024, -1);
    for (int i = 0; i < ready; i++) {
      int socket = events[i].data.fd;
      if (socket != listener) {
        readable(socket);
        continue;
      }
      int guest = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
      if (guest < 0) continue;
      if (guest >= connections) {
        close(guest);
        continue;
      }
      setsockopt(guest, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      epoll_ctl(queue, EPOLL_CTL_ADD, guest, &(struct epoll_event){.events = EPOLLIN, .data.fd = guest});
    }
  }
}
