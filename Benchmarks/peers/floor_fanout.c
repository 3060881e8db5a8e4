#define _GNU_SOURCE
// The least a fan-out can cost: the same bytes to every one of many TCP connections over loopback, by a system call each and
// by io_uring, from one process and to the same sockets, in turns. What is printed is the sender's CPU time alone; there is
// no WebSocket, no driver and no program around it. It is a floor for comparisons.
//
//   cc -O2 -pthread -o .build/floor_fanout Benchmarks/peers/floor_fanout.c
//   .build/floor_fanout [CONNECTIONS [BYTES [ROUNDS]]]
//
// Without arguments 1000 connections, 170 bytes, 200 rounds. The sender runs on core 0, the receiver on core 1.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/io_uring.h>

enum { ring_capacity = 4096, most_connections = 9000 };

// A batch of 0 is a system call for each send.
static const struct way {
  const char *name;
  unsigned batch;
  int has_registered_files;
} ways[] = {
    {"send(), a system call each", 0, 0},
    {"io_uring, 32 sends a system call", 32, 0},
    {"io_uring, 128 sends a system call", 128, 0},
    {"io_uring, 512 sends a system call", 512, 0},
    {"io_uring, 2,048 sends a system call", 2048, 0},
    {"io_uring, 2,048, registered files", 2048, 1},
};
enum { way_count = sizeof ways / sizeof *ways };

static int sockets[most_connections], connections = 1000, rounds = 200;
static size_t byte_count = 170;
static char bytes[1 << 16];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void run_on(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  sched_setaffinity(0, sizeof cores, &cores);  // on one core only, it stays there
}

// MARK: the ring

static struct {
  int fd;
  uint32_t tail, *head_word, *tail_word;
  struct io_uring_sqe *requests;
} ring;

static void make_ring(void) {
  struct io_uring_params parameters = {
      .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL};
  ring.fd = syscall(SYS_io_uring_setup, ring_capacity, &parameters);
  if (ring.fd < 0) fail("io_uring_setup");
  size_t count = parameters.sq_off.array + ring_capacity * sizeof(uint32_t);
  char *words = mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQ_RING);
  ring.requests = mmap(NULL, ring_capacity * sizeof *ring.requests, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd,
                       IORING_OFF_SQES);
  if (words == MAP_FAILED || ring.requests == MAP_FAILED) fail("mmap");
  ring.head_word = (uint32_t *)(words + parameters.sq_off.head);
  ring.tail_word = (uint32_t *)(words + parameters.sq_off.tail);
  for (uint32_t i = 0; i < ring_capacity; i++) ((uint32_t *)(words + parameters.sq_off.array))[i] = i;
  if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, sockets, connections)) fail("register");
}

static uint32_t unsubmitted(void) { return ring.tail - __atomic_load_n(ring.head_word, __ATOMIC_ACQUIRE); }

static void submit(void) {
  __atomic_store_n(ring.tail_word, ring.tail, __ATOMIC_RELEASE);
  while (unsubmitted())
    if (syscall(SYS_io_uring_enter, ring.fd, unsubmitted(), 0, 0, NULL, 0) < 0) fail("io_uring_enter");
}

static void queue_send(int place, int is_registered) {
  struct io_uring_sqe *request = &ring.requests[ring.tail++ & (ring_capacity - 1)];
  memset(request, 0, sizeof *request);
  request->opcode = IORING_OP_SEND;
  request->fd = is_registered ? place : sockets[place];
  request->flags = IOSQE_CQE_SKIP_SUCCESS | (is_registered ? IOSQE_FIXED_FILE : 0);
  request->addr = (uintptr_t)bytes;
  request->len = byte_count;
  request->msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL;
}

// MARK: both ends

static void fan_out(const struct way *way) {
  for (int i = 0; i < connections; i++) {
    if (!way->batch) {
      if (send(sockets[i], bytes, byte_count, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)byte_count) fail("send");
      continue;
    }
    queue_send(i, way->has_registered_files);
    if (unsubmitted() == way->batch) submit();
  }
  if (way->batch) submit();
}

// Reads all that comes, and says when everybody has a message.
static void receive_for_ever(int *ends, int told) {
  static char in[1 << 16];
  struct epoll_event events[512];
  int queue = epoll_create1(0);
  for (int i = 0; i < connections; i++)
    epoll_ctl(queue, EPOLL_CTL_ADD, ends[i], &(struct epoll_event){.events = EPOLLIN, .data.fd = ends[i]});
  for (size_t missing = connections * byte_count;;) {
    int ready = epoll_wait(queue, events, 512, -1);
    for (int i = 0; i < ready; i++) {
      ssize_t count = recv(events[i].data.fd, in, sizeof in, 0);
      if (count <= 0) exit(0);
      missing -= count;
    }
    if (missing) continue;
    missing = connections * byte_count;
    if (write(told, "", 1) != 1) exit(0);
  }
}

static void connect_all(int *ends) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (void *)&address, length) || listen(listener, 128)) fail("listen");
  getsockname(listener, (void *)&address, &length);
  for (int i = 0; i < connections; i++) {
    ends[i] = socket(AF_INET, SOCK_STREAM, 0);
    if (ends[i] < 0 || connect(ends[i], (void *)&address, sizeof address)) fail("connect");
    sockets[i] = accept(listener, NULL, NULL);
    if (sockets[i] < 0) fail("accept");
    setsockopt(sockets[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
}

static double cpu_microseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static int compare(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double part(double *values, double which) {
  qsort(values, rounds, sizeof *values, compare);
  return values[(int)(rounds * which)];
}

// A server has more than one thread, which makes each lookup of a descriptor dearer.
static void *wait_for_ever(void *nothing) {
  pause();
  return nothing;
}

int main(int count, char **words) {
  if (count > 1) connections = atoi(words[1]);
  if (count > 2) byte_count = atoi(words[2]);
  if (count > 3) rounds = atoi(words[3]);
  if (connections < 1 || connections > most_connections || byte_count < 1 || byte_count > sizeof bytes || rounds < 1)
    return 2;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  static int ends[most_connections];
  int told[2];
  if (pipe(told)) fail("pipe");
  connect_all(ends);
  pid_t receiver = fork();
  if (receiver == 0) {
    run_on(1);
    receive_for_ever(ends, told[1]);
  }
  for (int i = 0; i < connections; i++) close(ends[i]);
  run_on(0);
  pthread_t thread;
  pthread_create(&thread, NULL, wait_for_ever, NULL);
  make_ring();
  double *times[way_count];
  for (int way = 0; way < way_count; way++) times[way] = calloc(rounds, sizeof **times);
  for (int round = -5; round < rounds; round++) {  // the first five warm up
    for (int step = 0; step < way_count; step++) {
      int way = round & 1 ? way_count - 1 - step : step;
      double before = cpu_microseconds();
      fan_out(&ways[way]);
      if (round >= 0) times[way][round] = (cpu_microseconds() - before) / connections;
      char answer;
      if (read(told[0], &answer, 1) != 1) fail("read");
    }
  }
  printf("%d connections, %zu B, %d rounds: sender's CPU a delivery, and beside a system call each\n", connections,
         byte_count, rounds);
  for (int way = way_count - 1; way >= 0; way--)
    for (int round = 0; round < rounds && way > 0; round++) times[way][round] /= times[0][round];
  double base = part(times[0], 0.5);
  for (int way = 0; way < way_count; way++) {
    if (!way) printf("%-38s %.2f us\n", ways[way].name, base);
    else printf("%-38s %.2f (%.2f to %.2f for the middle half)\n", ways[way].name, part(times[way], 0.5),
                part(times[way], 0.25), part(times[way], 0.75));
  }
  kill(receiver, SIGTERM);
  waitpid(receiver, NULL, 0);
}
